"""Runs that nobody rated move a model only as far as complaints and silence tell."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raters import Choose, House, by_posterior, by_prior, exploring, regret

from mmai.selection.quality import posterior
from mmai.selection.silence import HEAVIEST, PLAIN, WITH_SCHEMA, soft
from mmai.values.decision import Prior
from mmai.values.outcome import ANY_TASK, Judged


def a_prior(level: float) -> Prior:
    return Prior(by_task={"math": level, "translation": level}, strength=5.0, basis="size", source="")


def judged(model: str, runs: float, complaints: float, *, task: str = "math", with_schema: bool = False) -> Judged:
    return Judged(model=model, task=task, with_schema=with_schema, runs=runs, complaints=complaints)


def believed(*runs: Judged, **levels: float) -> dict[str, float]:
    priors = {name: a_prior(level) for name, level in levels.items()}
    seen = soft(runs, priors)
    return {name: posterior(prior, seen.get(name, {}), "math").mean for name, prior in priors.items()}


@given(st.floats(1, 5000), st.floats(0.05, 0.95), st.booleans())
def test_a_model_that_is_as_good_as_expected_is_not_moved_however_much_it_is_used(
    runs: float, level: float, with_schema: bool
) -> None:
    likelihood = WITH_SCHEMA if with_schema else PLAIN
    as_expected = judged("a", runs, runs * likelihood.complaints(level), with_schema=with_schema)
    assert believed(as_expected, a=level)["a"] == pytest.approx(level)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_somebodys_habit_moves_no_model_far(share: float) -> None:
    runs = [judged("a", 900, 900 * share), judged("b", 100, 100 * share)]
    assert believed(*runs, a=0.7, b=0.7, unused=0.7) == pytest.approx({"a": 0.7, "b": 0.7, "unused": 0.7}, abs=0.05)


def test_more_complaints_than_of_others_lower_a_model() -> None:
    after = believed(judged("a", 50, 12), judged("b", 50, 2), a=0.7, b=0.7)
    assert after["a"] < 0.62
    assert after["b"] > 0.7


def test_one_complaint_counts_less_than_a_bad_rating_and_more_than_a_silent_run() -> None:
    complained = 0.7 - believed(judged("a", 1, 1), a=0.7)["a"]
    silent = believed(judged("a", 1, 0), a=0.7)["a"] - 0.7
    rated = 0.7 - 5 * 0.7 / 6
    assert 0 < silent < complained < rated


def test_a_schema_that_was_kept_tells_more_than_silence() -> None:
    kept = believed(judged("a", 10, 0, with_schema=True), a=0.7)["a"]
    assert kept > believed(judged("a", 10, 0), a=0.7)["a"] > 0.7


def test_no_number_of_runs_weighs_more_than_some_ratings() -> None:
    assert soft([judged("a", 100_000, 9000)], {"a": a_prior(0.7)})["a"]["math"].weight == HEAVIEST


def test_runs_of_work_nobody_named_are_held_to_the_model_as_a_whole() -> None:
    runs = judged("a", 60, 60 * PLAIN.complaints(0.7), task=ANY_TASK)
    assert soft([runs], {"a": a_prior(0.7)})["a"][ANY_TASK].mean == pytest.approx(0.7)


def test_a_model_that_is_gone_is_left_out() -> None:
    assert soft([judged("gone", 9, 3)], {}) == {}


ROUNDS = 600
HOUSES = [House(seed, rated=0.3) for seed in range(6)]


def total(choose: Choose, **changes: Any) -> float:
    """Regret of all houses together, in answers."""
    return sum(regret(replace(house, **changes), choose, rounds=ROUNDS)[-1] for house in HOUSES)


def test_learning_lowers_regret_where_priors_are_off() -> None:
    fixed = total(by_prior)
    assert total(by_posterior) < 0.85 * fixed
    assert total(exploring(0.05)) < 0.85 * fixed


def test_late_rounds_lose_less_than_early_ones() -> None:
    losses = [regret(house, by_posterior, rounds=ROUNDS) for house in HOUSES]
    early = sum(lost[ROUNDS // 2 - 1] for lost in losses)
    assert sum(lost[-1] for lost in losses) - early < 0.85 * early


def test_where_outcomes_tell_nothing_new_next_to_nothing_is_lost() -> None:
    answers = ROUNDS * len(HOUSES)
    assert total(by_posterior, alike=True) == 0
    assert total(by_posterior, off=0.0, rated=0.0, complaints=lambda _: 0.0) < 0.01 * answers
    assert total(by_posterior, off=0.0) < 0.03 * answers
