from typing import Any

import pytest
from builders import a_card, a_cloud_card, a_profile, an_analysis, an_embedded_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.candidates import FILTERS, exclusion, filters
from mmai.selection.expectations import cost_usd, worst_cost_usd
from mmai.values.model import LongContextPrice, ModelCard, Price
from mmai.values.task import Modality, TaskAnalysis, TaskType


def why(card: ModelCard, analysis: TaskAnalysis | None = None, **context: Any) -> tuple[str, str] | None:
    return exclusion(card, filters(analysis or an_analysis(), **context))


def test_a_plain_model_may_take_a_plain_question() -> None:
    assert why(a_card()) is None


def test_another_provider_is_out_when_one_is_named() -> None:
    assert why(a_card(), an_analysis(provider="openai")) == ("provider", "not of provider `openai`")
    assert why(a_cloud_card(), an_analysis(provider="openai")) is None


@pytest.mark.parametrize("pattern", ["ollama:gemma3:4b", "gemma3:4b", "ollama", "ollama:*", "*4b", "*", "gem*:4b"])
def test_a_reference_bare_name_provider_or_star_excludes(pattern: str) -> None:
    assert why(a_card("ollama:gemma3:4b"), an_analysis(exclude=("x", pattern))) == ("exclude", f"excluded by `{pattern}`")


@pytest.mark.parametrize("pattern", ["gemma3", "OLLAMA", "olla", "gemma3.4b", "[o]llama", "ollama:gemma3:4?"])
def test_a_pattern_must_fit_the_whole_name_and_knows_only_the_star(pattern: str) -> None:
    assert why(a_card("ollama:gemma3:4b"), an_analysis(exclude=(pattern,))) is None


def test_local_only_keeps_embedded_and_local_models() -> None:
    summary = an_analysis(TaskType.SUMMARIZATION, local_only=True)
    assert why(a_card(), summary) is None
    assert why(an_embedded_card(), summary) is None
    assert why(a_card(locality="network"), summary) == (
        "local_only",
        "runs on another machine, and only local models are allowed",
    )
    assert why(a_cloud_card(), summary) == ("local_only", "runs at its provider, and only local models are allowed")


def test_a_missing_capability_is_named() -> None:
    needs = an_analysis(required_capabilities=("text_generation", "vision", "tools"))
    assert why(a_card(capabilities=("text_generation", "vision")), needs) == ("capability", "cannot do `tools`")


def test_a_capability_the_user_requires_counts_like_one_the_task_needs() -> None:
    assert why(a_card(), an_analysis(require=("thinking",))) == ("capability", "cannot do `thinking`")


def test_embedding_models_never_take_generation_and_chat_models_never_embedding() -> None:
    embedder = a_card("ollama:nomic-embed-text", capabilities=("embedding",))
    embedding = an_analysis(TaskType.EMBEDDING, required_capabilities=("embedding",))
    assert why(embedder) == ("capability", "cannot do `text_generation`")
    assert why(a_card(), embedding) == ("capability", "cannot do `embedding`")
    assert why(embedder, embedding) is None


def test_a_specialist_may_take_its_task_without_a_general_models_capabilities() -> None:
    classifier = a_card("coreml:FastViT", capabilities=("image_classification",), inputs=(Modality.IMAGE,))
    needs = {"required_capabilities": ("text_generation", "vision"), "modality": Modality.IMAGE}
    assert why(classifier, an_analysis(TaskType.IMAGE_CLASSIFICATION, **needs)) is None
    assert why(classifier, an_analysis(TaskType.IMAGE_UNDERSTANDING, **needs)) == (
        "capability",
        "cannot do `text_generation`, `vision`",
    )


def test_a_model_that_takes_only_images_is_out_for_text() -> None:
    card = a_card(capabilities=("embedding",), inputs=(Modality.IMAGE,))
    assert why(card, an_analysis(required_capabilities=("embedding",))) == ("modality", "takes image, not text")


def test_a_model_for_some_tasks_only_takes_no_other() -> None:
    assert why(an_embedded_card(), an_analysis(TaskType.SUMMARIZATION)) is None
    assert why(an_embedded_card()) == ("only_tasks", "does summarization only, not question_answering")


def test_declared_tasks_are_a_preference_unless_they_are_the_only_ones() -> None:
    assert why(a_card(tasks=(TaskType.CODE_GENERATION,))) is None


def test_prompt_and_answer_must_fit_the_window() -> None:
    question = an_analysis(context_tokens=900, output_tokens=200)
    assert why(a_card(context_tokens=1_100), question) is None
    assert why(a_card(context_tokens=1_099), question) == ("context", "needs about 1100 tokens, its window is 1099")


def test_an_answer_the_model_never_makes_needs_no_room() -> None:
    assert why(a_card(context_tokens=1_000, max_output_tokens=50), an_analysis(context_tokens=900, output_tokens=200)) is None


def test_an_unknown_window_passes_until_a_width_is_asked_for() -> None:
    assert why(a_card(context_tokens=None)) is None
    assert why(a_card(context_tokens=None), an_analysis(min_context_tokens=8_000)) == (
        "context",
        "its window is not known, and at least 8000 tokens are asked for",
    )


def test_the_worst_case_must_stay_within_the_cost() -> None:
    # 125 tokens in at $1, 8,000 out at $4 a million: $0.032125
    reason = ("max_cost", "may cost $0.03213 if it answers with 8000 tokens, above $0.01")
    assert why(a_cloud_card(), an_analysis(max_cost_usd=0.01)) == reason
    assert why(a_cloud_card(), an_analysis(max_cost_usd=0.01), max_tokens=500) is None


def test_nobody_is_expected_to_pay_for_more_than_the_longest_answer() -> None:
    # 100 tokens in at $1, 20 out at $4 a million
    short = a_cloud_card(max_output_tokens=20)
    assert cost_usd(short, an_analysis(context_tokens=100, output_tokens=200)) == pytest.approx(0.00018)


def test_an_unknown_price_cannot_promise_a_limit_and_free_can() -> None:
    limited = an_analysis(max_cost_usd=1.0)
    unknown = ("max_cost", "its price is not known, so it may cost more than $1")
    assert why(a_cloud_card(usd_per_mtok=None), limited) == unknown
    assert why(a_card(), limited) is None
    assert why(a_card(context_tokens=None), limited) is None


def test_an_answer_without_a_known_limit_cannot_promise_a_cost() -> None:
    endless = a_cloud_card(context_tokens=None, max_output_tokens=None)
    reason = ("max_cost", "its longest answer or its price is not known, so it may cost more than $1")
    assert why(endless, an_analysis(max_cost_usd=1.0)) == reason


def test_an_embedding_costs_only_what_is_sent() -> None:
    embedder = a_cloud_card(capabilities=("embedding",), price=Price(input_usd_per_mtok=1.0))
    embedding = {"required_capabilities": ("embedding",), "output_tokens": 0}
    assert why(embedder, an_analysis(TaskType.EMBEDDING, max_cost_usd=0.000125, **embedding)) is None
    assert why(embedder, an_analysis(TaskType.EMBEDDING, max_cost_usd=0.000124, **embedding)) is not None


def test_a_generated_image_has_its_own_price() -> None:
    painter = a_cloud_card(capabilities=("image_generation",), price=Price(image_usd=0.04))
    image = {"required_capabilities": ("image_generation",), "output_tokens": 0}
    assert why(painter, an_analysis(TaskType.IMAGE_GENERATION, max_cost_usd=0.05, **image)) is None
    assert why(painter, an_analysis(TaskType.IMAGE_GENERATION, max_cost_usd=0.03, **image)) is not None


def test_the_worst_case_is_at_the_tier_of_a_long_request() -> None:
    tier = LongContextPrice(above_tokens=100_000, input_usd_per_mtok=2.0, output_usd_per_mtok=8.0)
    card = a_cloud_card(price=Price(1.0, 4.0, long_context=tier))
    # 80,000 tokens and a quarter are 100,000, which is not above; 80,001 are 100,001, at $2 in and $8 out.
    assert worst_cost_usd(card, an_analysis(context_tokens=80_000), max_tokens=1000) == pytest.approx(0.1 + 0.004)
    assert worst_cost_usd(card, an_analysis(context_tokens=80_001), max_tokens=1000) == pytest.approx(0.200002 + 0.008)


def test_a_recording_is_expected_at_the_price_of_sound() -> None:
    heard: dict[str, Any] = {"modality": Modality.AUDIO, "context_tokens": 1600, "output_tokens": 100}
    by_token = a_cloud_card(price=Price(1.0, 4.0, audio_usd_per_mtok=10.0))
    assert cost_usd(by_token, an_analysis(TaskType.SPEECH_TRANSCRIPTION, **heard)) == pytest.approx(0.016 + 0.0004)
    by_second = a_cloud_card(price=Price(audio_usd_per_s=0.0001))
    assert cost_usd(by_second, an_analysis(TaskType.SPEECH_TRANSCRIPTION, **heard)) == pytest.approx(0.01)
    worst = worst_cost_usd(by_second, an_analysis(TaskType.SPEECH_TRANSCRIPTION, **heard), max_tokens=None)
    assert worst == pytest.approx(0.05)


@pytest.mark.parametrize("task", [TaskType.IMAGE_GENERATION, TaskType.SPEECH_SYNTHESIS])
def test_what_is_made_of_tokens_that_nobody_can_count_beforehand_has_no_known_cost(task: TaskType) -> None:
    maker = a_cloud_card(capabilities=("image_generation", "speech_synthesis"), price=Price(8.0, 30.0))
    made = an_analysis(task, max_cost_usd=1.0, required_capabilities=(), output_tokens=0)
    assert cost_usd(maker, made) is None
    assert why(maker, made) == ("max_cost", "its price for what it makes is not known, so it may cost more than $1")
    assert cost_usd(a_card(), made) == 0.0


@given(usd=st.floats(0.01, 1000), dearer=st.floats(1, 100), sent=st.integers(0, 300_000), answered=st.integers(0, 10_000))
def test_the_worst_is_never_below_what_is_expected_nor_a_dearer_model_cheaper(
    usd: float, dearer: float, sent: int, answered: int
) -> None:
    card, dear = (
        a_cloud_card(usd_per_mtok=usd, context_tokens=None),
        a_cloud_card(usd_per_mtok=usd * dearer, context_tokens=None),
    )
    analysis = an_analysis(context_tokens=sent, output_tokens=min(answered, 8_000))
    expected, worst = cost_usd(card, analysis), worst_cost_usd(card, analysis, max_tokens=None)
    assert expected is not None
    assert worst is not None
    assert worst >= expected * (1 - 1e-12)
    assert (worst_cost_usd(dear, analysis, max_tokens=None) or 0.0) >= worst * (1 - 1e-12)


def test_a_measured_profile_decides_over_a_declared_one_on_latency() -> None:
    limited = an_analysis(max_latency_ms=5_000)
    card = a_card(profile=a_profile(ttft_ms=100, tokens_per_second=100, runs=0))
    assert why(card, limited) is None
    measured = {"ollama:gemma3:4b": a_profile(ttft_ms=1_000, tokens_per_second=40)}
    assert why(card, limited, profiles=measured) == ("max_latency", "expected to take 6235 ms, above 5000 ms")


def test_a_model_nobody_has_timed_is_not_held_to_be_slow() -> None:
    assert why(a_card(), an_analysis(max_latency_ms=1)) is None


def test_a_figure_that_was_not_measured_comes_from_the_declared_profile() -> None:
    card = a_card(profile=a_profile(ttft_ms=100, tokens_per_second=None, runs=0))
    measured = {"ollama:gemma3:4b": a_profile(ttft_ms=None, tokens_per_second=100, runs=10**9)}
    assert why(card, an_analysis(max_latency_ms=2_101), profiles=measured) is None
    assert why(card, an_analysis(max_latency_ms=2_099), profiles=measured) is not None


def test_reliability_is_smoothed_so_that_one_failure_does_not_condemn() -> None:
    limited = an_analysis(min_reliability=0.9)
    assert why(a_card(), limited) is None
    assert why(a_card(), limited, profiles={"ollama:gemma3:4b": a_profile(runs=0, failures=1)}) is None
    assert why(a_card(), limited, profiles={"ollama:gemma3:4b": a_profile(runs=10, failures=10)}) == (
        "min_reliability",
        "expected to answer 72.5% of calls, below 90.0%",
    )


def test_memory_counts_only_for_models_on_this_machine() -> None:
    limited = an_analysis(max_memory_bytes=2_000_000_000)
    assert why(a_card(), limited) == ("max_memory", "takes about 3.0 GB of memory, above 2.0 GB")
    assert why(a_card(locality="network"), limited) is None
    assert why(a_card(size_bytes=None, parameter_count=None), limited) == (
        "max_memory",
        "its memory is not known, and at most 2.0 GB are allowed",
    )


@pytest.mark.parametrize("key", ["ollama:gemma3:4b", "ollama", "ollama@http://localhost:11434"])
def test_a_model_that_does_not_answer_is_out_with_the_reason(key: str) -> None:
    assert why(a_card(), unavailable={key: "connection refused"}) == ("health", "connection refused")


def test_a_model_with_another_endpoint_that_answers_stays() -> None:
    card = a_card(endpoints=("http://a:11434", "http://b:11434"))
    assert why(card, unavailable={"ollama@http://a:11434": "refused"}) is None
    assert why(card, unavailable={"ollama@http://a:11434": "refused", "ollama@http://b:11434": "stalled"}) == (
        "health",
        "refused",
    )


def test_a_deprecated_model_is_not_excluded() -> None:
    assert why(a_card(deprecated="2027-01-01")) is None


def test_the_first_filter_in_the_fixed_order_gives_the_reason() -> None:
    limited = an_analysis(provider="openai", local_only=True, max_cost_usd=0.0, required_capabilities=("vision",))
    checks = filters(limited, unavailable={"ollama": "refused"})
    names = [name for name, _ in checks]
    assert names == [name for name in FILTERS if name in names]
    assert exclusion(a_card(), checks) == ("provider", "not of provider `openai`")
