"""What a budget leaves, by the local calendar, and what is said before a call."""

import time
from collections.abc import Callable

import pytest
from builders import a_card, a_cloud_card, a_request

from mmai.clock import Clock
from mmai.engine.budget import Budget, began
from mmai.values.budget import Spending

NOON = time.mktime((2026, 11, 22, 12, 0, 0, 0, 0, -1))
REQUEST = a_request("Why is the sky blue?")


class At(Clock):
    """A clock that stands still."""

    def now(self) -> float:
        return NOON


def spent(amount: float | None) -> Callable[[float], float | None]:
    return lambda since: amount


def a_budget(amount: float | None, *, daily: float = 5.0, warn_at: float = 0.8) -> Budget:
    return Budget({"daily": daily}, warn_at=warn_at, spent=spent(amount), clock=At())


def test_a_day_and_a_month_begin_at_local_midnight() -> None:
    assert time.localtime(began("daily", NOON))[:6] == (2026, 11, 22, 0, 0, 0)
    assert time.localtime(began("monthly", NOON))[:6] == (2026, 11, 1, 0, 0, 0)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_month_begins_at_local_midnight_when_summer_time_ended_within_it(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        late = time.mktime((2026, 10, 31, 23, 59, 0, 0, 0, -1))
        assert time.localtime(began("monthly", late))[:6] == (2026, 10, 1, 0, 0, 0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_each_limit_is_counted_since_its_own_beginning() -> None:
    budget = Budget({"daily": 1.0, "monthly": 9.0}, warn_at=0.8, spent=lambda since: NOON - since, clock=At())
    assert budget.spending() == (
        Spending(period="daily", limit_usd=1.0, spent_usd=12 * 3600.0),
        Spending(period="monthly", limit_usd=9.0, spent_usd=NOON - began("monthly", NOON)),
    )


def test_a_limit_that_nobody_can_count_against_is_not_held() -> None:
    budget = a_budget(None)
    assert budget.spending() == ()
    assert list(budget.warnings(a_cloud_card(usd_per_mtok=None), REQUEST)) == []


@pytest.mark.parametrize(("amount", "told"), [(3.99, []), (4.0, ["$4 of the daily budget of $5 is spent"])])
def test_a_limit_is_told_of_from_its_share(amount: float, told: list[str]) -> None:
    assert list(a_budget(amount).warnings(a_cloud_card(), REQUEST)) == told


def test_free_models_need_no_words() -> None:
    assert list(a_budget(9.0).warnings(a_card(), REQUEST)) == []


def test_a_price_that_is_unknown_is_told() -> None:
    (words,) = a_budget(0.0).warnings(a_cloud_card(usd_per_mtok=None), REQUEST)
    assert words == "the budget cannot see what `openai:gpt-5.6-luna` costs: its price for this is not known"
