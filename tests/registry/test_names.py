"""From what a person types to the one model meant."""

from itertools import product
from shlex import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.errors import AmbiguousModel, UnknownModel, UsageError
from mmai.registry.names import resolve
from mmai.values.model import ModelCard, ModelRef
from mmai.values.registry import Registry


def knowing(*refs: str) -> Registry:
    cards = {ref: ModelCard(provider=ref.partition(":")[0], name=ref.partition(":")[2]) for ref in refs}
    return Registry(models=cards)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ollama:gemma3:4b", "ollama:gemma3:4b"),
        ("gemma3:4b", "ollama:gemma3:4b"),
        ("qwen3", "ollama:qwen3:latest"),
        ("ollama:qwen3", "ollama:qwen3:latest"),
        ("phi4", "ollama:phi4:14b"),
        ("textrank", "builtin:textrank"),
        ("ollama:never-seen", "ollama:never-seen"),
        ("openai:gpt-5.6-luna", "openai:gpt-5.6-luna"),
    ],
)
def test_a_name_means_the_model_that_fits(text: str, meant: str) -> None:
    registry = knowing("ollama:gemma3:4b", "ollama:gemma3:12b", "ollama:qwen3:latest", "ollama:qwen3:8b", "ollama:phi4:14b")
    registry = Registry(models=registry.models | knowing("builtin:textrank").models)
    assert str(resolve(registry, text, providers=("openai",))) == meant


def test_a_name_that_begins_like_a_provider_means_the_model_of_that_name_where_there_is_one() -> None:
    assert resolve(knowing("ollama:mistral:7b"), "mistral:7b", providers=("mistral",)) == ModelRef("ollama", "mistral:7b")
    assert resolve(knowing("ollama:mistral:7b"), "mistral:small", providers=("mistral",)) == ModelRef("mistral", "small")


def test_a_full_reference_needs_no_discovery() -> None:
    assert resolve(Registry(), "ollama:x", providers=("ollama",)) == ModelRef("ollama", "x")


def test_a_name_of_several_models_lists_them() -> None:
    with pytest.raises(AmbiguousModel) as refused:
        resolve(knowing("ollama:gemma3:4b", "ollama:gemma3:12b", "lms:gemma3:1b"), "gemma3", providers=())
    assert refused.value.message == "`gemma3` could be `lms:gemma3:1b`, `ollama:gemma3:12b` or `ollama:gemma3:4b`"
    assert refused.value.hint == "-m lms:gemma3:1b"


def test_a_name_that_two_providers_have_is_ambiguous_though_one_leaves_the_tag_out() -> None:
    with pytest.raises(AmbiguousModel):
        resolve(knowing("ollama:qwen3:latest", "lms:qwen3"), "qwen3", providers=())


@pytest.mark.parametrize("text", ["olama:gemma3:4b", "gema3:4b", "ollama gemma3:4b"])
def test_a_misspelt_name_is_told_the_closest(text: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        resolve(knowing("ollama:gemma3:4b", "builtin:textrank"), text, providers=("ollama",))
    assert refused.value.message == f"no model `{text}`: did you mean `ollama:gemma3:4b`?"
    assert refused.value.hint == "mmai models"


def test_a_name_like_no_other_is_told_to_discover() -> None:
    with pytest.raises(UnknownModel) as refused:
        resolve(Registry(), "gemma3", providers=("ollama",))
    assert (refused.value.message, refused.value.hint) == ("no model `gemma3` has been discovered", "mmai discover")


@pytest.mark.parametrize("text", ["ollama:", "ollama:a b"])
def test_a_reference_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a model reference"):
        resolve(Registry(), text, providers=("ollama",))


names = st.sampled_from(
    [":".join(parts) for parts in product(("gemma3", "qwen3", "ollama"), ("latest", "4b"))]
) | st.sampled_from(["gemma3", "qwen3", "ollama"])
refs = st.builds(ModelRef, st.sampled_from(["ollama", "lms"]), names)


@given(st.sets(refs))
def test_every_known_model_is_reached_by_its_reference(known: set[ModelRef]) -> None:
    registry = knowing(*map(str, known))
    assert {resolve(registry, str(ref), providers=()) for ref in known} == known


@given(st.sets(refs), refs)
def test_a_reference_to_a_known_provider_stays_there_and_keeps_its_name(known: set[ModelRef], ref: ModelRef) -> None:
    resolved = resolve(knowing(*map(str, known)), str(ref), providers=("ollama", "lms"))
    assert resolved in (ref, ModelRef(ref.provider, f"{ref.name}:latest"))


@given(st.sets(refs, min_size=1), names)
def test_a_bare_name_never_means_a_model_of_another_name(known: set[ModelRef], name: str) -> None:
    try:
        resolved = resolve(knowing(*map(str, known)), name, providers=())
    except (AmbiguousModel, UnknownModel):
        return
    assert resolved.name == name or resolved.name.startswith(f"{name}:") or str(resolved).startswith(name)


def test_a_provider_alone_is_no_model_and_says_how_to_see_its_models() -> None:
    with pytest.raises(UnknownModel) as raised:
        resolve(knowing("ollama:gemma3:4b"), "openai", providers=("openai",))
    assert raised.value.message == "`openai` is a provider; its models are `openai:name`"
    assert raised.value.hint == "mmai models --provider openai"


@pytest.mark.parametrize("text", ["./my models/X.mlpackage", "X.mlmodel", "/models/X.mlmodelc/"])
def test_a_path_alone_is_told_how_a_file_is_named(text: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        resolve(knowing("coreml:X"), text, providers=("coreml",))
    assert refused.value.message == f"no model `{text}`: a file is named `coreml:{text}`"
    assert refused.value.hint == f"mmai run -m {quote(f'coreml:{text}')}"


def test_a_path_may_have_spaces_and_a_name_may_not() -> None:
    assert resolve(Registry(), "coreml:./my models/X y.mlpackage", providers=("coreml",)).name == "./my models/X y.mlpackage"
    for text in ("ollama:gemma 3", "coreml:./a\nb/X.mlpackage", "coreml:./a\tb/X.mlpackage"):
        with pytest.raises(UsageError, match="is not a model reference"):
            resolve(Registry(), text, providers=("ollama", "coreml"))
