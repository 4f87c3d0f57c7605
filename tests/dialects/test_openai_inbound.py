"""A chat served: what a client asks is read back, and what it is told reads as our own events."""

import json
from typing import Any

import pytest
from builders import a_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.openai import ChatStream, chat_body, chat_events
from mmai.dialects.openai.errors import told_error
from mmai.dialects.openai.inbound import ChatAsked, read_chat
from mmai.dialects.openai.outbound import ChatWriter, error_body
from mmai.errors import (
    AuthError,
    ContextOverflow,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    UnknownModel,
    UsageError,
)
from mmai.values.event import DroppedEvent, Event, FinishedEvent, FinishReason, ReasoningEvent, TextEvent, Usage
from mmai.values.model import ModelRef
from mmai.values.request import AudioPart, ImagePart, Message, Options, Request, TextPart, Tool, ToolCall

MODEL = a_card("lab:m")
WHERE = "`lab`"

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
numbers = st.integers(0, 1_000)
objects = st.dictionaries(texts, texts | numbers, max_size=2)
words = st.builds(TextPart, texts)
images = st.builds(ImagePart, st.binary(max_size=6), st.sampled_from(["image/png", "image/jpeg"]))
sounds = st.builds(AudioPart, st.binary(max_size=6), st.sampled_from(["audio/wav", "audio/mpeg", "audio/flac"]))
plain_turns = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.tuples(words))
rich_turns = st.builds(Message, st.just("user"), st.tuples(words, images | sounds, words))


@st.composite
def tool_turns(draw: st.DrawFn) -> list[Message]:
    """A call, and its result."""
    name, called = draw(texts), draw(texts)
    call = ToolCall(name, draw(objects), called)
    said = draw(st.tuples() | st.tuples(words))
    return [
        Message("assistant", said, tool_calls=(call,)),
        Message("tool", (draw(words),), tool_name=name, tool_call_id=called),
    ]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    turns = draw(st.lists(plain_turns | rich_turns, min_size=1, max_size=3)) + draw(st.just([]) | tool_turns())
    maybe: Any = {
        "temperature": st.floats(0, 2),
        "max_tokens": numbers,
        "seed": numbers,
        "think": st.sampled_from([False, "low", "medium", "high"]),
    }
    options: Any = draw(st.fixed_dictionaries({}, optional=maybe))
    extra = draw(st.dictionaries(st.sampled_from(["top_k", "user", "logit_bias"]), numbers, max_size=2))
    return Request(
        messages=tuple(turns),
        options=Options(stop=tuple(draw(st.lists(texts, max_size=2))), extra=extra, **options),
        schema=draw(st.none() | st.just({"type": "object", "properties": {"n": {}}})),
        tools=tuple(draw(st.lists(st.builds(Tool, texts, texts, objects), max_size=2))),
    )


@given(requests(), st.booleans())
def test_reading_what_was_written_gives_the_request_back(request: Request, stream: bool) -> None:
    assert read_chat(chat_body(MODEL, request, stream=stream)) == ChatAsked("m", request, stream, stream)


def asked(**fields: Any) -> ChatAsked:
    return read_chat(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | fields).encode())


def test_what_clients_leave_out_is_left_to_the_model() -> None:
    assert asked() == ChatAsked("m", Request(messages=(Message("user", (TextPart("hi"),)),)), streams=False, counts=False)


def test_other_ways_to_say_the_same_are_read() -> None:
    request = asked(
        max_completion_tokens=9, stop="END", reasoning_effort="xhigh", response_format={"type": "json_object"}
    ).request
    assert request.options == Options(max_tokens=9, stop=("END",), think="max")
    assert request.schema == {"type": "object"}
    assert asked(response_format={"type": "text"}).request.schema is None
    developer = [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}]
    assert asked(messages=developer).request.messages == (Message("system", (TextPart("Be brief."),)),)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"messages": 3}, "messages"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, r"messages\[0\].role"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "`file` cannot be read"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}]},
            "nothing is fetched",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:a/b;base64,!"}}]}]},
            "base64",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "["}}]}]},
            "`f` has arguments",
        ),
        ({"temperature": "hot"}, "temperature"),
        ({"reasoning_effort": "some"}, "`some` is no reasoning effort"),
    ],
)
def test_what_cannot_be_read_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(**fields)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}"])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="no chat completion request"):
        read_chat(body)


# What the client is told

counts = st.none() | numbers
usages = st.builds(
    Usage,
    input_tokens=numbers,
    output_tokens=numbers,
    cached_tokens=counts,
    cache_write_tokens=counts,
    reasoning_tokens=counts,
    audio_tokens=counts,
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    said: list[Event] = list(draw(st.lists(st.builds(TextEvent, texts) | st.builds(ReasoningEvent, texts), max_size=5)))
    ids = draw(st.lists(texts, max_size=3, unique=True))
    calls: list[Event] = [ToolCall(draw(texts), draw(objects), called) for called in ids]
    reason: FinishReason = "tool_calls" if calls else draw(st.sampled_from(["stop", "length", "filter"]))
    return [*said, *calls, FinishedEvent(reason=reason, usage=draw(usages), resolved_model=draw(st.none() | st.just("other")))]


def a_writer(**fields: Any) -> ChatWriter:
    return ChatWriter("m", id="chatcmpl-1", created=1, **fields)


@given(answers())
def test_a_stream_that_was_written_reads_as_the_events_it_was_written_from(events: list[Event]) -> None:
    writer = a_writer()
    stream = ChatStream(ModelRef("lab", "m"), where=WHERE)
    read = [event for written in events for event in stream.feed(writer.write(written))]
    assert stream.finished
    assert read == events


@given(answers())
def test_a_whole_answer_that_was_written_says_the_same(events: list[Event]) -> None:
    read = list(chat_events(a_writer().whole(events), ModelRef("lab", "m"), where=WHERE))
    assert read[-1] == events[-1]
    assert [event for event in read if isinstance(event, ToolCall)] == [
        event for event in events if isinstance(event, ToolCall)
    ]
    for kind in (TextEvent, ReasoningEvent):
        said = ["".join(event.text for event in some if isinstance(event, kind)) for some in (read, events)]
        assert said[0] == said[1]


def test_usage_is_streamed_only_to_whoever_asks_for_it() -> None:
    end = FinishedEvent(usage=Usage(input_tokens=3, output_tokens=2))
    assert b'"total_tokens":5' in a_writer().write(end)
    assert b"usage" not in a_writer(counts=False).write(end)
    assert b'"total_tokens"' not in a_writer().write(FinishedEvent(usage=Usage(input_tokens=3)))


def test_what_is_no_part_of_a_chat_is_not_told() -> None:
    assert a_writer().write(DroppedEvent("seed", "none")) == b""


def test_a_call_without_an_id_gets_one() -> None:
    writer = a_writer()
    written = (
        writer.write(ToolCall("a", {})) + writer.write(ToolCall("b", {})) + writer.write(FinishedEvent(reason="tool_calls"))
    )
    read = list(ChatStream(ModelRef("lab", "m"), where=WHERE).feed(written))
    assert read[:2] == [ToolCall("a", {}, "call_0"), ToolCall("b", {}, "call_1")]


@pytest.mark.parametrize(
    "kind", [AuthError, ContextOverflow, InvalidRequest, ProviderError, QuotaExceeded, RateLimited, UnknownModel]
)
def test_a_failure_that_was_written_is_raised_as_the_same(kind: type[MmaiError]) -> None:
    fault = json.loads(error_body(kind("so it is")))["error"]
    assert fault["message"] == "so it is"
    assert type(told_error(fault, where=WHERE, ref=ModelRef("lab", "m"))) is kind
