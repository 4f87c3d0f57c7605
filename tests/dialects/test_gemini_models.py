import json

import pytest
from fakes.google import usual_models

from mmai.dialects.gemini import assumed, full_name, parse_models
from mmai.dialects.gemini.models import short_name
from mmai.errors import ProtocolError
from mmai.values.model import ModelCard
from mmai.values.task import Modality

URL = "https://generativelanguage.googleapis.com"
CHAT = ("text_generation", "vision", "audio", "tools", "json_schema")


def parse(body: bytes) -> tuple[list[ModelCard], str | None]:
    return parse_models(body, provider="google", url=URL, locality="cloud", where="there")


def usual() -> dict[str, ModelCard]:
    cards, _ = parse(json.dumps({"models": [model.listed for model in usual_models()]}).encode())
    return {card.name: card for card in cards}


def test_models_asked_in_other_ways_are_left_out() -> None:
    assert list(usual()) == [
        "gemini-2.5-flash",
        "gemini-3.5-flash",
        "gemini-2.5-flash-image",
        "gemini-2.5-flash-preview-tts",
        "gemini-embedding-001",
    ]


def test_a_chat_model_is_known_by_its_limits_and_guessed_by_its_kind() -> None:
    assert usual()["gemini-2.5-flash"] == ModelCard(
        provider="google",
        name="gemini-2.5-flash",
        endpoints=(URL,),
        locality="cloud",
        capabilities=(*CHAT, "thinking"),
        capabilities_guessed=True,
        inputs=(Modality.TEXT, Modality.IMAGE, Modality.AUDIO),
        context_tokens=1_048_576,
        max_output_tokens=65_536,
    )


def test_a_model_that_embeds_is_known_for_that() -> None:
    card = usual()["gemini-embedding-001"]
    assert (card.capabilities, card.capabilities_guessed) == (("embedding",), False)
    assert (card.context_tokens, card.max_output_tokens) == (2_048, None)


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [
        ("gemini-3.5-flash", CHAT),
        ("gemini-2.5-flash-image", ("image_generation", "vision")),
        ("gemini-nano-banana-2.1", ("image_generation", "vision")),
        ("gemini-2.5-pro-preview-tts", ("speech_synthesis",)),
        ("gemini-3.5-transcribe", ("speech_transcription",)),
        ("gemini-embedding-001", ("embedding",)),
        ("gemma-3-27b-it", ("text_generation",)),
        ("tunedModels/mine", CHAT),
    ],
)
def test_an_assumed_model_is_what_its_name_says(name: str, capabilities: tuple[str, ...]) -> None:
    card = assumed(f"models/{name}" if "/" not in name else name, provider="google", locality="cloud")
    assert (card.name, card.capabilities, card.capabilities_guessed, card.endpoints) == (name, capabilities, True, ())


def test_names_are_said_short_and_sent_full() -> None:
    assert (short_name("models/gemini-x"), short_name("tunedModels/mine")) == ("gemini-x", "tunedModels/mine")
    assert [full_name(name) for name in ("gemini-x", "models/gemini-x", "tunedModels/mine")] == [
        "models/gemini-x",
        "models/gemini-x",
        "tunedModels/mine",
    ]


def test_the_token_of_the_next_page_is_told() -> None:
    assert parse(b'{"models": [], "nextPageToken": "abc"}') == ([], "abc")
    assert parse(b"{}") == ([], None)


def test_limits_that_are_not_told_are_unknown() -> None:
    body = b'{"models": [{"name": "models/x", "supportedGenerationMethods": ["generateContent"], "inputTokenLimit": 0}]}'
    (card,), _ = parse(body)
    assert (card.context_tokens, card.max_output_tokens) == (None, None)


def test_what_is_no_list_says_so() -> None:
    with pytest.raises(ProtocolError, match="there did not send its list of models: a web page"):
        parse(b"<html>")
