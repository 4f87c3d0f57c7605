"""What follows a failure, class by class."""

import math

import pytest
from builders import a_card
from msgspec.structs import replace

from mmai.backends.base import advise
from mmai.engine.retry import MAX_WAIT_S, Again, Elsewhere, GiveUp, RetryBudget, after
from mmai.engine.session import Route
from mmai.errors import (
    AuthError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint


def a_route(name: str = "ollama:a", *, host: str = "one", context_tokens: int | None = 8_192) -> Route:
    endpoint = Endpoint(provider="ollama", kind="ollama", url=f"http://{host}:11434")
    return Route(a_card(name, context_tokens=context_tokens), endpoint)


FAILED = a_route()
ELSEWHERE = a_route("ollama:b", host="two")
SAME_HOST = a_route("ollama:b", host="one")


def step(
    error: MmaiError, *reserve: Route, first_try: bool = True, remaining_s: float = math.inf
) -> Again | Elsewhere | GiveUp:
    advice = advise(error)
    return after(
        advice.kind,
        failed=FAILED,
        reserve=reserve,
        wait_s=advice.wait_s,
        first_try=first_try,
        remaining_s=remaining_s,
        budget=RetryBudget(),
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_a_hiccup_is_tried_again_once_and_then_elsewhere(status: int) -> None:
    hiccup = ProviderError("hiccup", status=status)
    assert isinstance(step(hiccup, ELSEWHERE), Again)
    assert step(hiccup, ELSEWHERE, first_try=False) == Elsewhere((ELSEWHERE,))
    assert step(hiccup, first_try=False) == GiveUp()


def test_a_host_that_refuses_is_tried_again_once_and_then_left() -> None:
    assert isinstance(step(CannotConnect("refused"), ELSEWHERE), Again)
    assert step(CannotConnect("refused"), ELSEWHERE, first_try=False) == Elsewhere((ELSEWHERE,))


def test_a_host_that_refused_or_kept_silent_is_not_asked_for_another_model() -> None:
    assert step(CannotConnect("refused"), SAME_HOST, ELSEWHERE, first_try=False) == Elsewhere((ELSEWHERE,))
    assert step(TimedOut("silent", phase="first_token"), SAME_HOST) == GiveUp()


def test_silence_is_never_waited_for_twice() -> None:
    assert step(TimedOut("silent", phase="first_token")) == GiveUp()
    assert step(TimedOut("silent", phase="first_token"), ELSEWHERE) == Elsewhere((ELSEWHERE,))


def test_the_users_own_deadline_ends_it() -> None:
    assert step(TimedOut("late", phase="total"), ELSEWHERE) == GiveUp()


def test_a_rate_limit_is_waited_out_only_where_nobody_else_can_answer() -> None:
    limited = RateLimited("slow down", retry_after_s=2.0)
    assert step(limited) == Again(2.0)
    assert step(limited, ELSEWHERE) == Elsewhere((ELSEWHERE,))
    assert step(limited, remaining_s=1.0) == GiveUp()
    assert step(RateLimited("slow down", retry_after_s=MAX_WAIT_S + 1)) == GiveUp()


def test_a_refused_key_is_refused_for_every_model() -> None:
    other_key = Route(SAME_HOST.card, replace(SAME_HOST.endpoint, credential=1))
    assert step(AuthError("who?"), SAME_HOST) == GiveUp()
    assert step(AuthError("who?"), SAME_HOST, other_key, ELSEWHERE) == Elsewhere((other_key, ELSEWHERE))


@pytest.mark.parametrize("error", [QuotaExceeded("empty"), UnknownModel("gone")])
def test_what_another_try_cannot_mend_goes_elsewhere(error: MmaiError) -> None:
    assert step(error) == GiveUp()
    assert step(error, SAME_HOST) == Elsewhere((SAME_HOST,))


def test_a_prompt_too_long_goes_only_to_a_wider_window() -> None:
    wide, unknown = a_route("ollama:w", context_tokens=131_072), a_route("ollama:u", context_tokens=None)
    assert step(ContextOverflow("too long"), SAME_HOST, unknown, wide) == Elsewhere((wide,))


@pytest.mark.parametrize("error", [InvalidRequest("no"), IncompleteAnswer("filtered", reason="filter")])
def test_what_is_wrong_with_the_request_stays_wrong(error: MmaiError) -> None:
    assert step(error, ELSEWHERE) == GiveUp()
