"""When a place is left alone, for how long, and how it comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine import breaker
from mmai.values.traffic import FailureKind, Place

NEW = Place(key="k")
PASSING = [FailureKind.CONNECT, FailureKind.SERVER, FailureKind.NO_ANSWER, FailureKind.CUT]
INNOCENT = [FailureKind.INVALID, FailureKind.CONTEXT, FailureKind.FILTER, FailureKind.DEADLINE, FailureKind.OTHER]


def fails(place: Place, kind: FailureKind, at: float = 0.0, *, wait_s: float | None = None, took_s: float = 0.0) -> Place:
    return breaker.failed(place, kind, at, reason="why", wait_s=wait_s, took_s=took_s, rng=lambda: 0.5)


def pause_s(place: Place, at: float = 0.0) -> float | None:
    return None if place.open_until is None else place.open_until - at


@pytest.mark.parametrize("kind", PASSING)
def test_a_call_and_its_second_try_that_fail_open_it_for_five_seconds(kind: FailureKind) -> None:
    once = fails(NEW, kind)
    assert pause_s(once) is None
    assert pause_s(fails(once, kind)) == pytest.approx(5.0)


def test_one_silence_opens_it_for_as_long_as_it_took() -> None:
    assert pause_s(fails(NEW, FailureKind.SILENT, took_s=1.0)) == pytest.approx(5.0)
    assert pause_s(fails(NEW, FailureKind.SILENT, took_s=40.0)) == pytest.approx(40.0)


@pytest.mark.parametrize("kind", INNOCENT)
def test_what_is_no_fault_of_the_place_counts_nothing(kind: FailureKind) -> None:
    assert fails(NEW, kind) is NEW


@pytest.mark.parametrize(("wait_s", "pause"), [(None, 1.0), (7.0, 7.0), (86_400.0, 120.0)])
def test_a_rate_limit_opens_it_for_as_long_as_the_provider_asks_within_reason(wait_s: float | None, pause: float) -> None:
    assert pause_s(fails(NEW, FailureKind.RATE_LIMITED, wait_s=wait_s)) == pause


def test_a_rate_limit_that_is_over_at_once_opens_nothing() -> None:
    assert fails(NEW, FailureKind.RATE_LIMITED, wait_s=0.0) is NEW


def test_the_later_of_two_ends_counts() -> None:
    long = fails(NEW, FailureKind.RATE_LIMITED, wait_s=60.0)
    assert fails(long, FailureKind.RATE_LIMITED, wait_s=2.0).open_until == long.open_until


def test_each_try_in_vain_doubles_the_pause_up_to_two_minutes() -> None:
    place, at, pauses = fails(fails(NEW, FailureKind.SERVER), FailureKind.SERVER), 0.0, []
    for _ in range(7):
        pauses.append(round(pause_s(place, at) or 0.0, 6))
        at = place.open_until or 0.0
        place = fails(place, FailureKind.SERVER, at)
    assert pauses == [5, 10, 20, 40, 80, 120, 120]


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause() -> None:
    opened = fails(fails(NEW, FailureKind.SERVER), FailureKind.SERVER)
    assert fails(opened, FailureKind.SERVER, 1.0) is opened


def test_a_success_closes_it_and_its_share_grows_back() -> None:
    closed = breaker.succeeded(fails(fails(NEW, FailureKind.SERVER), FailureKind.SERVER), 6.0)
    assert (closed.open_until, closed.openings, closed.failures, closed.recovered_at) == (None, 0, 0.0, 6.0)
    assert breaker.succeeded(NEW, 6.0).recovered_at is None


def test_in_a_crowd_five_in_a_row_or_half_of_all_open_it() -> None:
    crowd = NEW
    for _ in range(12):
        crowd = breaker.succeeded(crowd, 1.0)
    for number in range(5):
        assert crowd.open_until is None, number
        crowd = fails(crowd, FailureKind.SERVER, 1.0)
    assert crowd.open_until is not None
    mixed = NEW
    for _ in range(10):
        mixed = breaker.succeeded(mixed, 1.0)
    for number in range(20):
        if mixed.open_until is not None:
            break
        mixed = fails(mixed, FailureKind.SERVER, 1.0) if number % 3 else breaker.succeeded(mixed, 1.0)
    bad = sum(1 for _, weight in mixed.recent if weight)
    assert (mixed.open_until is not None, mixed.failures < 5, bad > len(mixed.recent) / 2) == (True, True, True)


def test_it_may_be_tried_out_when_the_pause_is_over_or_the_clock_was_set_back() -> None:
    opened = fails(fails(NEW, FailureKind.SERVER, 1e9), FailureKind.SERVER, 1e9)
    assert not breaker.allows(opened, 1e9 + 4)
    assert breaker.allows(opened, 1e9 + 6)
    assert breaker.allows(opened, 1e9 - 3600)


@given(
    ends=st.lists(
        st.tuples(st.sampled_from([None, *FailureKind]), st.floats(0, 50), st.floats(0, 1e6), st.floats(0, 1)), max_size=60
    )
)
def test_no_pause_is_longer_than_two_minutes_and_a_fifth(
    ends: list[tuple[FailureKind | None, float, float, float]],
) -> None:
    place, now = NEW, 1e9
    for kind, later_s, wait_s, draw in ends:
        now += later_s
        if kind is None:
            place = breaker.succeeded(place, now)
            assert breaker.allows(place, now)
        else:
            place = breaker.failed(place, kind, now, reason="", took_s=wait_s, wait_s=wait_s, rng=lambda draw=draw: draw)  # type: ignore[misc]
            assert place.open_until is None or place.open_until <= now + 144
        assert len(place.recent) <= 20
