from itertools import pairwise

from builders import a_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.pareto import pareto
from mmai.values.decision import Candidate

Point = tuple[float | None, float | None]
points = st.lists(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)), max_size=12)


def front_of(offered: list[Point]) -> list[Point]:
    """(cost, quality) of what is on the front."""
    front = pareto(Candidate(card=a_card(), cost_usd=cost, expected_quality=quality) for cost, quality in offered)
    return [(each.cost_usd, each.expected_quality) for each in front]


def beats(one: Point, other: Point) -> bool:
    return one != other and (one[0] or 0) <= (other[0] or 0) and (one[1] or 0) >= (other[1] or 0)


@given(points)
def test_nothing_on_the_front_is_beaten_and_everything_else_is(offered: list[Point]) -> None:
    front = front_of(offered)
    known = [point for point in offered if None not in point]
    assert not any(beats(each, other) for each in known for other in front)
    assert all(each in front or any(beats(other, each) for other in front) for each in known)


@given(points)
def test_the_front_goes_from_cheap_to_good(offered: list[Point]) -> None:
    front = [(cost or 0.0, quality or 0.0) for cost, quality in front_of(offered)]
    for (cheap, plain), (dear, good) in pairwise(front):
        assert cheap < dear
        assert plain < good


def test_what_is_not_known_has_no_place_on_it() -> None:
    assert front_of([(0.0, None), (None, 0.5)]) == []
