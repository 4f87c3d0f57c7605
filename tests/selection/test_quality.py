"""What is thought of a model after outcomes, and how sure that is."""

import pytest
from builders import an_analysis
from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.beta import mass_below, quantile
from mmai.selection.quality import SHARED, Belief, expected, interval, posterior, quality
from mmai.values.decision import Prior
from mmai.values.outcome import ANY_TASK, Observed
from mmai.values.task import TaskType

PRIOR = Prior(by_task={"math": 0.6, "translation": 0.4}, strength=5.0, basis="size", source="its number of parameters")
UNIT = st.floats(0, 1)
WEIGHTS = st.floats(0.01, 1000)


def seen(weight: float, mean: float) -> Observed:
    return Observed(weight=weight, mean=mean)


def test_without_outcomes_the_prior_is_believed() -> None:
    belief = posterior(PRIOR, {}, "math")
    assert (belief.mean, belief.strength) == pytest.approx((0.6, 5.0))


@given(WEIGHTS, UNIT)
def test_outcomes_at_one_task_count_against_the_prior_by_their_weight(weight: float, mean: float) -> None:
    belief = posterior(PRIOR, {"math": seen(weight, mean)}, "math")
    assert belief.mean == pytest.approx((5 * 0.6 + weight * mean) / (5 + weight))
    assert belief.strength == pytest.approx(5 + weight)


@given(WEIGHTS, UNIT)
def test_another_task_moves_by_what_they_share(weight: float, mean: float) -> None:
    observed = {"math": seen(weight, mean)}
    moved = posterior(PRIOR, observed, "math").mean - 0.6
    assert posterior(PRIOR, observed, "translation").mean - 0.4 == pytest.approx(SHARED * moved, abs=1e-9)


def test_work_nobody_named_counts_for_every_task_alike() -> None:
    observed = {ANY_TASK: seen(10.0, 1.0)}
    shifts = [posterior(PRIOR, observed, task).mean - PRIOR.by_task[task] for task in ("math", "translation")]
    assert shifts[0] == pytest.approx(shifts[1])
    assert shifts[0] > 0


@given(st.dictionaries(st.sampled_from(["math", "translation", ANY_TASK]), st.builds(seen, WEIGHTS, st.floats(-3, 2))))
def test_no_outcomes_take_a_belief_out_of_its_range_or_make_it_less_sure(observed: dict[str, Observed]) -> None:
    for task in ("math", "translation", "conversation"):
        belief = posterior(PRIOR, observed, task)
        assert 0 <= belief.mean <= 1
        assert belief.strength >= 5.0 - 1e-9
        low, high = interval(belief)
        assert 0 <= low <= belief.mean <= high <= 1


@given(WEIGHTS, UNIT, UNIT)
def test_better_outcomes_never_lower_what_is_expected(weight: float, one: float, other: float) -> None:
    analysis = an_analysis(complexity=0.5, task_probabilities={"math": 0.7, "translation": 0.3})
    worse, better = (expected(PRIOR, {"math": seen(weight, mean)}, analysis) for mean in sorted((one, other)))
    assert worse <= better + 1e-12


def test_many_outcomes_overrule_the_prior() -> None:
    assert posterior(PRIOR, {"math": seen(500.0, 0.1)}, "math").mean == pytest.approx(0.105, abs=0.001)


def test_quality_says_what_it_rests_on() -> None:
    analysis = an_analysis(TaskType.MATH, complexity=0.5, task_probabilities={"math": 0.5, "translation": 0.5})
    told = quality(PRIOR, {"math": seen(5.0, 1.0)}, analysis)
    assert (told.prior, told.observations, told.basis, told.source) == (0.5, 2.5, "size", "its number of parameters")
    assert told.mean == pytest.approx(expected(PRIOR, {"math": seen(5.0, 1.0)}, analysis))
    assert told.low < told.mean < told.high


@given(UNIT)
def test_a_harder_prompt_is_never_expected_to_be_answered_better(complexity: float) -> None:
    observed = {"math": seen(5.0, 1.0)}
    harder, easier = (quality(PRIOR, observed, an_analysis(TaskType.MATH, complexity=c)) for c in (complexity, complexity / 2))
    assert harder.mean <= easier.mean
    assert 0 <= harder.low <= harder.mean <= harder.high <= 1
    assert harder.mean == pytest.approx(expected(PRIOR, observed, an_analysis(TaskType.MATH, complexity=complexity)))


def test_more_outcomes_make_the_interval_narrower() -> None:
    widths = []
    for weight in (0.0, 5.0, 50.0):
        low, high = interval(Belief(0.6, 5.0 + weight))
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


# All have closed forms; that of Beta(2, 3) is 6x² - 8x³ + 3x⁴.
@pytest.mark.parametrize(
    ("share", "a", "b", "x"),
    [
        (0.05, 1.0, 1.0, 0.05),
        (0.95, 1.0, 9.0, 1 - 0.05 ** (1 / 9)),
        (0.05, 4.0, 1.0, 0.05**0.25),
        (0.95, 0.5, 0.5, 0.9938441702975689),
        (0.5, 3.0, 3.0, 0.5),
        (0.05, 2.0, 3.0, 0.0976113),
        (0.95, 2.0, 3.0, 0.7513953),
    ],
)
def test_quantiles_are_the_known_ones(share: float, a: float, b: float, x: float) -> None:
    assert quantile(share, a, b) == pytest.approx(x, abs=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.5, 2000), st.floats(0.5, 2000))
def test_a_quantile_has_its_share_below(share: float, a: float, b: float) -> None:
    x = quantile(share, a, b)
    near = mass_below(max(x - 1e-6, 0.0), a, b), mass_below(min(x + 1e-6, 1.0), a, b)
    assert near[0] - 1e-9 <= share <= near[1] + 1e-9
