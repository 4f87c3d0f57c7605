"""What is sent to Anthropic, and what is not."""

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
from builders import a_recording, a_request, an_image
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator

from mmai.dialects.anthropic import count_fields, dropped_events, messages_body
from mmai.values.request import Message, Options, Request, Role, TextPart, Tool, ToolCall

NEW, OLD, OTHER = "claude-opus-5-5", "claude-haiku-4-5-20251001", "kimi-k3"
WEATHER = Tool("weather", "Tells it", {"type": "object", "properties": {"town": {"type": "string"}}})


def body(request: Request, name: str = NEW, *, max_tokens: int | None = 64_000, **how: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(messages_body(name, request, max_tokens=max_tokens, **how))
    return decoded


def dropped(request: Request, name: str = NEW, *, max_tokens: int | None = 64_000) -> dict[str, str]:
    return {event.option: event.reason for event in dropped_events(name, request, max_tokens=max_tokens)}


def says(role: Role, text: str, **more: Any) -> Message:
    return Message(role, (TextPart(text),) if text else (), **more)


def thinking(name: str, think: Any, **options: Any) -> tuple[Any, Any]:
    """What a model is told of thinking, and of effort."""
    sent = body(a_request(think=think, **options), name)
    return sent.get("thinking"), sent.get("output_config", {}).get("effort")


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# Turns


def test_a_plain_prompt_is_one_turn_and_the_longest_answer() -> None:
    assert body(a_request("hi")) == {
        "model": NEW,
        "messages": [{"role": "user", "content": [text("hi")]}],
        "max_tokens": 64_000,
        "stream": True,
    }


def test_a_request_for_a_whole_answer_does_not_name_streaming() -> None:
    assert "stream" not in body(a_request("hi"), stream=False)


def test_the_system_turns_are_a_field_of_their_own() -> None:
    request = Request(messages=(says("system", "Be brief."), says("user", "hi"), says("system", "Be kind.")))
    sent = body(request)
    assert sent["system"] == "Be brief.\n\nBe kind."
    assert [turn["role"] for turn in sent["messages"]] == ["user"]


def test_neighbouring_turns_of_one_side_are_one() -> None:
    request = Request(messages=(says("user", "a"), says("user", "b"), says("assistant", "c"), says("user", "d")))
    assert body(request)["messages"] == [
        {"role": "user", "content": [text("a"), text("b")]},
        {"role": "assistant", "content": [text("c")]},
        {"role": "user", "content": [text("d")]},
    ]


def test_an_image_travels_as_base64_in_its_place() -> None:
    picture = an_image()
    words, image = body(a_request("what is it?", picture))["messages"][0]["content"]
    assert words == text("what is it?")
    assert image["source"]["media_type"] == "image/png"
    assert base64.b64decode(image["source"]["data"]) == picture.data


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_a_block_of_white_space_is_left_out_since_the_api_refuses_it(blank: str) -> None:
    request = Request(messages=(Message("user", (TextPart(blank), TextPart("hi"))),))
    assert body(request)["messages"][0]["content"] == [text("hi")]


def test_a_turn_of_nothing_is_no_turn() -> None:
    request = Request(messages=(says("user", "a"), says("assistant", " "), says("user", "b")))
    assert body(request)["messages"] == [{"role": "user", "content": [text("a"), text("b")]}]


def test_a_call_of_a_tool_and_its_answer_are_blocks_of_the_two_sides() -> None:
    request = Request(
        messages=(
            says("user", "weather?"),
            says("assistant", "", tool_calls=(ToolCall("weather", {"town": "Rome"}, "toolu_1"),)),
            says("tool", "sunny", tool_name="weather", tool_call_id="toolu_1"),
            says("user", "and now?"),
        ),
        tools=(WEATHER,),
    )
    sent = body(request)
    assert sent["tools"] == [{"name": "weather", "description": "Tells it", "input_schema": WEATHER.parameters}]
    assert sent["messages"][1:] == [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"town": "Rome"}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("sunny")]}, text("and now?")],
        },
    ]


def test_the_thoughts_sealed_on_a_call_go_back_before_it_and_other_seals_do_not() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "xyz"},
    ]
    for signature, blocks in ((json.dumps(thoughts), thoughts), ("CpcBAVSoXO5", []), ('[{"type": "text"}]', []), (None, [])):
        call = ToolCall("weather", {}, "toolu_1", signature)
        (turn,) = body(Request(messages=(says("assistant", "Let me see", tool_calls=(call,)),)))["messages"]
        assert turn["content"][:-1] == [*blocks, text("Let me see")]


def test_a_call_without_an_id_is_known_by_its_function() -> None:
    request = Request(
        messages=(says("assistant", "", tool_calls=(ToolCall("weather", {}),)), says("tool", "sunny", tool_name="weather"))
    )
    called, answered = body(request)["messages"]
    assert called["content"][0]["id"] == answered["content"][0]["tool_use_id"] == "call_weather"


@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(min_size=1)),
        min_size=1,
        max_size=8,
    )
)
def test_sides_always_alternate_and_no_text_is_lost(turns: list[tuple[Role, str]]) -> None:
    sent = body(Request(messages=tuple(says(role, words, tool_name="f") for role, words in turns)))
    roles = [turn["role"] for turn in sent["messages"]]
    assert all(one != other for one, other in pairwise(roles))
    words = json.dumps(sent)
    assert all(json.dumps(said)[1:-1] in words for role, said in turns if role != "system" and said.strip())


# The longest answer


@pytest.mark.parametrize(
    ("asked", "most", "sent"), [(100, 64_000, 100), (None, 64_000, 64_000), (None, None, 8_192), (100, None, 100)]
)
def test_the_longest_answer_is_what_was_asked_or_the_models_own_or_the_default(
    asked: int | None, most: int | None, sent: int
) -> None:
    assert body(a_request(max_tokens=asked), max_tokens=most)["max_tokens"] == sent


# Sampling


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4-7",
        "claude-opus-4-8-20260528",
        "claude-sonnet-5",
        "claude-haiku-5-5",
        "claude-mythos-preview",
        "us.anthropic.claude-opus-4-7-v1:0",
        "claude-next",
    ],
)
def test_newer_models_are_sent_no_sampling_and_that_is_said(name: str) -> None:
    request = a_request(temperature=0.5, extra={"top_k": 3, "metadata": {"user_id": "u"}})
    assert not {"temperature", "top_k"} & body(request, name).keys()
    assert dropped(request, name) == {"temperature": "this model takes none", "top_k": "this model takes none"}
    assert body(request, name)["metadata"] == {"user_id": "u"}


@pytest.mark.parametrize(
    "name", [OLD, "claude-3-5-sonnet-20241022", "claude-opus-4-6", "claude-sonnet-4-20250514", "claude-2.1", OTHER]
)
def test_older_models_and_other_makers_are_sent_the_sampling_that_was_asked_for(name: str) -> None:
    request = a_request(temperature=0.5, extra={"top_k": 3})
    assert (body(request, name)["temperature"], body(request, name)["top_k"]) == (0.5, 3)
    assert dropped(request, name) == {}


def test_a_temperature_beyond_the_scale_is_its_end_and_that_is_said() -> None:
    request = a_request(temperature=1.7)
    assert body(request, OLD)["temperature"] == 1.0
    assert dropped(request, OLD) == {"temperature": "Anthropic's scale ends at 1, which was sent instead"}
    assert body(request, OTHER)["temperature"] == 1.7


def test_a_model_that_thinks_is_sent_no_temperature() -> None:
    request = a_request(temperature=0.5, think=True, extra={"top_p": 0.97})
    assert "temperature" not in body(request, OLD)
    assert body(request, OLD)["top_p"] == 0.97
    assert dropped(request, OLD) == {"temperature": "a model that thinks takes none"}


def test_seed_and_keep_alive_are_dropped_with_a_reason() -> None:
    request = a_request(seed=1, keep_alive="10m")
    assert not {"seed", "keep_alive"} & body(request).keys()
    assert dropped(request) == {"seed": "Anthropic has none", "keep_alive": "Anthropic decides itself what stays in memory"}


def test_stop_texts_are_sent_but_those_of_white_space() -> None:
    assert body(a_request(stop=("END", "\n")))["stop_sequences"] == ["END"]
    assert dropped(a_request(stop=("END", "\n"))) == {"stop": "Anthropic takes none of white space alone"}
    assert dropped(a_request(stop=("END",))) == {}
    assert "stop_sequences" not in body(a_request(stop=("\n",)))


# Thinking


def test_newer_models_decide_how_much_they_think_within_an_effort() -> None:
    adaptive = {"type": "adaptive", "display": "summarized"}
    assert thinking(NEW, True) == (adaptive, None)
    assert thinking("claude-opus-4-6", "max") == (adaptive, "max")
    assert thinking("claude-next", "low") == (adaptive, "low")


@pytest.mark.parametrize(
    ("think", "max_tokens", "budget"),
    [("low", None, 2_048), (True, None, 8_192), ("max", None, 32_000), ("high", 4_000, 2_000), ("low", 1_500, 1_024)],
)
def test_older_models_are_told_a_budget_that_leaves_room_for_the_answer(
    think: Any, max_tokens: int | None, budget: int
) -> None:
    assert thinking(OLD, think, max_tokens=max_tokens) == ({"type": "enabled", "budget_tokens": budget}, None)


def test_there_is_no_thinking_in_an_answer_that_is_shorter_than_the_least_budget() -> None:
    request = a_request(think=True, max_tokens=1_000, temperature=0.5)
    assert "thinking" not in body(request, OLD)
    assert body(request, OLD)["temperature"] == 0.5
    assert dropped(request, OLD) == {"think": "it takes more than 1024 tokens, and the whole answer may have 1000"}


def test_a_model_from_before_thinking_is_asked_for_none() -> None:
    assert thinking("claude-3-5-haiku-20241022", True) == (None, None)
    assert dropped(a_request(think=True), "claude-3-5-haiku-20241022") == {"think": "this model does not think"}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        (OLD, None),
        ("claude-opus-4-8", None),
        ("claude-opus-5", {"type": "disabled"}),
        ("claude-haiku-5-5", {"type": "disabled"}),
        ("claude-sonnet-5-5", {"type": "between_tools"}),
        (OTHER, {"type": "disabled"}),
    ],
)
def test_thinking_is_turned_off_as_each_model_wants_it(name: str, sent: Any) -> None:
    assert thinking(name, False) == (sent, None)
    assert dropped(a_request(think=False), name) == {}


@pytest.mark.parametrize("name", [NEW, "claude-fable-5", "claude-mythos-5-1", "claude-next"])
def test_a_model_that_cannot_but_think_says_so(name: str) -> None:
    assert thinking(name, False) == (None, None)
    assert dropped(a_request(think=False), name) == {"think": "this model always thinks"}


def test_nothing_is_said_of_thinking_unless_it_is_asked_for() -> None:
    assert thinking(NEW, None) == (None, None)


# The provider's own options


def test_the_providers_own_options_win_and_objects_are_merged() -> None:
    request = a_request(
        max_tokens=10, schema={"type": "string"}, extra={"max_tokens": 20, "output_config": {"effort": "xhigh"}}
    )
    sent = body(request)
    assert sent["max_tokens"] == 20
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "string"}}, "effort": "xhigh"}


# Schemas

PERSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "In full"},
        "age": {"type": ["integer", "null"], "minimum": 0},
        "tags": {
            "type": "array",
            "items": {"oneOf": [{"type": "string"}, {"$ref": "#/$defs/tag"}]},
            "minItems": 1,
            "maxItems": 3,
        },
        "seen": {"type": "string", "format": "date"},
        "phone": {"type": "string", "format": "phone"},
    },
    "required": ["name"],
    "$defs": {"tag": {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}},
}


def test_a_schema_is_closed_and_what_cannot_be_enforced_is_told_in_words() -> None:
    assert body(a_request(schema=PERSON))["output_config"]["format"]["schema"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "In full\n\n{minLength: 1}"},
            "age": {"type": ["integer", "null"], "description": "{minimum: 0}"},
            "tags": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/tag"}]},
                "minItems": 1,
                "description": "{maxItems: 3}",
            },
            "seen": {"type": "string", "format": "date"},
            "phone": {"type": "string", "description": '{format: "phone"}'},
        },
        "required": ["name"],
        "additionalProperties": False,
        "$defs": {"tag": {"type": "object", "properties": {}, "additionalProperties": False}},
    }


def test_the_schema_that_is_sent_takes_an_answer_to_the_one_that_was_asked() -> None:
    answer = {"name": "Ada", "age": None, "tags": ["x"], "seen": "1852-11-27"}
    sent = body(a_request(schema=PERSON))["output_config"]["format"]["schema"]
    Draft202012Validator.check_schema(sent)
    assert Draft202012Validator(PERSON).is_valid(answer)
    assert Draft202012Validator(sent).is_valid(answer)
    assert not Draft202012Validator(sent).is_valid(answer | {"more": 1})


# Counting


def test_counting_is_asked_of_what_weighs_on_the_input_alone() -> None:
    request = a_request("hi", an_image(), system="brief", schema={"type": "string"}, tools=(WEATHER,), think=True, stop=("x",))
    fields = count_fields(NEW, request, max_tokens=None)
    assert fields.keys() == {"model", "messages", "system", "tools", "thinking", "output_config"}
    assert fields["messages"] == body(request)["messages"]


def test_sound_is_never_sent() -> None:
    assert [block["type"] for block in body(a_request("hi", a_recording()))["messages"][0]["content"]] == ["text"]


def test_options_that_are_not_given_are_not_sent() -> None:
    assert body(Request(messages=(says("user", "hi"),), options=Options())).keys() == {
        "model",
        "messages",
        "max_tokens",
        "stream",
    }
