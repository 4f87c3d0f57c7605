"""What is expected of models nobody has seen here: by their published scores, else by line, age and size."""

import math

import pytest
from builders import a_cloud_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.abilities import SKILLS, TABLE, Abilities, key, prior, shipped
from mmai.selection.lineage import LINES, lineage
from mmai.values.decision import Prior
from mmai.values.model import ModelCard
from mmai.values.task import TaskType


def of(name: str, **fields: object) -> Prior:
    return prior(ModelCard(provider="ollama", name=name, locality="local", **fields))  # type: ignore[arg-type]


def hosted(name: str) -> Prior:
    return prior(ModelCard(provider="openai", name=name, locality="cloud"))


def mean(found: Prior) -> float:
    return sum(found.by_task[task] for task in list(TaskType)[:14]) / 14


@pytest.mark.parametrize(
    ("name", "line", "version", "billions"),
    [
        ("llama3.1:8b-instruct-q4_K_M", "llama", 3.1, 8),
        ("meta-llama/llama-3.1-8b-instruct:free", "llama", 3.1, 8),
        ("llama-3.3-70b-versatile", "llama", 3.3, 70),
        ("Meta-Llama-3-8B-Instruct-Q4_K_M.gguf", "llama", 3, 8),
        ("Qwen2.5-7B-Instruct-Q4_K_M", "qwen", 2.5, 7),
        ("qwen3:4b", "qwen", 3, 4),
        ("gemma3:4b", "gemma", 3, 4),
        ("gemma3n:e4b", "gemma", 3, 4),
        ("mistral:7b-instruct-v0.3", "mistral7b", 0.3, 7),
        ("mistral-small3.2:24b", "mistral", 3.2, 24),
        ("mixtral:8x7b", "mixtral", None, 28),
        ("phi4:14b", "phi", 4, 14),
        ("deepseek-r1:7b", "deepseekr", 1, 7),
        ("deepseek-v3.2", "deepseek", 3.2, None),
        ("gpt-4o-mini-2024-07-18", "gpt4o", None, None),
        ("gpt-5.6-luna", "gpt", 5.6, None),
        ("gpt-oss:20b", "gptoss", None, 20),
        ("o3-mini", "o", 3, None),
        ("claude-3-5-sonnet-20241022", "claude", 3.5, None),
        ("claude-opus-4-8", "claude", 4.8, None),
        ("claude-fable-5", "claude", 5, None),
        ("gemini-2.5-flash-lite", "gemini", 2.5, None),
        ("grok-4.20-0309", "grok", 4.2, None),
        ("smollm2:135m", "smollm", 2, 0.135),
        ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:IQ3_M", "llama", 3.2, 3),
        ("nomic-embed-text", None, None, None),
        ("my-own-model", None, None, None),
    ],
)
def test_a_name_tells_line_version_and_size(name: str, line: str | None, version: float | None, billions: float | None) -> None:
    told = lineage(name)
    assert (told.line, told.version, told.billions) == (line, version, billions)


def test_a_mixture_of_experts_counts_between_all_and_those_at_work() -> None:
    assert lineage("qwen3:30b-a3b").billions == pytest.approx(math.sqrt(90))


def test_a_month_in_a_name_is_its_age() -> None:
    assert lineage("mistral-large-2512").year == pytest.approx(2025 + 11 / 12)


@given(st.sampled_from(sorted(LINES)), st.floats(0, 20))
def test_versions_of_a_line_never_grow_younger(line: str, version: float) -> None:
    from mmai.selection.lineage import released

    years = [year for _, year in LINES[line]]
    assert min(years) <= released(LINES[line], version) <= max(years)


@pytest.mark.parametrize(
    "names",
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3.1:8b-instruct-q4_K_M", "llama-3.1-8b-instruct:free"),
        ("gemma-2-9b-it", "gemma2:9b", "google/gemma-2-9b-it"),
        ("gpt-4o-2024-05-13", "gpt-4o", "openai/gpt-4o"),
        ("Mixtral-8x7B-Instruct-v0.1", "mixtral:8x7b", "mixtral-8x7b-instruct-v0.1"),
        ("Qwen2.5-7B-Instruct-Q4_K_M", "qwen2.5:7b", "qwen2.5-7b-instruct"),
    ],
)
def test_one_model_has_one_key_at_every_provider(names: tuple[str, ...]) -> None:
    assert len({key(name) for name in names}) == 1
    assert {of(name).basis for name in names} == {"published"}


def test_what_was_published_is_told_with_its_source() -> None:
    found = hosted("gpt-4o-mini")
    assert (found.basis, found.source, found.strength) == ("published", "WildBench v2", 20.0)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("gpt-5", "gpt-4o"),
        ("gpt-4o", "gpt-3.5-turbo"),
        ("gpt-5", "gpt-5-mini"),
        ("gpt-5-mini", "gpt-5-nano"),
        ("gpt-6.1-sol", "gpt-5"),
        ("gpt-6.1-sol", "gpt-5.6-luna"),
        ("claude-opus-4-8", "claude-3-haiku"),
        ("claude-opus-5", "claude-haiku-5-5"),
        ("gemini-3.1-pro-preview", "gemini-2.5-flash-lite"),
        ("deepseek-v3", "deepseek-v2-chat"),
        ("llama-3.3-70b-versatile", "llama3.1:8b"),
        ("llama3.1:8b", "llama3.2:3b"),
        ("llama3.2:3b", "llama3.2:1b"),
        ("qwen3:8b", "qwen2.5:3b"),
        ("qwen3:8b", "qwen3:0.6b"),
        ("gemma3:27b", "gemma3:4b"),
        ("gemma3:4b", "gemma:2b"),
        ("mixtral:8x22b", "mistral:7b"),
    ],
)
def test_larger_and_newer_models_of_a_line_are_expected_to_be_better(better: str, worse: str) -> None:
    assert mean(hosted(better)) > mean(hosted(worse))


@given(st.sampled_from(["qwen3", "llama3.2", "gemma3", "phi4", "unheard"]), st.floats(0.1, 400), st.floats(0.1, 400))
def test_more_parameters_never_make_a_model_worse(line: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert mean(of(line, parameter_count=int(small * 1e9))) <= mean(of(line, parameter_count=int(large * 1e9))) + 1e-12


@given(st.text(max_size=60), st.none() | st.integers(1, 10**12))
def test_every_name_gets_a_prior_between_nothing_and_perfect(name: str, parameters: int | None) -> None:
    found = of(name, parameter_count=parameters)
    assert all(0.0 < found.by_task[task] < 1.0 for task in TaskType)
    assert found.strength > 0


def test_a_new_model_starts_where_its_line_or_its_size_is() -> None:
    assert of("qwen3:4b").basis == "family"
    assert of("unheard", parameter_count=4_000_000_000).basis == "size"
    assert hosted("unheard-mini").basis == "tier"
    assert of("unheard").basis == "unknown"


def test_what_a_model_was_made_for_moves_its_tasks() -> None:
    coder, general = of("qwen3-coder:8b").by_task, of("qwen3:8b").by_task
    assert coder[TaskType.CODE_GENERATION] > general[TaskType.CODE_GENERATION]
    assert coder[TaskType.CREATIVE_WRITING] < general[TaskType.CREATIVE_WRITING]
    thinker = of("deepseek-r1:8b").by_task
    assert (
        thinker[TaskType.MATH] - thinker[TaskType.CREATIVE_WRITING]
        > general[TaskType.MATH] - general[TaskType.CREATIVE_WRITING]
    )
    declared = of("unheard:8b", tasks=(TaskType.TRANSLATION,)).by_task
    assert declared[TaskType.TRANSLATION] > of("unheard:8b").by_task[TaskType.TRANSLATION]


def test_few_bits_cost_a_little() -> None:
    assert mean(of("qwen3:8b-q2_K")) < mean(of("qwen3:8b-q4_K_M")) == mean(of("qwen3:8b"))


def test_a_price_says_nothing_of_quality() -> None:
    cheap, dear = (prior(a_cloud_card("lab:unheard", usd_per_mtok=usd)) for usd in (0.3, 20.0))
    assert cheap == dear


def test_the_shipped_table_is_whole() -> None:
    table = shipped()
    assert isinstance(table, Abilities)
    assert len(table.models) > 80
    assert all(len(each.abilities) == len(SKILLS) for each in table.models.values())
    assert TABLE.stat().st_size < 60_000
