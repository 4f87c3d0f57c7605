"""Why a choice won, what would change it, and why another model is not it."""

from functools import partial

import pytest
from builders import a_card, a_cloud_card, a_profile, a_request, an_embedded_card
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mmai.errors import UsageError
from mmai.selection.counterfactuals import counterfactuals, round_below
from mmai.selection.decide import Choices
from mmai.selection.policies import POLICIES
from mmai.selection.verdict import why, why_not
from mmai.values.decision import Decision, PolicyName, Weights
from mmai.values.model import ModelCard
from mmai.values.request import Request
from mmai.values.task import Constraints

SMALL = a_card(
    "ollama:llama3.2:1b", parameter_count=1_000_000_000, profile=a_profile(ttft_ms=100, tokens_per_second=90, runs=50)
)
LARGE = a_card(
    "ollama:qwen3:32b", parameter_count=32_000_000_000, profile=a_profile(ttft_ms=900, tokens_per_second=12, runs=50)
)
HOSTED = a_cloud_card("openai:gpt-5", usd_per_mtok=10.0, profile=a_profile(ttft_ms=700, tokens_per_second=70, runs=50))
HARD = a_request("Prove that every finite integral domain is a field, step by step, and state each axiom used.")


def again(
    choices: Choices,
    request: Request,
    limits: Constraints,
    *,
    constraints: Constraints | None = None,
    policy: PolicyName | None = None,
    weights: Weights | None = None,
) -> Decision:
    limits = limits if constraints is None else constraints
    if policy is not None:
        limits, weights = replace(limits, policy=POLICIES[policy].within), POLICIES[policy].weights
    return choices.decide(request, constraints=limits, weights=weights or Weights(), policy=policy)


class Asked:
    """A decision among some models, and how to make it once more."""

    def __init__(self, *cards: ModelCard, request: Request = HARD, **limits: object) -> None:
        self.again = partial(again, Choices(cards), request, Constraints(**limits))  # type: ignore[arg-type]
        self.decision = self.again(policy=PolicyName.BALANCED) if not limits else self.again()

    @property
    def best(self) -> str:
        assert self.decision.choice is not None
        return str(self.decision.choice.card.ref)

    @property
    def changes(self) -> dict[str, str]:
        return {each.model: each.change for each in counterfactuals(self.decision, self.again)}


def test_what_would_change_a_choice_does_change_it() -> None:
    asked = Asked(SMALL, LARGE, HOSTED)
    assert asked.changes
    for model, change in asked.changes.items():
        assert model != asked.best
        flag, _, value = change.partition(" ")
        match flag:
            case "--policy":
                other = asked.again(policy=PolicyName(value))
            case "--max-cost":
                other = asked.again(constraints=Constraints(max_cost_usd=float(value)))
            case _:
                other = asked.again(constraints=Constraints(max_latency_ms=1_000 * float(value)))
        assert other.choice is not None
        assert str(other.choice.card.ref) == model


def test_a_limit_that_stands_in_the_way_is_named() -> None:
    asked = Asked(SMALL, HOSTED, local_only=True)
    assert asked.best == str(SMALL.ref)
    found = why_not(asked.decision, "gpt-5", asked.again)
    assert found.excluded is not None
    assert found.changes == (("no --local-only",) if Asked(SMALL, HOSTED).best == "openai:gpt-5" else ())


def test_the_two_sentences_name_the_choice_the_next_and_a_change() -> None:
    asked = Asked(SMALL, LARGE, HOSTED)
    said = why(asked.decision, counterfactuals(asked.decision, asked.again))
    assert said is not None
    first, second = said.split(". ", 1) if said.count(". ") == 1 else (said, said)
    assert asked.best in first
    assert str(asked.decision.ranked[1].card.ref) in first
    assert "would pick" in second


def test_a_model_alone_is_said_to_be_alone() -> None:
    asked = Asked(SMALL)
    said = why(asked.decision, counterfactuals(asked.decision, asked.again))
    assert said == (
        "`ollama:llama3.2:1b` is the only model that may take this prompt. No other policy and no tighter limit would pick another model."
    )


def test_models_inside_mmai_are_no_rivals() -> None:
    asked = Asked(SMALL, an_embedded_card(), request=a_request("Summarise: it rained. We left. It was late."))
    said = why(asked.decision, ())
    assert said is not None
    assert "beside those inside mmai, which come last" in said


def test_equals_are_said_to_be_equal() -> None:
    asked = Asked(a_cloud_card("openai:unheard-a"), a_cloud_card("openai:unheard-b"))
    said = why(asked.decision, ())
    assert said is not None
    assert "nothing that is known tells them apart" in said


def test_why_not_gives_rank_and_differences_that_add_up() -> None:
    asked = Asked(SMALL, LARGE, HOSTED)
    last = asked.decision.ranked[-1]
    found = why_not(asked.decision, str(last.card.ref), asked.again)
    best = asked.decision.choice
    assert best is not None
    assert best.score is not None
    assert last.score is not None
    assert found.rank == 3
    assert sum(found.differences.values()) == pytest.approx(last.score - best.score, abs=1e-9)
    assert f"number 3 of 3 with {last.score:.2f}" in found.sentence


def test_every_change_why_not_names_picks_the_model() -> None:
    asked = Asked(SMALL, LARGE, HOSTED)
    for candidate in asked.decision.ranked[1:]:
        for change in why_not(asked.decision, str(candidate.card.ref), asked.again).changes:
            flag, _, value = change.partition(" ")
            if flag == "--policy":
                other = asked.again(policy=PolicyName(value))
            else:
                pairs = (pair.split("=") for pair in value.split(","))
                other = asked.again(weights=Weights(**{term: float(weight) for term, weight in pairs}))
            assert other.choice is not None
            assert other.choice.card.ref == candidate.card.ref


def test_the_choice_itself_and_unknown_names() -> None:
    asked = Asked(SMALL, LARGE)
    assert why_not(asked.decision, asked.best, asked.again).sentence == f"`{asked.best}` is the choice"
    with pytest.raises(UsageError, match="no model `nobody` is known here"):
        why_not(asked.decision, "nobody", asked.again)
    twice = Asked(a_card("ollama:same"), a_cloud_card("openai:same"))
    with pytest.raises(UsageError, match="`same` is the name of several models"):
        why_not(twice.decision, "same", twice.again)


@given(st.floats(1e-9, 1e9))
def test_the_round_figure_below_is_below_and_near(value: float) -> None:
    found = round_below(value)
    assert 0.45 * value <= found < value
    assert len(f"{found:e}".partition("e")[0].rstrip("0").rstrip(".")) == 1
