"""What must not come of many requests at once when a place dies, refuses or cannot be opened: time on a virtual clock, no server."""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest
from builders import a_card, a_request

from mmai.backends.base import RetryAdvice, advise
from mmai.clock import Clock
from mmai.engine.limits import Limits
from mmai.engine.run import Ended, Run
from mmai.engine.session import Route, Session
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.errors import AuthError, CannotConnect, MmaiError, RateLimited
from mmai.values.endpoint import Endpoint, Timeouts
from mmai.values.event import Event, FinishedEvent, TextEvent
from mmai.values.model import ModelCard
from mmai.values.request import Request


class Hurrying(selectors.SelectSelector):
    """Moves a clock instead of waiting."""

    at_s = 1_000_000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.at_s += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop where only sleeping takes time, and no time at all outside."""

    def __init__(self) -> None:
        self.hands = Hurrying()
        super().__init__(self.hands)

    def time(self) -> float:
        return self.hands.at_s


class LoopClock(Clock):
    """The clock of the loop that runs now."""

    def now(self) -> float:
        return asyncio.get_running_loop().time() + 1e9

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Place:
    """A backend of one endpoint that does as it is told and counts what it is asked."""

    def __init__(self, does: Callable[["Place"], float | MmaiError | None]) -> None:
        """`does` gives the seconds a call takes, the error it ends with at once, or None for silence."""
        self._does = does
        self.calls_at: list[float] = []
        self.answered = 0

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        now = asyncio.get_running_loop().time()
        self.calls_at.append(now)
        outcome = self._does(self)
        if isinstance(outcome, MmaiError):
            await asyncio.sleep(0.01)
            raise outcome
        await asyncio.sleep(1e9 if outcome is None else outcome)
        self.answered += 1
        yield TextEvent("fine")
        yield FinishedEvent(reason="stop")

    def advise(self, error: MmaiError) -> RetryAdvice:
        return advise(error)

    async def aclose(self) -> None:
        """Nothing is held."""


class Places(Session):
    """A session whose adapters are handed in, by URL; an error in place of one is raised when it is opened."""

    def __init__(self, places: dict[str, Place | MmaiError]) -> None:
        super().__init__([], find_key=lambda endpoint: None)
        self._by_url = places

    def backend(self, endpoint: Endpoint) -> Any:
        place = self._by_url[endpoint.url or ""]
        if isinstance(place, MmaiError):
            raise place
        return place


def a_route(url: str, name: str = "ollama:a", **endpoint: Any) -> Route:
    return Route(a_card(name), Endpoint(provider="ollama", kind="ollama", url=url, **endpoint))


def ask_all(
    places: dict[str, Place | MmaiError],
    routes: Sequence[Route],
    *,
    requests: int,
    limit: int | None = None,
    patient: bool = False,
    timeout_s: float | None = None,
    together: int = 64,
    every_s: float = 0.0,
) -> tuple[list[Ended], Traffic, float]:
    """So many requests at once; how each ended, and the seconds it took."""

    async def all_of_them() -> tuple[list[Ended], Traffic, float]:
        clock = LoopClock()
        limits = None if limit is None else Limits(limit, most=64)
        traffic = Traffic(None, clock=clock, limits=limits, rng=random.Random(3))
        room = asyncio.Semaphore(together)
        began_at = clock.monotonic()

        async def one(number: int) -> Ended:
            if every_s:
                await asyncio.sleep(number * every_s)
            async with room:
                request = a_request("hi")
                run = Run(
                    request,
                    routes,
                    session=Places(places),
                    traffic=traffic,
                    tally=Tally(request, run_id=str(number), clock=clock),
                    log=None,
                    timeout_s=timeout_s,
                    patient=patient,
                )
                steps = [step async for step in run.steps()]
            assert isinstance(steps[-1], Ended)
            return steps[-1]

        ends = await asyncio.gather(*(one(number) for number in range(requests)))
        return ends, traffic, clock.monotonic() - began_at

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(all_of_them())


@pytest.fixture(autouse=True)
def same_dice() -> None:
    random.seed(5)


def under_way(traffic: Traffic) -> int:
    """Looks inside, since a call that is never counted out shows only after hours."""
    return sum(instance.in_flight for instance in traffic._instances.values())


def test_a_place_whose_key_is_no_key_is_passed_over() -> None:
    places: dict[str, Place | MmaiError] = {
        "http://one": AuthError("the key command failed"),
        "http://two": Place(lambda _: 0.1),
    }
    ends, traffic, _ = ask_all(places, [a_route("http://one"), a_route("http://two", "ollama:b")], requests=3)
    assert [end.error for end in ends] == [None] * 3
    assert under_way(traffic) == 0


def test_a_place_that_cannot_be_opened_counts_its_call_out() -> None:
    ends, traffic, _ = ask_all({"http://one": AuthError("no key")}, [a_route("http://one")], requests=3)
    assert {end.error.code if end.error else None for end in ends} == {"auth"}
    assert under_way(traffic) == 0


def test_nobody_stands_in_line_at_a_place_that_was_closed() -> None:
    silent, well = Place(lambda _: None), Place(lambda _: 1.0)
    impatient = Timeouts(first_token_s=30.0)
    routes = [a_route("http://one", timeouts=impatient), a_route("http://two", timeouts=impatient)]
    ends, _, took_s = ask_all({"http://one": silent, "http://two": well}, routes, requests=64, limit=1, patient=True)
    assert [end.error for end in ends] == [None] * 64
    assert len(silent.calls_at) <= 4
    assert took_s < 64 + 3 * 30


def test_whoever_was_told_to_wait_does_not_come_back_in_one_instant() -> None:
    def refuses(place: Place) -> float | MmaiError:
        if len(place.calls_at) <= 32:
            return RateLimited("slow down", status=429, retry_after_s=10.0)
        return 0.1

    place = Place(refuses)
    ask_all({"http://one": place}, [a_route("http://one")], requests=32)
    back = Counter(round(moment, 1) for moment in place.calls_at[32:])
    assert max(back.values()) <= 12, back


def test_a_server_that_dies_late_does_not_get_a_second_call_for_each_one_it_had_answered() -> None:
    def dies(place: Place) -> float | MmaiError:
        return 0.01 if place.answered < 3000 else CannotConnect("refused")

    place = Place(dies)
    ask_all({"http://one": place}, [a_route("http://one")], requests=3300)
    asked_of_the_dead = len(place.calls_at) - place.answered
    assert asked_of_the_dead <= 300 * 1.25


def test_a_place_that_is_down_is_called_a_few_times_a_minute_while_another_is_well() -> None:
    dead, well = Place(lambda _: CannotConnect("refused")), Place(lambda _: 0.1)
    routes = [a_route("http://one"), a_route("http://two", "ollama:b")]
    ends, _, _ = ask_all({"http://one": dead, "http://two": well}, routes, requests=1200, every_s=0.05)
    assert [end.error for end in ends] == [None] * 1200
    assert len(dead.calls_at) <= 6, len(dead.calls_at)


def test_a_place_that_returns_is_called_again_and_not_by_all_at_once() -> None:
    began: list[float] = []

    def returns(place: Place) -> float | MmaiError:
        began.append(place.calls_at[-1])
        return CannotConnect("refused") if place.calls_at[-1] - began[0] < 20 else 0.1

    back, well = Place(returns), Place(lambda _: 0.1)
    routes = [a_route("http://one"), a_route("http://two")]
    ends, _, _ = ask_all({"http://one": back, "http://two": well}, routes, requests=3000, every_s=0.05)
    assert [end.error for end in ends] == [None] * 3000
    assert back.answered > 600, back.answered
    moments = [moment for moment in back.calls_at if moment - back.calls_at[0] >= 20]
    first = sum(1 for moment in moments if moment < moments[0] + 5)
    assert first < 40


@pytest.mark.parametrize("limit", [None, 4])
def test_whoever_waits_for_one_that_tries_it_out_goes_on_when_that_one_left(limit: int | None) -> None:
    place = Place(lambda place: CannotConnect("refused") if len(place.calls_at) < 9 else 0.1)
    ends, traffic, _ = ask_all({"http://one": place}, [a_route("http://one")], requests=40, patient=True, limit=limit)
    assert sum(end.error is None for end in ends) >= 30
    assert under_way(traffic) == 0


def test_a_row_of_many_waits_as_long_as_a_provider_asks_while_there_is_time() -> None:
    place = Place(lambda place: RateLimited("slow down", status=429, retry_after_s=90.0) if len(place.calls_at) <= 4 else 0.1)
    ends, _, took_s = ask_all({"http://one": place}, [a_route("http://one")], requests=8, patient=True, limit=4)
    assert [end.error for end in ends] == [None] * 8
    assert 90 <= took_s < 240


def test_a_provider_that_limits_a_row_for_a_night_ends_nothing() -> None:
    place = Place(lambda place: RateLimited("slow down", status=429) if len(place.calls_at) <= 1100 else 0.1)
    ends, _, _ = ask_all({"http://one": place}, [a_route("http://one")], requests=1, patient=True, limit=1)
    assert ends[0].error is None
