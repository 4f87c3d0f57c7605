"""What is sent to OpenAI, and to those who speak as it does."""

import json
from typing import Any

import pytest
from builders import a_card, a_cloud_card, a_request, an_image

from mmai.dialects.openai import chat_body, chat_tuning, embed_body, embed_tuning, responses_body, responses_tuning, without
from mmai.dialects.openai.names import is_usable
from mmai.dialects.openai.strict import can_be_strict
from mmai.dialects.openai.tuning import reasons
from mmai.values.event import DroppedEvent
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Message, Options, Request, TextPart, Tool, ToolCall

CLOSED = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
CLOCK = Tool("now", "The time", {"type": "object", "properties": {"zone": {"type": "string"}}})


def plain(name: str = "gpt-4.1-mini") -> ModelCard:
    return a_cloud_card(f"openai:{name}")


def reasoner(name: str = "gpt-5.6-luna") -> ModelCard:
    return a_cloud_card(f"openai:{name}")


def elsewhere(name: str = "qwen3") -> ModelCard:
    return a_card(f"vllm:{name}")


def chat(model: ModelCard, request: Request, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(chat_body(model, request, **more))
    return body


def response(model: ModelCard, request: Request, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(responses_body(model, request, **more))
    return body


def test_a_bare_request_leaves_every_default_to_the_model() -> None:
    assert chat(plain(), a_request("hi", system="Be brief.")) == {
        "model": "gpt-4.1-mini",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "stream" not in chat(plain(), a_request("hi"), stream=False)
    assert "stream_options" not in chat(plain(), a_request("hi"), stream=False)


def test_options_go_out_under_the_names_everybody_knows() -> None:
    request = a_request("hi", temperature=0.0, max_tokens=7, stop=("END",), seed=3, extra={"top_k": 4, "user": "me"})
    body = chat(elsewhere(), request)
    assert (body["temperature"], body["max_tokens"], body["stop"], body["seed"]) == (0.0, 7, ["END"], 3)
    assert (body["top_k"], body["user"]) == (4, "me")
    assert chat_tuning(elsewhere(), request.options).dropped == ()


def test_a_model_of_openai_that_reasons_takes_its_limit_under_another_name_and_neither_temperature_nor_stop() -> None:
    request = a_request("hi", temperature=0.2, max_tokens=7, stop=("END",), seed=3)
    body = chat(reasoner(), request)
    assert body["max_completion_tokens"] == 7
    assert {"max_tokens", "temperature", "stop"}.isdisjoint(body)
    assert [event.option for event in chat_tuning(reasoner(), request.options).dropped] == ["temperature", "stop"]


def test_a_model_that_is_told_not_to_think_takes_a_temperature() -> None:
    body = chat(reasoner(), a_request("hi", temperature=0.2, think=False))
    assert (body["temperature"], body["reasoning_effort"]) == (0.2, "none")


def test_nobody_here_keeps_a_model_in_memory() -> None:
    request = a_request("hi", keep_alive="10m")
    dropped = (DroppedEvent("keep_alive", "the protocol has none"),)
    assert chat_tuning(elsewhere(), request.options).dropped == dropped
    assert responses_tuning(reasoner(), request.options).dropped == dropped
    assert "keep_alive" not in chat(elsewhere(), request)


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("o1", True),
        ("o3-mini", True),
        ("o4-mini-2025-04-16", True),
        ("gpt-5", True),
        ("gpt-5.4-nano", True),
        ("gpt-6.1-terra", True),
        ("gpt-10", True),
        ("codex-mini-latest", True),
        ("ft:gpt-5-mini:acme::1", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4.1", False),
        ("gpt-4o", False),
        ("gpt-35-turbo", False),
        ("omni-moderation-latest", False),
        ("chatgpt-4o-latest", False),
    ],
)
def test_the_names_of_models_that_reason_are_known(name: str, does: bool) -> None:
    assert reasons(a_cloud_card(f"openai:{name}")) is does
    assert reasons(a_card(f"groq:{name}")) is False


def test_a_card_that_says_it_thinks_is_believed() -> None:
    assert reasons(a_cloud_card("openai:mystery", capabilities=("text_generation", "thinking")))


@pytest.mark.parametrize(
    ("name", "think", "effort"),
    [
        ("gpt-5.6-luna", True, "medium"),
        ("gpt-5.6-luna", "low", "low"),
        ("gpt-5.6-luna", "max", "max"),
        ("gpt-6-astra", "max", "max"),
        ("gpt-5.2", "max", "xhigh"),
        ("gpt-5.1", "max", "high"),
        ("o3", "max", "high"),
        ("gpt-5.6-luna", False, "none"),
        ("gpt-5-mini-2025-08-07", False, "minimal"),
        ("gpt-5", False, "minimal"),
        ("gpt-5.6-luna", None, None),
    ],
)
def test_thinking_is_asked_for_as_far_as_each_model_knows_it(name: str, think: Any, effort: str | None) -> None:
    tuning = chat_tuning(reasoner(name), Options(think=think))
    assert (tuning.fields.get("reasoning_effort"), tuning.dropped) == (effort, ())


@pytest.mark.parametrize(("name", "think"), [("o3", False), ("gpt-5-pro", False), ("gpt-4.1", True)])
def test_a_wish_about_thinking_that_cannot_be_met_is_told(name: str, think: bool) -> None:
    tuning = chat_tuning(plain(name), Options(think=think))
    assert tuning.fields == {}
    assert [event.option for event in tuning.dropped] == ["think"]


def test_a_model_that_cannot_think_is_not_told_to_stop() -> None:
    assert chat_tuning(plain(), Options(think=False)).dropped == ()
    assert chat_tuning(plain(), Options(think=False)).fields == {}


def test_other_servers_are_asked_for_an_effort_they_all_know() -> None:
    assert chat_tuning(elsewhere(), Options(think="max")).fields == {"reasoning_effort": "high"}
    assert chat_tuning(elsewhere(), Options(think=False)).fields == {"reasoning_effort": "none"}


def test_images_and_recordings_stand_among_the_text_in_their_order() -> None:
    parts = (
        TextPart("look"),
        ImagePart(b"\x89PNG", "image/png"),
        AudioPart(b"RIFF", "audio/x-wav"),
        AudioPart(b"ID3", "audio/mpeg"),
    )
    (turn,) = chat(plain(), Request(messages=(Message("user", parts),)))["messages"]
    assert turn["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
    ]


def test_texts_alone_are_one_text() -> None:
    (turn,) = chat(plain(), a_request("a", TextPart("b")))["messages"]
    assert turn["content"] == "a\n\nb"


CALLED = (
    Message("user", (TextPart("What time is it?"),)),
    Message("assistant", (), tool_calls=(ToolCall("now", {"zone": "UTC"}, "c1"),)),
    Message("tool", (TextPart("12:00"),), tool_name="now", tool_call_id="c1"),
)


def test_calls_and_their_results_go_back_with_their_ids() -> None:
    body = chat(plain(), Request(messages=CALLED, tools=(CLOCK,)))
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "now", "arguments": '{"zone":"UTC"}'}}],
        },
        {"role": "tool", "content": "12:00", "tool_call_id": "c1"},
    ]
    assert body["tools"] == [
        {"type": "function", "function": {"name": "now", "description": "The time", "parameters": CLOCK.parameters}}
    ]


def test_calls_of_a_provider_without_ids_get_some_and_their_results_find_them() -> None:
    messages = (
        Message("assistant", (), tool_calls=(ToolCall("a", {}), ToolCall("b", {}))),
        Message("tool", (TextPart("1"),), tool_name="a"),
        Message("tool", (TextPart("2"),), tool_name="b"),
        Message("assistant", (), tool_calls=(ToolCall("c", {}),)),
        Message("tool", (TextPart("3"),), tool_name="c"),
    )
    turns = chat(plain(), Request(messages=messages))["messages"]
    assert [call["id"] for turn in turns for call in turn.get("tool_calls", ())] == ["call_0", "call_1", "call_2"]
    assert [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"] == ["call_0", "call_1", "call_2"]


def test_a_schema_is_strict_where_it_can_be() -> None:
    wanted = chat(plain(), a_request("hi", schema=CLOSED))["response_format"]
    assert wanted == {"type": "json_schema", "json_schema": {"name": "answer", "schema": CLOSED, "strict": True}}
    loose = {"type": "object", "properties": {"n": {}}}
    assert chat(plain(), a_request("hi", schema=loose))["response_format"]["json_schema"]["strict"] is False


@pytest.mark.parametrize(
    ("changed", "can"),
    [
        ({}, True),
        ({"title": "A number", "description": "Any"}, True),
        ({"additionalProperties": True}, False),
        ({"required": []}, False),
        ({"type": "array"}, False),
        ({"minProperties": 1}, False),
        ({"properties": {"n": {"type": "integer", "default": 1}}}, False),
        ({"properties": {"n": {"type": "object"}}}, False),
        ({"properties": {"n": {"type": ["object", "null"]}}}, False),
        ({"properties": {"n": CLOSED}}, True),
        ({"properties": {"n": {"type": "array", "items": CLOSED}}}, True),
        ({"properties": {"n": {"type": "array", "items": {"type": "object"}}}}, False),
        ({"properties": {"n": {"anyOf": [{"type": "null"}, CLOSED]}}}, True),
        ({"properties": {"n": {"anyOf": [{"type": "null"}, {"properties": {}}]}}}, False),
        ({"properties": {"n": {"oneOf": [CLOSED]}}}, False),
        ({"properties": {"n": {"type": "string", "format": "date"}}}, True),
        ({"properties": {"n": {"type": "string", "format": "color"}}}, False),
        ({"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": CLOSED}}, True),
        ({"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "object"}}}, False),
        ({"properties": {"n": True}}, False),
    ],
)
def test_only_a_closed_schema_in_the_words_that_are_supported_is_strict(changed: dict[str, Any], can: bool) -> None:
    assert can_be_strict(CLOSED | changed) is can


# Responses


def test_a_response_is_asked_for_with_items_and_is_not_kept() -> None:
    assert response(reasoner(), a_request("hi", system="Be brief.")) == {
        "model": "gpt-5.6-luna",
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "store": False,
        "stream": True,
    }
    assert response(reasoner(), a_request("hi", extra={"store": True}), stream=False)["store"] is True


def test_options_of_a_response_have_names_of_their_own() -> None:
    request = a_request("hi", max_tokens=7, think="high", seed=1, stop=("END",), temperature=0.1)
    body = response(reasoner(), request)
    assert (body["max_output_tokens"], body["reasoning"]) == (7, {"effort": "high", "summary": "auto"})
    assert {"seed", "stop", "temperature", "max_tokens"}.isdisjoint(body)
    assert [event.option for event in responses_tuning(reasoner(), request.options).dropped] == ["seed", "stop", "temperature"]
    assert response(reasoner(), a_request("hi", think=False))["reasoning"] == {"effort": "none"}


def test_calls_are_items_of_a_response() -> None:
    body = response(reasoner(), Request(messages=CALLED, tools=(CLOCK,), schema=CLOSED))
    assert body["input"][1:] == [
        {"type": "function_call", "call_id": "c1", "name": "now", "arguments": '{"zone":"UTC"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "12:00"},
    ]
    assert body["tools"] == [
        {"type": "function", "strict": False, "name": "now", "description": "The time", "parameters": CLOCK.parameters}
    ]
    assert body["text"] == {"format": {"type": "json_schema", "name": "answer", "schema": CLOSED, "strict": True}}


def test_an_image_is_an_input_of_a_response() -> None:
    (turn,) = response(reasoner(), a_request("look", an_image()))["input"]
    assert turn["content"] == [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
    ]


# Embeddings, and what is left out the second time


def test_an_embedding_is_asked_for_in_numbers() -> None:
    request = a_request("a", temperature=0.5, extra={"dimensions": 256})
    assert json.loads(embed_body(plain("text-embedding-3-small"), request)) == {
        "model": "text-embedding-3-small",
        "input": "a",
        "encoding_format": "float",
        "dimensions": 256,
    }
    assert embed_tuning(request.options).dropped == (DroppedEvent("temperature", "an embedding has none"),)


def left(body: dict[str, Any], name: str, *refused: str) -> tuple[dict[str, Any], str | None] | None:
    rest = without(json.dumps(body).encode(), name, refused=refused)
    return rest and (json.loads(rest[0]), rest[1])


def test_a_field_that_is_refused_is_left_out_and_its_option_told() -> None:
    assert left({"model": "m", "seed": 1}, "seed") == ({"model": "m"}, "seed")
    assert left({"model": "m", "reasoning_effort": "low"}, "reasoning_effort") == ({"model": "m"}, "think")
    assert left({"model": "m", "top_k": 1}, "top_k") == ({"model": "m"}, "top_k")
    assert left({"model": "m"}, "seed") is None


def test_a_limit_is_sent_under_its_other_name_before_it_is_lost() -> None:
    assert left({"max_tokens": 9}, "max_tokens") == ({"max_completion_tokens": 9}, None)
    assert left({"max_completion_tokens": 9}, "max_completion_tokens") == ({"max_tokens": 9}, None)
    assert left({"max_completion_tokens": 9}, "max_completion_tokens", "max_tokens") == ({}, "max_tokens")


def test_what_nobody_asked_for_is_left_out_in_silence() -> None:
    assert left({"stream_options": {"include_usage": True}}, "stream_options") == ({}, None)
    assert left({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning.summary") == (
        {"reasoning": {"effort": "low"}},
        None,
    )
    assert left({"reasoning": {"effort": "low"}}, "reasoning.effort") == ({}, "think")
    assert left({"reasoning": {"effort": "low"}}, "reasoning.summary") is None


@pytest.mark.parametrize("name", ["omni-moderation-latest", "gpt-realtime", "sora-2", "davinci-002", "gpt-3.5-turbo-instruct"])
def test_names_that_no_protocol_here_can_ask_are_known(name: str) -> None:
    assert not is_usable(name)
    assert is_usable("gpt-5.6-luna")
