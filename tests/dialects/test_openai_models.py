"""Lists of models, from OpenAI's bare names to what others add."""

import json
from typing import Any

import pytest

from mmai.dialects.openai import assumed, parse_models
from mmai.errors import ProtocolError
from mmai.values.model import FREE, Locality, ModelCard, Price
from mmai.values.task import Modality

URL = "https://api.openai.com/v1"


def cards(*entries: dict[str, Any], provider: str = "openai", locality: Locality = "cloud", **more: Any) -> list[ModelCard]:
    body = json.dumps({"object": "list", "data": entries} | more).encode()
    return parse_models(body, provider=provider, url=URL, locality=locality, where="`box`")


def card(entry: dict[str, Any], **more: Any) -> ModelCard:
    (found,) = cards({"object": "model", "created": 1, "owned_by": "system"} | entry, **more)
    return found


def test_openai_gives_names_and_the_day_a_model_goes() -> None:
    found = card({"id": "gpt-4.1", "shutdown_date": "2026-12-01"})
    assert str(found.ref) == "openai:gpt-4.1"
    assert (found.endpoints, found.locality, found.price) == ((URL,), "cloud", None)
    assert (found.deprecated, found.context_tokens) == ("2026-12-01", None)
    assert (found.capabilities, found.capabilities_guessed) == (("text_generation",), True)
    assert card({"id": "gpt-4.1", "shutdown_date": None}).deprecated is None


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("text-embedding-3-small", "embedding"),
        ("nomic-embed-text", "embedding"),
        ("BAAI/bge-m3", "embedding"),
        ("gpt-4o-mini-tts", "speech_synthesis"),
        ("tts-1-hd", "speech_synthesis"),
        ("whisper-1", "speech_transcription"),
        ("gpt-4o-transcribe-diarize", "speech_transcription"),
        ("gpt-image-2.5-flare", "image_generation"),
        ("chatgpt-image-latest", "image_generation"),
        ("dall-e-3", "image_generation"),
    ],
)
def test_a_name_that_speaks_of_one_thing_does_that_alone(name: str, capability: str) -> None:
    found = card({"id": name})
    assert (found.capabilities, found.capabilities_guessed) == ((capability,), False)
    assert assumed(name, provider="openai", locality="cloud").capabilities == (capability,)


def test_openais_own_names_that_cannot_be_asked_are_left_out() -> None:
    names = ["gpt-4.1", "omni-moderation-latest", "gpt-realtime", "sora-2-pro", "babbage-002"]
    assert [found.name for found in cards(*({"id": name} for name in names))] == ["gpt-4.1"]
    assert len(cards(*({"id": name} for name in names), provider="lab")) == 5


def test_a_name_that_reasons_is_guessed_to_think() -> None:
    assert card({"id": "o3"}).capabilities == ("text_generation", "thinking")
    assert card({"id": "o3"}, provider="lab").capabilities == ("text_generation",)


def test_a_model_nobody_listed_is_taken_at_its_word() -> None:
    found = assumed("gpt-9-nova", provider="openai", locality="cloud")
    assert (found.endpoints, found.capabilities_guessed, found.price) == ((), True, None)
    assert assumed("qwen3", provider="vllm", locality="local").price == FREE


OPENROUTER = {
    "id": "openai/gpt-5.6-luna",
    "canonical_slug": "openai/gpt-5.6-luna-20260301",
    "context_length": 400_000,
    "architecture": {
        "modality": "text+image->text",
        "input_modalities": ["text", "image", "file"],
        "output_modalities": ["text"],
    },
    "pricing": {
        "prompt": "0.0000002",
        "completion": "0.0000012",
        "input_cache_read": "0.00000002",
        "image": "0",
        "request": "0",
    },
    "top_provider": {"context_length": 400_000, "max_completion_tokens": 128_000, "is_moderated": True},
    "supported_parameters": ["max_tokens", "tools", "reasoning", "structured_outputs"],
    "expiration_date": None,
}


def test_openrouter_tells_everything() -> None:
    found = card(OPENROUTER, provider="openrouter")
    assert (found.context_tokens, found.max_output_tokens) == (400_000, 128_000)
    assert found.capabilities == ("text_generation", "vision", "tools", "json_schema", "thinking")
    assert (found.capabilities_guessed, found.inputs) == (False, (Modality.TEXT, Modality.IMAGE))
    assert found.price == Price(input_usd_per_mtok=0.2, output_usd_per_mtok=1.2, cached_usd_per_mtok=0.02)


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "0", "completion": "0"}, Price(input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)),
        ({"prompt": "soon", "completion": "0.1"}, None),
        ({"prompt": "0.000001"}, None),
        (None, None),
    ],
)
def test_a_price_that_is_not_told_is_unknown(pricing: Any, price: Price | None) -> None:
    assert card(OPENROUTER | {"pricing": pricing}, provider="openrouter").price == price


def test_a_model_that_draws_at_openrouter_is_one() -> None:
    draws = {"architecture": {"input_modalities": ["text"], "output_modalities": ["image", "text"]}, "supported_parameters": []}
    assert card(OPENROUTER | draws, provider="openrouter").capabilities == ("text_generation", "image_generation")


def test_vllm_tells_the_window() -> None:
    found = card({"id": "Qwen/Qwen3-8B", "max_model_len": 40_960, "root": "x"}, provider="vllm", locality="local")
    assert (found.context_tokens, found.price, found.locality) == (40_960, FREE, "local")


def test_mistral_tells_what_a_model_can() -> None:
    capabilities = {
        "completion_chat": True,
        "function_calling": True,
        "vision": True,
        "fine_tuning": False,
        "completion_fim": False,
    }
    found = card(
        {"id": "mistral-large-2512", "capabilities": capabilities, "max_context_length": 262_144, "deprecation": "2027-01-01"},
        provider="mistral",
    )
    assert found.capabilities == ("text_generation", "tools", "vision", "json_schema")
    assert (found.context_tokens, found.deprecated, found.capabilities_guessed) == (262_144, "2027-01-01", False)


def test_mistrals_embedding_models_embed() -> None:
    told = {"completion_chat": False, "function_calling": False}
    assert card({"id": "mistral-embed", "capabilities": told}, provider="mistral").capabilities == ("embedding",)


def test_groq_tells_limits_and_what_is_switched_off() -> None:
    on = {"id": "llama-3.3-70b-versatile", "active": True, "context_window": 131_072, "max_completion_tokens": 32_768}
    (found,) = cards(on, on | {"id": "gone", "active": False}, provider="groq")
    assert (found.name, found.context_tokens, found.max_output_tokens) == ("llama-3.3-70b-versatile", 131_072, 32_768)


def test_llamacpp_tells_what_is_in_the_file() -> None:
    entry = {"id": "qwen3.gguf", "meta": {"n_ctx_train": 40_960, "n_params": 8_190_735_360, "size": 5_027_783_488}}
    models = [{"name": "qwen3.gguf", "model": "qwen3.gguf", "capabilities": ["completion", "multimodal"]}]
    found = card(entry, provider="llamacpp", locality="local", models=models)
    assert (found.context_tokens, found.parameter_count, found.size_bytes) == (40_960, 8_190_735_360, 5_027_783_488)
    assert found.capabilities == ("text_generation", "vision", "json_schema")
    # It says nothing of tools and thinking, so nothing is ruled out.
    assert found.capabilities_guessed
    assert card(entry, provider="llamacpp", locality="local").capabilities == ("text_generation",)


def test_llamacpp_tells_what_is_read_and_written_and_that_rules_nothing_out() -> None:
    entry = {"id": "qwen3.gguf", "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}}
    models = [{"name": "qwen3.gguf", "model": "qwen3.gguf", "capabilities": ["completion"]}]
    found = card(entry, provider="llamacpp", locality="local", models=models)
    assert (found.capabilities, found.capabilities_guessed) == (("text_generation", "json_schema"), True)
    assert card(entry, provider="llamacpp", locality="local").capabilities_guessed


def test_lm_studio_tells_the_kind() -> None:
    embeds = {"id": "nomic", "type": "embeddings", "max_context_length": 2_048}
    chats = {"id": "qwen", "type": "llm", "max_context_length": 32_768}
    found = cards(embeds, chats, provider="lmstudio", locality="local")
    assert [(card.capabilities, card.capabilities_guessed, card.context_tokens) for card in found] == [
        (("embedding",), False, 2_048),
        (("text_generation",), True, 32_768),
    ]


def test_together_sends_the_list_alone() -> None:
    body = json.dumps([{"id": "a/b", "type": "chat", "context_length": 8_192}, {"id": "c/d", "type": "rerank"}]).encode()
    (found,) = parse_models(body, provider="together", url=URL, locality="cloud", where="`box`")
    assert (found.name, found.context_tokens) == ("a/b", 8_192)


def test_a_fact_in_a_form_nobody_knows_hides_no_model() -> None:
    odd, plain = cards({"id": "a", "context_length": {"tokens": 9}}, {"id": "b", "context_length": 9}, provider="lab")
    assert [(found.name, found.context_tokens) for found in (odd, plain)] == [("a", None), ("b", 9)]


def test_a_name_that_comes_twice_is_one_model() -> None:
    assert len(cards({"id": "a"}, {"id": "a"}, provider="lab")) == 1


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"models": []}', b"\xff", b'{"data": 3}', b"[3]"])
def test_another_server_is_not_taken_for_one_that_lists_models(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="box"):
        parse_models(body, provider="lab", url=URL, locality="cloud", where="`box`")
