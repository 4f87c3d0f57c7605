"""The walk that ranks, against answers worked out by hand and by linear algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.graph import Bags, Vector, stationary


def walk(matrix: list[list[float]], restart: list[float], *, damping: float = 0.85) -> list[float]:
    columns = np.array(matrix)
    step = lambda scores: columns @ scores  # noqa: E731
    return list(stationary(step, np.array(restart), damping=damping))


def test_a_ring_gives_every_node_its_equal_share() -> None:
    assert walk([[0, 0, 1], [1, 0, 0], [0, 1, 0]], [1, 1, 1]) == pytest.approx([1 / 3] * 3)


def test_the_middle_of_a_star_with_two_leaves_gets_what_the_equations_say() -> None:
    # middle = 0.05 + 0.85 * both leaves, leaf = 0.05 + 0.85 * middle / 2
    middle = (0.05 + 0.85 * 0.1) / (1 - 0.85**2)
    leaf = 0.05 + 0.425 * middle
    assert walk([[0, 1, 1], [0.5, 0, 0], [0.5, 0, 0]], [1, 1, 1]) == pytest.approx([middle, leaf, leaf], abs=1e-5)


def test_a_node_without_edges_restarts() -> None:
    assert walk([[0, 0], [0, 0]], [3, 1]) == pytest.approx([0.75, 0.25])


def test_centrality_is_what_the_dense_graph_would_give() -> None:
    texts = [["a", "b", "c"], ["b", "c", "d"], ["c", "d", "d", "e"], ["f"], ["a", "e"]]
    bags = Bags(texts)
    restart = np.array([2.0, 1.0, 1.0, 1.0, 1.0])
    cosines = np.array([bags.likeness(i) for i in range(5)]) - np.eye(5)
    degree = cosines.sum(axis=0)
    columns = np.divide(cosines, degree, out=np.zeros((5, 5)), where=degree > 1e-9)
    home = restart / restart.sum()
    columns[:, degree <= 1e-9] = home[:, None]
    expected = np.linalg.solve(np.eye(5) - 0.85 * columns, 0.15 * home)
    assert bags.centrality(restart) == pytest.approx(expected, abs=1e-5)


def test_a_text_is_like_itself_and_unlike_one_that_shares_no_word() -> None:
    bags = Bags([["a", "b"], ["c"], ["a", "b"]])
    assert bags.likeness(0) == pytest.approx([1.0, 0.0, 1.0])


BAGS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=1, max_size=12)


@given(BAGS)
def test_centralities_are_probabilities(texts: list[list[str]]) -> None:
    scores: Vector = Bags(texts).centrality(np.ones(len(texts)))
    assert scores.sum() == pytest.approx(1.0)
    assert scores.min() >= 0.0


@given(BAGS)
def test_likeness_is_symmetric_and_bounded(texts: list[list[str]]) -> None:
    bags = Bags(texts)
    likeness = np.array([bags.likeness(i) for i in range(len(texts))])
    assert likeness == pytest.approx(likeness.T)
    assert likeness.min() >= 0.0
    assert likeness.max() <= 1.0 + 1e-9
