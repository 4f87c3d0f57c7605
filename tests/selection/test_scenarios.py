"""Who should win: machines with their models, prompts, and the choices a sensible person would not object to.

Qualities are pinned by outcomes that outweigh every prior, so that these rows say what the curves and weights do with them.
"""

from typing import NamedTuple

import pytest
from builders import a_card, a_cloud_card, a_profile, a_request, an_analysis
from msgspec.structs import replace

from mmai.selection.decide import Choices
from mmai.selection.policies import POLICIES
from mmai.values.decision import Decision, PolicyName
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.outcome import Observed
from mmai.values.task import TaskType

QUALITY = {
    "llama3.2:1b": 0.30, "qwen3:8b": 0.55, "gemma3:27b": 0.65, "gpt-5-mini": 0.80, "gpt-5": 0.88,
    "claude-haiku-4-5": 0.75, "claude-opus-4-5": 0.90, "gemini-2.5-flash": 0.75,
}  # fmt: skip


def on_disk(ref: str, billions: float, gigabytes: float) -> ModelCard:
    return a_card(ref, parameter_count=int(billions * 1e9), size_bytes=int(gigabytes * 1e9))


def at_provider(ref: str, input_usd: float, output_usd: float) -> ModelCard:
    return a_cloud_card(ref, price=Price(input_usd, output_usd))


TINY, SMALL, LARGE = "ollama:llama3.2:1b", "ollama:qwen3:8b", "ollama:gemma3:27b"
MINI, GPT, HAIKU, OPUS = "openai:gpt-5-mini", "openai:gpt-5", "anthropic:claude-haiku-4-5", "anthropic:claude-opus-4-5"
FLASH = "google:gemini-2.5-flash"
CHEAP_HOSTED = {MINI, FLASH, HAIKU}
OWN = {TINY, SMALL, LARGE}

LOCAL = [on_disk(TINY, 1.24, 1.3), on_disk(SMALL, 8.2, 5.2), on_disk(LARGE, 27.4, 17.4)]
ASLEEP = [replace(card, loaded=False) for card in LOCAL]
HOSTED = [
    at_provider(MINI, 0.25, 2), at_provider(GPT, 1.25, 10), at_provider(HAIKU, 1, 5), at_provider(OPUS, 5, 25),
    at_provider(FLASH, 0.3, 2.5),
]  # fmt: skip
BOTH = [*LOCAL, *HOSTED]

Measured = dict[str, Profile]
LAPTOP: Measured = {}
"""Never measured: what is assumed of a laptop, 10 tokens a second of 8 billion parameters."""
WORKSTATION = {
    TINY: a_profile(ttft_ms=50, tokens_per_second=200, runs=50),
    SMALL: a_profile(ttft_ms=150, tokens_per_second=70, runs=50),
    LARGE: a_profile(ttft_ms=300, tokens_per_second=25, runs=50),
}
OLD_BOX = {
    TINY: a_profile(ttft_ms=500, tokens_per_second=15, runs=50),
    SMALL: a_profile(ttft_ms=3_000, tokens_per_second=3, runs=50),
    LARGE: a_profile(ttft_ms=9_000, tokens_per_second=0.8, runs=50),
}


class Prompt(NamedTuple):
    task: TaskType
    complexity: float
    context_tokens: int
    output_tokens: int


CHAT = Prompt(TaskType.CONVERSATION, 0.1, 10, 100)
QUESTION = Prompt(TaskType.QUESTION_ANSWERING, 0.1, 10, 20)
EXPLANATION = Prompt(TaskType.QUESTION_ANSWERING, 0.3, 20, 200)
TRANSLATION = Prompt(TaskType.TRANSLATION, 0.3, 200, 200)
REPORT = Prompt(TaskType.SUMMARIZATION, 0.3, 4_000, 200)
STORY = Prompt(TaskType.CREATIVE_WRITING, 0.4, 30, 700)
FUNCTION = Prompt(TaskType.CODE_GENERATION, 0.45, 30, 500)
SYSTEM = Prompt(TaskType.CODE_GENERATION, 0.85, 400, 1_500)
PROOF = Prompt(TaskType.MATH, 0.85, 60, 800)


def choose(
    cards: list[ModelCard], prompt: Prompt, measured: Measured, policy: PolicyName = PolicyName.BALANCED, **known: float
) -> Decision:
    observed: dict[str, dict[str, Observed]] = {
        str(card.ref): {prompt.task: Observed(weight=1e9, mean=QUALITY[card.name])} for card in cards if card.name in QUALITY
    }
    analysis = an_analysis(
        prompt.task,
        complexity=prompt.complexity,
        context_tokens=prompt.context_tokens,
        output_tokens=prompt.output_tokens,
        policy=POLICIES[policy].within,
    )
    choices = Choices(cards, profiles=measured, observed=observed, **known)
    return choices.decide(a_request(), analysis=analysis, weights=POLICIES[policy].weights, policy=policy)


BALANCED = [
    ("a laptop, small talk", LOCAL, LAPTOP, CHAT, {SMALL}),
    ("a laptop, a tiny question", LOCAL, LAPTOP, QUESTION, {SMALL, LARGE}),
    ("a laptop, code", LOCAL, LAPTOP, FUNCTION, {SMALL}),
    ("a laptop, a story", LOCAL, LAPTOP, STORY, {SMALL}),
    ("a laptop, a proof", LOCAL, LAPTOP, PROOF, {SMALL, LARGE}),
    ("a laptop, a whole system", LOCAL, LAPTOP, SYSTEM, {SMALL, LARGE}),
    ("a laptop, a report of many pages", LOCAL, LAPTOP, REPORT, {TINY, SMALL}),
    ("a workstation, an explanation", LOCAL, WORKSTATION, EXPLANATION, {LARGE, SMALL}),
    ("a workstation, code", LOCAL, WORKSTATION, FUNCTION, {LARGE}),
    ("a workstation, a proof", LOCAL, WORKSTATION, PROOF, {LARGE}),
    ("an old box, small talk", LOCAL, OLD_BOX, CHAT, {TINY}),
    ("an old box, code", LOCAL, OLD_BOX, FUNCTION, {TINY}),
    ("a laptop with keys, small talk", BOTH, LAPTOP, CHAT, {SMALL}),
    ("a laptop with keys and nothing in memory, small talk", [*ASLEEP, *HOSTED], LAPTOP, CHAT, {SMALL, TINY}),
    ("a laptop with keys, a tiny question", BOTH, LAPTOP, QUESTION, {SMALL, LARGE}),
    ("a laptop with keys, an explanation", BOTH, LAPTOP, EXPLANATION, {SMALL}),
    ("a laptop with keys, a translation", BOTH, LAPTOP, TRANSLATION, {SMALL, *CHEAP_HOSTED}),
    ("a laptop with keys, a report of many pages", BOTH, LAPTOP, REPORT, CHEAP_HOSTED),
    ("a laptop with keys, code", BOTH, LAPTOP, FUNCTION, {SMALL, *CHEAP_HOSTED}),
    ("a laptop with keys, a proof", BOTH, LAPTOP, PROOF, {*CHEAP_HOSTED, GPT}),
    ("a laptop with keys, a whole system", BOTH, LAPTOP, SYSTEM, {*CHEAP_HOSTED, GPT}),
    ("a workstation with keys, a report", BOTH, WORKSTATION, REPORT, {SMALL, LARGE}),
    ("a workstation with keys, code", BOTH, WORKSTATION, FUNCTION, {LARGE}),
    ("a workstation with keys, a proof", BOTH, WORKSTATION, PROOF, {*CHEAP_HOSTED, GPT}),
    ("an old box with keys, small talk", BOTH, OLD_BOX, CHAT, {TINY, *CHEAP_HOSTED}),
    ("an old box with keys, an explanation", BOTH, OLD_BOX, EXPLANATION, CHEAP_HOSTED),
    ("an old box with keys, code", BOTH, OLD_BOX, FUNCTION, CHEAP_HOSTED),
    ("keys alone, small talk", HOSTED, LAPTOP, CHAT, CHEAP_HOSTED),
    ("keys alone, a proof", HOSTED, LAPTOP, PROOF, {*CHEAP_HOSTED, GPT}),
]


@pytest.mark.parametrize(
    ("cards", "measured", "prompt", "fitting"), [row[1:] for row in BALANCED], ids=[row[0] for row in BALANCED]
)
def test_a_sensible_model_wins(cards: list[ModelCard], measured: Measured, prompt: Prompt, fitting: set[str]) -> None:
    assert winner(choose(cards, prompt, measured)) in fitting


NAMED = [
    (PolicyName.QUALITY, LAPTOP, PROOF, {GPT, OPUS}),
    (PolicyName.QUALITY, WORKSTATION, SYSTEM, {GPT, OPUS}),
    (PolicyName.QUALITY, LAPTOP, FUNCTION, {MINI, GPT, OPUS}),
    (PolicyName.CHEAP, LAPTOP, FUNCTION, OWN),
    (PolicyName.CHEAP, LAPTOP, CHAT, OWN),
    (PolicyName.FAST, LAPTOP, STORY, CHEAP_HOSTED),
    (PolicyName.FAST, OLD_BOX, EXPLANATION, CHEAP_HOSTED),
    (PolicyName.LOCAL, OLD_BOX, PROOF, OWN),
    (PolicyName.PRIVATE, LAPTOP, SYSTEM, OWN),
]


@pytest.mark.parametrize(("policy", "measured", "prompt", "fitting"), NAMED)
def test_a_policy_gives_what_it_is_named_for(policy: PolicyName, measured: Measured, prompt: Prompt, fitting: set[str]) -> None:
    decision = choose(BOTH, prompt, measured, policy)
    assert decision.policy == policy
    assert winner(decision) in fitting


def test_no_paying_model_is_chosen_for_small_talk_where_a_decent_one_is_here() -> None:
    for measured in (LAPTOP, WORKSTATION):
        for prompt in (CHAT, QUESTION):
            assert winner(choose(BOTH, prompt, measured)) in OWN


def test_a_model_that_retires_comes_after_its_equal_and_one_that_has_retired_is_out() -> None:
    going, staying = at_provider("openai:a", 1, 4), at_provider("openai:b", 1, 4)
    cards = [replace(going, deprecated="2026-12-01"), staying]
    november, december = 1_793_500_000.0, 1_796_200_000.0
    before = choose(cards, EXPLANATION, LAPTOP, now=november)
    assert [card.card.name for card in before.ranked] == ["b", "a"]
    after = choose(cards, EXPLANATION, LAPTOP, now=december)
    assert [(each.excluded_by, each.excluded) for each in after.excluded] == [
        ("retired", "its provider retired it on 2026-12-01")
    ]


def test_a_retirement_that_is_told_in_words_excludes_nobody() -> None:
    cards = [replace(HOSTED[0], deprecated="legacy")]
    assert winner(choose(cards, CHAT, LAPTOP, now=4e9)) == MINI


def winner(decision: Decision) -> str:
    assert decision.choice is not None
    return str(decision.choice.card.ref)
