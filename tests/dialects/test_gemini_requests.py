from typing import Any

import msgspec
import pytest
from builders import a_recording, a_request, an_image

from mmai.dialects.gemini import dropped, embed_body, generate_body
from mmai.values.event import DroppedEvent
from mmai.values.request import AudioPart, Message, Request, TextPart, Tool, ToolCall

FLASH = "gemini-2.5-flash"


def body(request: Request, name: str = FLASH, **how: Any) -> Any:
    return msgspec.json.decode(generate_body(name, request, **how))


def thought(name: str, think: Any) -> Any:
    """`thinkingConfig`, and why a part of the wish is dropped."""
    request = a_request(think=think)
    config = body(request, name).get("generationConfig", {}).get("thinkingConfig")
    return config, [event.reason for event in dropped(name, request)]


def test_a_plain_question_is_its_turn_alone() -> None:
    assert body(a_request("hi")) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_the_system_turns_stand_apart_and_the_models_own_are_its() -> None:
    turns = (
        Message("system", (TextPart("be brief"),)),
        Message("user", (TextPart("hi"),)),
        Message("assistant", (TextPart("hello"),)),
        Message("user", (TextPart("bye"),)),
    )
    asked = body(Request(messages=turns))
    assert asked["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert [turn["role"] for turn in asked["contents"]] == ["user", "model", "user"]


def test_images_and_recordings_travel_in_the_turn_as_base64() -> None:
    speech = AudioPart(b"ID3", "audio/mpeg")
    parts = body(a_request("what is it?", an_image(), speech, a_recording()))["contents"][0]["parts"]
    assert parts[:3] == [
        {"text": "what is it?"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "SUQz"}},
    ]
    assert parts[3]["inlineData"]["mimeType"] == "audio/wav"


def test_tools_are_declared_with_their_json_schemas() -> None:
    schema = {"type": "object", "properties": {"zone": {"type": "string"}}}
    asked = body(a_request("hi", tools=(Tool("now", "the time", schema), Tool("stop", "end it", {}))))
    assert asked["tools"] == [
        {
            "functionDeclarations": [
                {"name": "now", "description": "the time", "parametersJsonSchema": schema},
                {"name": "stop", "description": "end it"},
            ]
        }
    ]


def test_calls_go_back_with_id_and_seal_and_their_answers_as_one_turn() -> None:
    calls = (ToolCall("now", {"zone": "UTC"}, "c1", "c2VhbA=="), ToolCall("day", {}))
    turns = (
        Message("user", (TextPart("when?"),)),
        Message("assistant", (), calls),
        Message("tool", (TextPart("12:00"),), tool_name="now", tool_call_id="c1"),
        Message("tool", (TextPart("Monday"),), tool_name="day"),
        Message("user", (TextPart("thanks"),)),
    )
    assert body(Request(messages=turns))["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "now", "args": {"zone": "UTC"}, "id": "c1"}, "thoughtSignature": "c2VhbA=="},
                {"functionCall": {"name": "day", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "now", "response": {"result": "12:00"}, "id": "c1"}},
                {"functionResponse": {"name": "day", "response": {"result": "Monday"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "thanks"}]},
    ]


def test_options_have_googles_names() -> None:
    request = a_request(temperature=0.0, max_tokens=9, stop=("a", "b"), seed=7)
    assert body(request)["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 9,
        "stopSequences": ["a", "b"],
        "seed": 7,
    }
    assert list(dropped(FLASH, request)) == []


def test_a_schema_asks_for_json_of_that_shape() -> None:
    schema = {"type": "object", "required": ["a"]}
    assert body(a_request(schema=schema))["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }


def test_extra_options_are_tuning_unless_they_stand_at_the_top() -> None:
    tools: list[Any] = [{"googleSearch": {}}]
    request = a_request(
        temperature=0.5, extra={"topK": 3, "temperature": 0.1, "tools": tools, "cachedContent": "cachedContents/x"}
    )
    asked = body(request)
    assert asked["generationConfig"] == {"temperature": 0.1, "topK": 3}
    assert (asked["tools"], asked["cachedContent"]) == (tools, "cachedContents/x")


def test_what_is_wanted_back_is_named() -> None:
    asked = body(a_request("a cat"), modalities=("TEXT", "IMAGE"))
    assert asked["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}


def test_a_sixth_stop_is_dropped_and_said_so() -> None:
    request = a_request(stop=tuple("abcdef"))
    assert body(request)["generationConfig"]["stopSequences"] == list("abcde")
    assert list(dropped(FLASH, request)) == [DroppedEvent("stop", "Gemini takes 5, so the first 5 are sent")]


def test_how_long_weights_are_kept_is_dropped() -> None:
    request = a_request(keep_alive="5m")
    assert "generationConfig" not in body(request)
    assert [event.option for event in dropped(FLASH, request)] == ["keep_alive"]


@pytest.mark.parametrize(
    ("name", "think", "config"),
    [
        ("gemini-3.5-flash", None, None),
        ("gemini-3.5-flash", True, {"includeThoughts": True}),
        ("gemini-3.5-flash", False, {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.5-flash", "low", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3.1-pro-preview", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("gemini-flash-latest", "max", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemma-4-31b-it", "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("models/gemini-2.5-flash", True, {"thinkingBudget": -1, "includeThoughts": True}),
        ("gemini-2.5-flash", False, {"thinkingBudget": 0}),
        ("gemini-2.5-flash-lite", "low", {"thinkingBudget": 1_024, "includeThoughts": True}),
        ("gemini-2.5-flash", "max", {"thinkingBudget": 24_576, "includeThoughts": True}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32_768, "includeThoughts": True}),
        ("gemini-2.0-flash", False, None),
    ],
)
def test_a_wish_to_think_is_a_level_since_gemini_3_and_a_budget_before(name: str, think: Any, config: Any) -> None:
    assert thought(name, think) == (config, [])


@pytest.mark.parametrize(
    ("name", "think", "config", "reason"),
    [
        ("gemini-2.0-flash", True, None, "`gemini-2.0-flash` does not think"),
        ("gemma-3-27b-it", "high", None, "`gemma-3-27b-it` does not think"),
        ("gemini-2.5-pro", False, {"thinkingBudget": 128}, "Gemini Pro thinks at least a little"),
        ("gemini-3.1-pro-preview", False, {"thinkingLevel": "LOW"}, "Gemini Pro thinks at least a little"),
    ],
)
def test_a_wish_that_cannot_be_met_is_said_so(name: str, think: Any, config: Any, reason: str) -> None:
    assert thought(name, think) == (config, [reason])


def test_an_extra_thinking_config_wins() -> None:
    request = a_request(think=True, extra={"thinkingConfig": {"thinkingBudget": 5}})
    assert body(request)["generationConfig"] == {"thinkingConfig": {"thinkingBudget": 5}}


def test_an_embedding_is_of_text_and_media_together() -> None:
    request = a_request("a cat", an_image(), extra={"dimensions": 64, "taskType": "CLUSTERING"})
    assert msgspec.json.decode(embed_body("gemini-embedding-2", request)) == {
        "model": "models/gemini-embedding-2",
        "content": {"parts": [{"text": "a cat"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]},
        "outputDimensionality": 64,
        "taskType": "CLUSTERING",
    }


def test_an_embedding_takes_no_tuning() -> None:
    request = a_request(temperature=0.0, max_tokens=1, stop=("a",), seed=1, think=False, keep_alive=0)
    told = [event.option for event in dropped("gemini-embedding-001", request, embeds=True)]
    assert told == ["keep_alive", "temperature", "max_tokens", "stop", "seed", "think"]
    assert list(dropped("gemini-embedding-001", a_request(), embeds=True)) == []
