from collections import Counter
from random import Random

from builders import a_card, a_cloud_card, a_profile, a_request, an_analysis, an_embedded_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.decide import Choices
from mmai.selection.explore import explore
from mmai.values.decision import Decision, Weights
from mmai.values.model import ModelCard
from mmai.values.outcome import Observed
from mmai.values.task import TaskType

QUALITY_ALONE = Weights(performance=0, cost=0, reliability=0, capability=1)


def outcomes(mean: float, weight: float) -> dict[str, Observed]:
    return {TaskType.QUESTION_ANSWERING: Observed(weight=weight, mean=mean)}


def drawn(
    cards: list[ModelCard], observed: dict[str, dict[str, Observed]] | None = None, *, seed: int, budget_usd: float = 0.001
) -> Decision:
    choices = Choices(cards, observed=observed or {}, profiles={"ollama:a": a_profile(runs=0), "ollama:b": a_profile(runs=0)})
    decision = choices.decide(a_request(), analysis=an_analysis(), weights=QUALITY_ALONE)
    return explore(decision, choices.roster, rng=Random(seed), budget_usd=budget_usd)


A, B = a_card("ollama:a"), a_card("ollama:b")


def test_two_models_of_which_little_is_known_take_turns() -> None:
    names = Counter(drawn([A, B], seed=seed).ranked[0].card.name for seed in range(200))
    assert min(names.values()) > 50


def test_a_model_that_is_surely_worse_is_hardly_ever_tried() -> None:
    known = {"ollama:a": outcomes(0.9, 500), "ollama:b": outcomes(0.3, 500)}
    assert not any(drawn([A, B], known, seed=seed).explored for seed in range(200))


def test_a_model_that_failed_once_is_tried_again() -> None:
    known = {"ollama:a": outcomes(0.6, 5), "ollama:b": outcomes(0.0, 1)}
    assert any(drawn([A, B], known, seed=seed).explored for seed in range(200))


@given(st.integers(0, 10_000))
def test_exploring_changes_who_is_first_and_nothing_else(seed: int) -> None:
    plain = Choices([A, B], profiles={}).decide(a_request(), analysis=an_analysis(), weights=QUALITY_ALONE)
    decision = explore(plain, Choices([A, B]).roster, rng=Random(seed), budget_usd=0.0)
    assert decision.explored == (decision.ranked[0] != plain.ranked[0])
    assert sorted(decision.ranked, key=str) == sorted(plain.ranked, key=str)


def test_it_may_cost_no_more_than_the_budget_above_the_best() -> None:
    dear, unpriced = a_cloud_card("openai:dear", usd_per_mtok=10.0), a_cloud_card("openai:unpriced", usd_per_mtok=None)
    known = {"ollama:a": outcomes(0.95, 500)} | dict.fromkeys(("openai:dear", "openai:unpriced"), outcomes(0.9, 1))

    def tried(budget_usd: float) -> set[str]:
        decisions = (drawn([A, dear, unpriced], known, seed=seed, budget_usd=budget_usd) for seed in range(200))
        return {decision.ranked[0].card.name for decision in decisions}

    assert tried(0.001) == {"a"}
    assert tried(1.0) == {"a", "dear"}


def test_an_embedded_model_and_one_that_retires_are_never_explored_to() -> None:
    cards = [A, a_card("ollama:b", deprecated="2030-01-01"), an_embedded_card(tasks=(TaskType.QUESTION_ANSWERING,))]
    assert {drawn(cards, seed=seed).ranked[0].card.name for seed in range(200)} == {"a"}
