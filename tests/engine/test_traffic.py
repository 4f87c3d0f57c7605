"""Whom the next call goes to: first choices before others, none that is left alone, and what processes tell each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_card

from mmai.engine.session import Route
from mmai.engine.traffic import Traffic, keys
from mmai.errors import CannotConnect, MmaiError
from mmai.telemetry.history import History
from mmai.values.endpoint import Endpoint
from mmai.values.traffic import FailureKind, Strategy


class Moments:
    """Clocks a test moves."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def a_route(name: str = "ollama:a", host: str = "one", credential: int = 0) -> Route:
    return Route(a_card(name), Endpoint(provider="ollama", kind="ollama", url=f"http://{host}", credential=credential))


A, A_TWO, B = a_route(), a_route(host="two"), a_route("ollama:b", host="three")


@pytest.fixture
def clock() -> Moments:
    return Moments()


@pytest.fixture
def histories(tmp_path: Path) -> Iterator[list[History]]:
    """Two processes' views of one database."""
    opened = [History(tmp_path / "history.db", warn=pytest.fail) for _ in range(2)]
    yield opened
    for history in opened:
        history.close()


def traffic(clock: Moments, board: History | None = None, *routes: Route, strategy: Strategy = Strategy.ADAPTIVE) -> Traffic:
    one = Traffic(board, clock=clock, strategy=strategy)  # type: ignore[arg-type]  # a clock with both its hands
    one.open(routes or (A, A_TWO, B))
    return one


def call(one: Traffic, route: Route, kind: FailureKind | None = None, error: MmaiError | None = None) -> None:
    one.begin(route)
    one.end(route, kind, error=error, ttft_ms=10.0)


def fail(one: Traffic, route: Route) -> None:
    for _ in range(2):
        call(one, route, FailureKind.CONNECT, CannotConnect("refused"))


def test_the_first_model_is_called_while_any_of_its_places_may_be(clock: Moments) -> None:
    one = traffic(clock)
    assert {one.next((A, A_TWO, B)).endpoint.url for _ in range(50)} == {"http://one", "http://two"}
    fail(one, A)
    assert [one.next((A, A_TWO, B)) for _ in range(9)] == [A_TWO] * 9
    fail(one, A_TWO)
    assert one.next((A, A_TWO, B)) is B


def test_the_last_way_out_is_never_closed(clock: Moments) -> None:
    one = traffic(clock)
    for route in (A, A_TWO, B):
        fail(one, route)
    assert one.next((A, A_TWO, B)) is A
    assert one.next((B,)) is B


def test_one_call_alone_tries_a_place_out(clock: Moments) -> None:
    one = traffic(clock)
    fail(one, A)
    clock.at += 7
    assert one.next((A, B)) is A
    assert one.next((A, B)) is B
    call(one, A)
    assert one.next((A, B)) is A
    assert one.next((A, B)) is A


def test_one_process_alone_tries_a_place_out(clock: Moments, histories: list[History]) -> None:
    first, second = (traffic(clock, history) for history in histories)
    fail(first, A)
    late = traffic(clock, histories[1])
    assert late.next((A, B)) is B
    clock.at += 7
    assert late.next((A, B)) is A
    assert first.next((A, B)) is B
    assert second.next((A, B)) is A  # It looked before anything failed.


def test_whoever_was_killed_while_trying_keeps_nobody_away(clock: Moments, histories: list[History]) -> None:
    first, second = (traffic(clock, history) for history in histories)
    fail(first, A)
    second = traffic(clock, histories[1])
    clock.at += 7
    assert second.next((A, B)) is A
    clock.at += 31
    assert first.next((A, B)) is A


def test_what_failed_is_known_to_the_next_process_until_it_answers(clock: Moments, histories: list[History]) -> None:
    fail(traffic(clock, histories[0]), A)
    later = traffic(clock, histories[1])
    reason, for_s = later.closed(A)
    assert (reason, 3.9 < for_s < 6.1) == ("refused", True)
    clock.at += 7
    call(later, later.next((A, B)))
    assert traffic(clock, histories[0]).next((A, B)) is A


def test_a_server_that_is_down_is_down_for_each_of_its_models(clock: Moments) -> None:
    other_model = a_route("ollama:c")
    one = traffic(clock, None, A, other_model, B)
    fail(one, A)
    assert one.next((other_model, B)) is B


def test_a_refused_key_closes_that_key_alone(clock: Moments) -> None:
    first, second = a_route(credential=0), a_route(credential=1)
    one = traffic(clock, None, first, second, B)
    call(one, first, FailureKind.AUTH)
    assert [one.next((first, second)) for _ in range(9)] == [second] * 9


def test_a_call_that_was_given_up_says_nothing_of_the_place(clock: Moments) -> None:
    one = traffic(clock)
    fail(one, A)
    clock.at += 7
    assert one.next((A, B)) is A
    one.begin(A)
    one.dropped(A)
    assert one.next((A, B)) is A


def test_calls_under_way_elsewhere_count(clock: Moments, histories: list[History], monkeypatch: pytest.MonkeyPatch) -> None:
    first = traffic(clock, histories[0], strategy=Strategy.LEAST_LOADED)
    for _ in range(3):
        first.next((A, A_TWO))
        first.begin(A)
        clock.at += 0.2
    first.next((A, A_TWO))
    first.begin(A)
    monkeypatch.setattr("mmai.telemetry.traffic.os.getpid", lambda: 1)  # the other process; 1 is always alive
    second = traffic(clock, histories[1], strategy=Strategy.LEAST_LOADED)
    assert [second.next((A, A_TWO)) for _ in range(20)] == [A_TWO] * 20


def test_turns_are_taken_across_processes(clock: Moments, histories: list[History]) -> None:
    both = [traffic(clock, history, strategy=Strategy.ROUND_ROBIN) for history in histories]
    taken = [both[number % 2].next((A, A_TWO)).endpoint.url for number in range(6)]
    assert taken[::2] == [taken[0]] * 3
    assert taken[1::2] == [taken[1]] * 3
    assert taken[0] != taken[1]


def test_it_says_when_somebody_may_be_called_again(clock: Moments) -> None:
    one = traffic(clock)
    assert one.opens_at((A, B)) is None
    fail(one, A)
    assert one.opens_at((A, B)) is None
    fail(one, B)
    assert one.opens_at((A, B)) == pytest.approx(clock.at + 5, abs=1.1)


def test_a_route_has_three_keys() -> None:
    assert keys(A) == ("ollama@http://one", "ollama@http://one#0", "ollama@http://one#0 a")


def test_a_place_that_could_be_tried_out_and_was_not_stays_one_to_try(clock: Moments) -> None:
    one = traffic(clock)
    for route in (A, A_TWO):
        fail(one, route)
    clock.at += 7
    first, second = one.next((A, A_TWO, B)), one.next((A, A_TWO, B))
    assert {first.endpoint.url, second.endpoint.url} == {"http://one", "http://two"}
    assert one.next((A, A_TWO, B)) is B
    call(one, first)
    assert one.next((A, A_TWO, B)) is first
