"""Which of several places gets the next call."""

import random
from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_simulation import Server, Simulation

from mmai.engine.balance import FLOOR, Instance, pick
from mmai.values.traffic import Strategy


def instances(*latencies_ms: float | None, now: float = 0.0) -> list[Instance]:
    made = [Instance(f"place {number}") for number in range(len(latencies_ms))]
    for each, latency_ms in zip(made, latencies_ms, strict=True):
        if latency_ms is not None:
            each.observe(latency_ms, now)
    return made


def shares(
    places: list[Instance], strategy: Strategy = Strategy.ADAPTIVE, *, now: float = 0.0, region: str | None = None
) -> list[float]:
    """How often each is picked of 4,000 times, while nothing changes."""
    rng, turns = random.Random(5), count()
    picked = Counter(
        pick(places, strategy=strategy, now=now, rng=rng, turn=lambda: next(turns), region=region) for _ in range(4000)
    )
    return [picked[index] / 4000 for index in range(len(places))]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_places_that_are_alike_get_alike(strategy: Strategy) -> None:
    assert all(0.21 < share < 0.29 for share in shares(instances(100, 100, 100, 100), strategy))


@pytest.mark.parametrize("strategy", list(Strategy))
def test_one_place_needs_no_choice(strategy: Strategy) -> None:
    assert shares(instances(None), strategy) == [1.0]


def test_turns_go_round_in_one_order_whatever_the_order_they_are_named_in() -> None:
    places = instances(None, None, None)
    turned = [places[2], places[0], places[1]]
    turns = count()
    told = [
        turned[pick(turned, strategy=Strategy.ROUND_ROBIN, now=0, rng=random, turn=lambda: next(turns))].key for _ in range(6)
    ]
    assert told == ["place 0", "place 1", "place 2"] * 2


def test_the_least_loaded_is_the_one_with_the_fewest_calls_from_here_and_elsewhere() -> None:
    places = instances(None, None, None)
    places[0].in_flight, places[1].elsewhere = 1, 3
    assert shares(places, Strategy.LEAST_LOADED) == [0, 0, 1]


def test_the_slower_place_gets_less_and_never_nothing() -> None:
    for strategy in (Strategy.ADAPTIVE, Strategy.PERFORMANCE_WEIGHTED, Strategy.COST_OPTIMISED):
        fast, slow = shares(instances(100, 1000), strategy)
        assert slow >= FLOOR / 4
        assert fast > 0.8


def test_a_place_never_called_counts_as_the_others_do() -> None:
    assert 0.25 < shares(instances(100, 100, None))[2] < 0.42


def test_a_peak_counts_at_once_and_fades() -> None:
    place = Instance("one")
    place.observe(100, 0)
    place.observe(900, 0)
    assert place.peak_ms(0, 0) == 900
    place.observe(100, 30)
    assert place.peak_ms(30, 0) == pytest.approx(100 + 800 / 2.718, rel=0.01)
    assert place.peak_ms(90, 0) == pytest.approx(place.peak_ms(30, 0) * 0.135, rel=0.01)


def test_quick_failures_do_not_attract() -> None:
    places = instances(100, 100)
    for _ in range(5):
        places[0].failed(0)
    assert shares(places)[0] < 0.1
    assert 0.4 < shares(places, now=300)[0] < 0.6


def test_a_place_that_came_back_gets_its_share_little_by_little() -> None:
    places = instances(100, 100, now=1000)
    places[0].recovered_at = 1000
    places[1].in_flight = 3
    assert shares(places, now=1001)[0] < 0.1
    assert shares(places, now=1025)[0] > 0.9


def test_near_places_come_first_until_they_are_busy() -> None:
    places = instances(50, 50, 20)
    places[0].region = places[1].region = "eu"
    assert shares(places, Strategy.GEOGRAPHIC, region="eu")[2] == 0
    assert shares(places, Strategy.GEOGRAPHIC)[2] == 1  # Without a region, whoever answers soonest is near.
    places[0].in_flight = places[1].in_flight = 10
    assert shares(places, Strategy.GEOGRAPHIC, region="eu")[2] > 0.9


def test_the_cheaper_place_is_preferred_while_it_is_good_enough() -> None:
    places = instances(100, 100, 100)
    places[0].cost, places[1].cost = 0.001, 0.002
    cheap, dear, unknown = shares(places, Strategy.COST_OPTIMISED)
    assert cheap > 2.5 * dear
    assert unknown == pytest.approx(dear, abs=0.05)
    places[0].in_flight = 8
    assert shares(places, Strategy.COST_OPTIMISED)[0] < 0.05


@given(
    states=st.lists(
        st.tuples(st.none() | st.floats(0.001, 1e6), st.integers(0, 50), st.integers(0, 50), st.none() | st.floats(0, 1)),
        min_size=1,
        max_size=30,
    ),
    strategy=st.sampled_from(list(Strategy)),
    now=st.floats(0, 1e5),
    seed=st.integers(0, 99),
)
def test_whatever_the_figures_somebody_is_picked(
    states: list[tuple[float | None, int, int, float | None]], strategy: Strategy, now: float, seed: int
) -> None:
    places = instances(*(latency_ms for latency_ms, *_ in states))
    for place, (_, in_flight, elsewhere, cost) in zip(places, states, strict=True):
        place.in_flight, place.elsewhere, place.cost = in_flight, elsewhere, cost
        place.recovered_at = now if place.in_flight % 7 == 0 else None
    rng = random.Random(seed)
    assert 0 <= pick(places, strategy=strategy, now=now, rng=rng, turn=lambda: 3, region="eu") < len(places)


@given(latency_ms=st.floats(1, 1e4), more=st.floats(1.0, 10.0))
def test_a_slower_place_never_gets_more(latency_ms: float, more: float) -> None:
    before = shares(instances(latency_ms, 100.0, 100.0))[0]
    after = shares(instances(latency_ms * more, 100.0, 100.0))[0]
    assert after <= before + 0.03


@pytest.mark.parametrize("processes", [1, 4])
@pytest.mark.parametrize(
    "hurt",
    [Server(service_s=2.0), Server(down_at=0.0), Server(down_at=20.0, up_at=40.0)],
    ids=["ten times slower", "down", "down for a while"],
)
def test_nearly_everything_is_answered_in_time_while_one_of_three_is_hurt(hurt: Server, processes: int) -> None:
    servers = [Server(**{**hurt.__dict__, "line": type(hurt.line)()}), Server(), Server()]
    outcome = Simulation(servers, strategy=Strategy.ADAPTIVE, rate=36.0, processes=processes).run(80.0)
    assert outcome.goodput >= 0.95
    assert outcome.burst() <= 20  # 3.6 arrive in that time; a herd of all that are under way would be 30 and more


def test_hundreds_of_clients_do_not_fall_upon_whoever_comes_back() -> None:
    servers = [Server(width=200, down_at=0.0, up_at=30.0), Server(width=200), Server(width=200)]
    outcome = Simulation(servers, strategy=Strategy.ADAPTIVE, rate=1500.0).run(60.0)
    back = [moment for moment in outcome.sent[0] if moment >= 30.0]
    first, later = [moment for moment in back if moment < back[0] + 5], [moment for moment in back if moment > 55]
    assert outcome.goodput >= 0.95
    assert len(first) / 5 < 0.5 * len(later) / 5
