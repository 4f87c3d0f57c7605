"""What must not come of races, of clocks that jump, and of calls that never happen: places that nobody calls any more, or a herd."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.session import Route
from mmai.engine.traffic import Traffic
from mmai.telemetry.history import History
from mmai.values.endpoint import Endpoint
from mmai.values.traffic import FailureKind, Strategy


class Hands:
    """The wall clock and the steady one, each moved by the test."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 500.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_s(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def a_route(name: str = "ollama:a", host: str = "one") -> Route:
    return Route(a_card(name), Endpoint(provider="ollama", kind="ollama", url=f"http://{host}"))


ONE, TWO, THREE = (a_route(host=host) for host in ("one", "two", "three"))
OTHER_MODEL = a_route("ollama:b", host="four")


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def histories(tmp_path: Path) -> Iterator[list[History]]:
    """Two processes' views of one database."""
    opened = [History(tmp_path / "history.db", warn=pytest.fail) for _ in range(2)]
    yield opened
    for history in opened:
        history.close()


def traffic(clock: Hands, board: History | None = None, strategy: Strategy = Strategy.ADAPTIVE) -> Traffic:
    one = Traffic(board, clock=clock, strategy=strategy, rng=random.Random(4))  # type: ignore[arg-type]
    one.open((ONE, TWO, THREE, OTHER_MODEL))
    return one


def call(one: Traffic, route: Route, kind: FailureKind | None = None, *, wait_s: float | None = None) -> None:
    one.begin(route)
    one.end(route, kind, ttft_ms=100.0, wait_s=wait_s)


def fail(one: Traffic, *routes: Route, kind: FailureKind = FailureKind.SERVER) -> None:
    for route in routes:
        call(one, route, kind)
        call(one, route, kind)


def called(one: Traffic, clock: Hands, *routes: Route, times: int = 200) -> Counter[str | None]:
    """Which hosts get calls that answer, one every tenth of a second."""
    hosts: Counter[str | None] = Counter()
    for _ in range(times):
        route = one.next(routes)
        hosts[route.endpoint.url] += 1
        call(one, route)
        clock.pass_s(0.1)
    return hosts


def test_a_place_that_was_weighed_and_not_called_is_not_being_tried_out(clock: Hands) -> None:
    one = traffic(clock)
    fail(one, ONE)
    clock.pass_s(7)
    called(one, clock, ONE, TWO, THREE, times=1500)  # Until what failed there is forgotten.
    hosts = called(one, clock, ONE, TWO, THREE, times=900)
    assert hosts["http://one"] > 200, hosts


def test_all_that_come_back_are_called_again(clock: Hands) -> None:
    one = traffic(clock)
    fail(one, ONE, TWO)
    clock.pass_s(7)
    hosts = called(one, clock, ONE, TWO, times=900)
    assert min(hosts["http://one"], hosts["http://two"]) > 300, hosts


def test_weighing_a_place_keeps_no_other_process_from_it(clock: Hands, histories: list[History]) -> None:
    first = traffic(clock, histories[0])
    fail(first, ONE)
    clock.pass_s(7)
    second = traffic(clock, histories[1])
    while first.next((ONE, TWO)) is ONE:
        first = traffic(clock, histories[0])
    assert second.next((ONE, OTHER_MODEL)) is ONE


def test_a_key_that_is_still_closed_does_not_use_up_the_try_of_its_server(clock: Hands) -> None:
    one = traffic(clock)
    fail(one, ONE, kind=FailureKind.CONNECT)
    call(one, ONE, FailureKind.QUOTA, wait_s=60.0)
    clock.pass_s(7)
    assert one.next((ONE, OTHER_MODEL)) is OTHER_MODEL
    assert one.opens_at((ONE,)) == pytest.approx(clock.wall + 53)
    clock.pass_s(54)
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_a_try_that_was_never_made_is_made_by_another(clock: Hands) -> None:
    one = traffic(clock)
    fail(one, ONE)
    clock.pass_s(7)
    assert one.next((ONE, OTHER_MODEL)) is ONE  # And whoever asked is gone before the call.
    clock.pass_s(31)
    assert one.opens_at((ONE,)) is None
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_a_try_that_says_nothing_of_what_was_closed_leaves_it_to_the_next(clock: Hands, histories: list[History]) -> None:
    one = traffic(clock, histories[0])
    fail(one, ONE, kind=FailureKind.CONNECT)
    clock.pass_s(7)
    assert one.next((ONE, OTHER_MODEL)) is ONE
    one.begin(ONE)
    one.dropped(ONE)
    assert one.next((ONE, OTHER_MODEL)) is ONE
    call(one, ONE, FailureKind.INVALID)
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_an_answer_that_was_under_way_does_not_lift_a_limit(clock: Hands) -> None:
    one = traffic(clock)
    one.begin(ONE)
    clock.pass_s(1)
    call(one, ONE, FailureKind.RATE_LIMITED, wait_s=30.0)
    clock.pass_s(1)
    one.end(ONE, None, ttft_ms=100.0, took_s=2.0)
    assert one.next((ONE, OTHER_MODEL)) is OTHER_MODEL
    clock.pass_s(30)
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_an_answer_to_the_last_way_out_lifts_what_closed_it(clock: Hands) -> None:
    one = traffic(clock)
    call(one, ONE, FailureKind.QUOTA)
    clock.pass_s(1)
    one.begin(ONE)
    clock.pass_s(3)
    one.end(ONE, None, ttft_ms=100.0, took_s=3.0)
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_one_hiccup_after_it_came_back_does_not_close_it_again(clock: Hands) -> None:
    one = traffic(clock)
    for _ in range(12):
        call(one, ONE)
    for _ in range(14):
        call(one, ONE, FailureKind.SERVER)
    clock.pass_s(7)
    call(one, one.next((ONE, OTHER_MODEL)))
    call(one, ONE, FailureKind.SERVER)
    assert one.next((ONE, OTHER_MODEL)) is ONE


def test_calls_that_last_are_not_forgotten_by_other_processes(
    clock: Hands, histories: list[History], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = traffic(clock, histories[0], Strategy.LEAST_LOADED)
    first.next((ONE, TWO))
    for _ in range(5):
        first.begin(ONE)
    clock.pass_s(1)
    call(first, TWO)
    for _ in range(20):
        clock.pass_s(60)
        call(first, TWO)
    monkeypatch.setattr("mmai.telemetry.traffic.os.getpid", lambda: 1)  # the other process; 1 is always alive
    second = traffic(clock, histories[1], Strategy.LEAST_LOADED)
    assert [second.next((ONE, TWO)) for _ in range(9)] == [TWO] * 9


def test_what_another_process_closed_stays_closed_when_we_tell_of_a_small_failure(
    clock: Hands, histories: list[History]
) -> None:
    early, busy = traffic(clock, histories[0]), traffic(clock, histories[1])
    call(busy, ONE, FailureKind.QUOTA)
    clock.pass_s(1)
    call(early, ONE, FailureKind.SERVER)
    with early:
        pass
    assert traffic(clock, histories[1]).next((ONE, OTHER_MODEL)) is OTHER_MODEL


def test_a_place_that_answers_in_no_time_is_not_given_everything(clock: Hands) -> None:
    one = traffic(clock)
    for route in (ONE, TWO):
        one.begin(route)
        one.end(route, None, ttft_ms=0.0)
    for _ in range(20):
        one.begin(ONE)
    assert Counter(one.next((ONE, TWO)).endpoint.url for _ in range(200))["http://one"] < 20


@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_answer_in_no_time_breaks_no_strategy(clock: Hands, strategy: Strategy) -> None:
    one = traffic(clock, strategy=strategy)
    for route in (ONE, TWO):
        one.begin(route)
        one.end(route, None, ttft_ms=0.0)
    assert one.next((ONE, TWO)) in (ONE, TWO)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 50 * 365 * 86400.0])
def test_a_clock_that_is_set_closes_nothing_for_good(clock: Hands, jump_s: float) -> None:
    one = traffic(clock)
    fail(one, ONE)
    clock.wall += jump_s
    clock.pass_s(7)
    called(one, clock, ONE, TWO, times=1500)  # Until what failed there is forgotten.
    hosts = called(one, clock, ONE, TWO, times=900)
    assert hosts["http://one"] > 300, hosts


def test_a_server_that_is_down_for_days_does_not_break_the_breaker(clock: Hands) -> None:
    one = traffic(clock)
    fail(one, ONE)
    for _ in range(1100):
        clock.pass_s(150)
        assert one.next((ONE, OTHER_MODEL)) is ONE
        call(one, ONE, FailureKind.SERVER)
    assert one.opens_at((ONE,)) == pytest.approx(clock.wall + 120, abs=25)


def test_an_answer_lifts_what_a_provider_closed_for_other_processes_too(clock: Hands, histories: list[History]) -> None:
    one = traffic(clock, histories[0])
    call(one, ONE, FailureKind.QUOTA)
    clock.pass_s(1)
    call(one, ONE)
    assert traffic(clock, histories[1]).next((ONE, OTHER_MODEL)) is ONE


def test_routes_that_are_made_anew_for_each_request_are_not_kept_for_good(clock: Hands) -> None:
    """Looks inside: what grows by a little for each of many requests shows in no answer."""
    one = traffic(clock)
    for _ in range(10_000):
        route = a_route()
        one.open((route,))
        call(one, one.next((route,)))
    assert len(one._keys) < 5_000


def test_a_storm_of_failures_after_it_came_back_counts_from_the_return_on(clock: Hands) -> None:
    one = traffic(clock)
    for number in range(30):
        call(one, ONE, FailureKind.SERVER if number % 3 else None)
        if one.is_closed(ONE):
            break
    assert one.is_closed(ONE)
    clock.pass_s(7)
    call(one, one.next((ONE, OTHER_MODEL)))
    call(one, ONE, FailureKind.SERVER)
    assert not one.is_closed(ONE)


def test_a_near_place_that_was_slow_once_is_tried_again(clock: Hands) -> None:
    one = traffic(clock, strategy=Strategy.GEOGRAPHIC)
    one.begin(ONE)
    one.end(ONE, None, ttft_ms=10_000.0)
    call(one, TWO)
    hosts = called(one, clock, ONE, TWO, times=2500)
    assert hosts["http://one"] > 100, hosts


def test_what_is_far_is_not_buried_where_the_near_place_could_do_it(clock: Hands) -> None:
    one = traffic(clock, strategy=Strategy.GEOGRAPHIC)
    for route, ttft_ms in ((ONE, 100.0), (TWO, 600.0)):
        one.begin(route)
        one.end(route, None, ttft_ms=ttft_ms)
    for _ in range(60):
        one.begin(one.next((ONE, TWO)))
    assert 44 <= one._instance(ONE).in_flight <= 56  # As 600 to 100.


STEPS = st.one_of(
    st.tuples(st.just("ask"), st.booleans()),  # and begins the call, or leaves before
    st.tuples(st.just("end"), st.sampled_from([None, None, *FailureKind])),
    st.tuples(st.just("drop"), st.none()),
    st.tuples(st.just("pass"), st.floats(0, 200)),
    st.tuples(st.just("set the clock"), st.floats(-1e5, 1e5)),
)


@given(steps=st.lists(STEPS, max_size=60), strategy=st.sampled_from(list(Strategy)), seed=st.integers(0, 9))
def test_whatever_happened_every_place_is_open_again_after_five_minutes(
    steps: list[tuple[str, object]], strategy: Strategy, seed: int
) -> None:
    clock, routes = Hands(), (ONE, TWO, THREE)
    one = Traffic(None, clock=clock, strategy=strategy, rng=random.Random(seed))  # type: ignore[arg-type]
    one.open((*routes, OTHER_MODEL))
    out: list[Route] = []
    for what, how in steps:
        match what:
            case "ask":
                route = one.next(routes)
                assert route in routes
                if how:
                    one.begin(route)
                    out.append(route)
            case "end" if out:
                one.end(out.pop(0), how, ttft_ms=5.0, took_s=1.0, wait_s=3.0)  # type: ignore[arg-type]
            case "drop" if out:
                one.dropped(out.pop())
            case "pass":
                clock.pass_s(how)  # type: ignore[arg-type]
            case "set the clock":
                clock.wall += how  # type: ignore[operator]
    for route in out:
        one.dropped(route)
    clock.pass_s(300)
    assert [one.opens_at((route,)) for route in routes] == [None] * 3
    for route in routes:
        assert one.next((route, OTHER_MODEL)) is route


def test_whoever_can_wait_waits_while_another_process_tries_the_only_place_out(clock: Hands, histories: list[History]) -> None:
    first = traffic(clock, histories[0])
    fail(first, ONE)
    second = traffic(clock, histories[1])
    clock.pass_s(7)
    first.next((ONE,))
    first.begin(ONE)
    second.next((ONE,))
    assert second.opens_at((ONE,)) == clock.wall
    first.end(ONE, None, ttft_ms=5.0, took_s=1.0)
    clock.pass_s(1)
    assert second.opens_at((ONE,)) is None
    assert second.next((ONE, OTHER_MODEL)) is ONE


def test_late_failures_of_calls_from_before_do_not_lengthen_the_pause(clock: Hands) -> None:
    one = traffic(clock)
    for _ in range(6):
        one.begin(ONE)
    fail(one, ONE)
    for _ in range(6):
        clock.pass_s(7)
        one.end(ONE, FailureKind.CUT, took_s=50.0)
    assert one.next((ONE, OTHER_MODEL)) is ONE
    assert one._places[one._keys_of(ONE)[2]].openings == 1
