"""Outcomes add up by model and task, fade with age, and can be taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.registry.outcomes import add, observed, reset, take_back
from mmai.values.outcome import HALF_LIFE_S, Outcome
from mmai.values.registry import Registry
from mmai.values.task import TaskType

NOW = 1_800_000_000.0


def an_outcome(value: float = 1.0, **fields: Any) -> Outcome:
    defaults: dict[str, Any] = {"model": "ollama:a", "task": TaskType.MATH, "weight": 1.0, "signal": "rating", "at": NOW}
    return Outcome(value=value, **(defaults | fields))


def after(*outcomes: Outcome) -> Registry:
    registry = Registry()
    for outcome in outcomes:
        registry = add(registry, outcome)
    return registry


OUTCOMES = st.builds(
    an_outcome,
    st.floats(0, 1),
    model=st.sampled_from(["ollama:a", "ollama:b"]),
    task=st.sampled_from([TaskType.MATH, TaskType.TRANSLATION]),
    weight=st.floats(0.1, 10),
    signal=st.sampled_from(["rating", "bench"]),
    at=st.floats(NOW - HALF_LIFE_S * 4, NOW),
)


def test_nothing_is_observed_before_the_first_outcome() -> None:
    assert observed(Registry(), now=NOW) == {}


def test_the_mean_is_weighted() -> None:
    seen = observed(after(an_outcome(1.0), an_outcome(0.0, weight=3.0, signal="abtest")), now=NOW)["ollama:a"]["math"]
    assert (seen.weight, seen.mean) == (4.0, 0.25)


def test_models_and_tasks_are_kept_apart() -> None:
    seen = observed(after(an_outcome(), an_outcome(task=TaskType.TRANSLATION), an_outcome(0.0, model="ollama:b")), now=NOW)
    assert {(ref, task, tally.mean) for ref, tasks in seen.items() for task, tally in tasks.items()} == {
        ("ollama:a", "math", 1.0),
        ("ollama:a", "translation", 1.0),
        ("ollama:b", "math", 0.0),
    }


def test_an_outcome_counts_half_after_a_half_life() -> None:
    registry = after(an_outcome())
    assert observed(registry, now=NOW + HALF_LIFE_S)["ollama:a"]["math"].weight == pytest.approx(0.5)
    newer = add(registry, an_outcome(0.0, at=NOW + HALF_LIFE_S))
    assert observed(newer, now=NOW + HALF_LIFE_S)["ollama:a"]["math"].mean == pytest.approx(1 / 3)


def test_a_clock_that_was_set_back_makes_nothing_weigh_more() -> None:
    assert observed(after(an_outcome()), now=NOW - HALF_LIFE_S)["ollama:a"]["math"].weight == 1.0


def test_signals_are_counted() -> None:
    registry = after(an_outcome(), an_outcome(), an_outcome(signal="bench"))
    assert registry.outcomes["ollama:a"]["math"].counts == {"rating": 2, "bench": 1}


@given(st.lists(OUTCOMES, max_size=6), OUTCOMES)
def test_taking_back_undoes_adding(before: list[Outcome], outcome: Outcome) -> None:
    registry = after(*before)
    undone = take_back(add(registry, outcome), outcome)
    assert {ref: set(tasks) for ref, tasks in undone.outcomes.items()} == {
        ref: set(tasks) for ref, tasks in registry.outcomes.items()
    }
    for ref, tasks in observed(registry, now=NOW).items():
        for task, seen in tasks.items():
            again = observed(undone, now=NOW)[ref][task]
            assert (again.weight, again.mean) == pytest.approx((seen.weight, seen.mean), rel=1e-6, abs=1e-6)
            assert undone.outcomes[ref][task].counts == registry.outcomes[ref][task].counts


@given(st.permutations([an_outcome(0.2, at=NOW - 9e6), an_outcome(0.9, at=NOW), an_outcome(0.5, at=NOW - 1e6)]))
def test_the_order_of_outcomes_does_not_matter(outcomes: list[Outcome]) -> None:
    seen = observed(after(*outcomes), now=NOW)["ollama:a"]["math"]
    sorted_seen = observed(after(*sorted(outcomes, key=lambda each: each.at)), now=NOW)["ollama:a"]["math"]
    assert (seen.weight, seen.mean) == pytest.approx((sorted_seen.weight, sorted_seen.mean))


@given(st.lists(OUTCOMES, max_size=6))
def test_means_stay_among_the_values(outcomes: list[Outcome]) -> None:
    for tasks in observed(after(*outcomes), now=NOW).values():
        assert all(-1e-9 <= seen.mean <= 1 + 1e-9 for seen in tasks.values())


def test_what_is_not_there_cannot_be_taken_back() -> None:
    registry = after(an_outcome(signal="bench"))
    assert take_back(registry, an_outcome()) is registry
    assert take_back(Registry(), an_outcome()) == Registry()


def test_a_reset_forgets_all_and_what_was_forgotten_is_not_taken_back() -> None:
    early = an_outcome(at=NOW - 60)
    registry = add(reset(after(early), now=NOW - 30), an_outcome(0.0, at=NOW))
    assert registry.learning_since == NOW - 30
    assert observed(take_back(registry, early), now=NOW)["ollama:a"]["math"].mean == 0.0
