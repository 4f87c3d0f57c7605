"""Anthropic's answers, in events and whole, whichever way their bytes arrive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.anthropic import MessageStream, message_events
from mmai.errors import (
    AuthError,
    CallError,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    RateLimited,
)
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, TextEvent, Usage
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall

REF = ModelRef("anthropic", "claude-opus-5-5")
WHERE = "Anthropic at `box:443`"


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


def start(**usage: int) -> bytes:
    message: dict[str, Any] = {"id": "msg_1", "role": "assistant", "model": REF.name, "content": [], "stop_reason": None}
    return event("message_start", message=message | {"usage": {"input_tokens": 3, "output_tokens": 1, **usage}})


def block(index: int = 0, **content: Any) -> bytes:
    return event("content_block_start", index=index, content_block=content or {"type": "text", "text": ""})


def delta(kind: str, index: int = 0, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def text(words: str, index: int = 0) -> bytes:
    return delta("text_delta", index, text=words)


def stop(index: int = 0) -> bytes:
    return event("content_block_stop", index=index)


def ended(reason: str = "end_turn", **usage: Any) -> bytes:
    fields = {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 2, **usage}}
    return event("message_delta", **fields)


SEAL = '[{"type":"thinking","thinking":"hm","signature":"EqQB"}]'
LAST = event("message_stop")
PING = event("ping")
HELLO = start() + block() + PING + text("Hel") + text("lo") + stop() + ended() + LAST
END = FinishedEvent(usage=Usage(input_tokens=3, output_tokens=2))


def tool(arguments: str, index: int = 1) -> bytes:
    called = block(index, type="tool_use", id="toolu_1", name="weather", input={})
    return called + delta("input_json_delta", index, partial_json=arguments) + stop(index)


def events_of(*pieces: bytes) -> list[Event]:
    stream = MessageStream(REF, where=WHERE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + list(stream.close())


def failing(*pieces: bytes) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    stream = MessageStream(REF, where=WHERE)
    came: list[Event] = []
    with pytest.raises(MmaiError) as raised:
        for piece in pieces:
            came.extend(stream.feed(piece))
        came.extend(stream.close())
    return came, raised.value


# Content


def test_text_comes_as_it_arrives_and_ends_with_what_it_took() -> None:
    assert events_of(HELLO) == [TextEvent("Hel"), TextEvent("lo"), END]


def test_the_stream_is_finished_when_the_message_stops() -> None:
    stream = MessageStream(REF, where=WHERE)
    assert list(stream.feed(HELLO[: -len(LAST)]))
    assert not stream.finished
    assert list(stream.feed(LAST)) == [END]
    assert stream.finished
    assert list(stream.feed(text("more"))) == list(stream.close()) == []


def test_thinking_is_told_apart_and_its_signature_is_nobodys_text() -> None:
    thoughts = block(type="thinking", thinking="", signature="") + delta("thinking_delta", thinking="hm")
    signed = delta("signature_delta", signature="EqQB") + stop()
    redacted = block(1, type="redacted_thinking", data="xyz") + stop(1)
    events = events_of(start() + thoughts + signed + redacted + block(2) + text("Hello", 2) + stop(2) + ended() + LAST)
    assert events == [ReasoningEvent("hm"), TextEvent("Hello"), END]


def test_empty_deltas_say_nothing() -> None:
    empty = text("") + delta("thinking_delta", thinking="")
    assert events_of(start() + block() + empty + stop() + ended() + LAST) == [END]


def test_text_that_stands_in_the_start_of_a_block_is_not_lost() -> None:
    assert events_of(start() + block(type="text", text="Hi") + stop() + ended() + LAST)[0] == TextEvent("Hi")


def test_citations_are_passed_over_without_being_counted() -> None:
    cited = delta("citations_delta", citation={"type": "char_location", "cited_text": "x"})
    assert events_of(start() + block() + text("Hi") + cited + stop() + ended() + LAST) == [TextEvent("Hi"), END]


def test_a_call_of_a_tool_comes_when_its_arguments_are_whole() -> None:
    pieces = [delta("input_json_delta", partial_json=part) for part in ("", '{"town": ', '"Rome"}')]
    called = block(type="tool_use", id="toolu_1", name="weather", input={}) + b"".join(pieces) + stop()
    call, end = events_of(start() + called + ended("tool_use") + LAST)
    assert call == ToolCall("weather", {"town": "Rome"}, "toolu_1")
    assert isinstance(end, FinishedEvent)
    assert end.reason == "tool_calls"


def test_the_first_call_carries_the_thoughts_before_it_sealed() -> None:
    thought = block(type="thinking", thinking="", signature="")
    grown = (
        delta("thinking_delta", thinking="h")
        + delta("thinking_delta", thinking="m")
        + delta("signature_delta", signature="EqQB")
    )
    events = events_of(start() + thought + grown + stop() + tool("{}", 1) + tool("{}", 2) + ended("tool_use") + LAST)
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert [call.signature for call in calls] == [SEAL, None]


def test_calls_side_by_side_keep_their_own_arguments() -> None:
    calls = block(0, type="tool_use", id="a", name="f", input={}) + block(1, type="tool_use", id="b", name="g", input={})
    parts = delta("input_json_delta", 1, partial_json='{"y": 1}') + delta("input_json_delta", 0, partial_json='{"x": 0}')
    events = events_of(start() + calls + parts + stop(0) + stop(1) + ended("tool_use") + LAST)
    assert events[:-1] == [ToolCall("f", {"x": 0}, "a"), ToolCall("g", {"y": 1}, "b")]


def test_a_call_without_arguments_has_none() -> None:
    assert events_of(start() + tool("") + ended("tool_use") + LAST)[0] == ToolCall("weather", {}, "toolu_1")


def test_a_call_that_was_cut_for_its_length_is_no_call() -> None:
    (end,) = events_of(start() + tool('{"town": "Ro') + ended("max_tokens") + LAST)
    assert isinstance(end, FinishedEvent)
    assert end.reason == "length"


def test_arguments_that_are_no_object_are_an_error() -> None:
    came, error = failing(start() + tool("[1]") + ended("tool_use") + LAST)
    assert came == []
    assert isinstance(error, ProtocolError)
    assert error.message == f"{WHERE} called a tool with arguments that are no JSON object: `[1]`"


# The end


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("something_new", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "filter"),
    ],
)
def test_each_reason_to_stop_has_its_word(said: str, reason: str) -> None:
    end = events_of(start() + ended(said) + LAST)[-1]
    assert isinstance(end, FinishedEvent)
    assert end.reason == reason


def test_input_tokens_include_the_cached_and_the_newly_cached() -> None:
    end = events_of(start(cache_read_input_tokens=5, cache_creation_input_tokens=7) + ended() + LAST)[-1]
    assert isinstance(end, FinishedEvent)
    assert end.usage == Usage(input_tokens=15, cached_tokens=5, cache_write_tokens=7, output_tokens=2)


def test_later_counts_replace_earlier_ones_and_what_is_not_repeated_stays() -> None:
    details = {"thinking_tokens": 30}
    end = events_of(
        start() + ended(output_tokens=9) + ended(input_tokens=4, output_tokens=40, output_tokens_details=details) + LAST
    )
    assert end == [FinishedEvent(usage=Usage(input_tokens=4, output_tokens=40, reasoning_tokens=30))]


def test_counts_that_were_never_told_are_unknown() -> None:
    bare = event("message_start", message={"model": REF.name, "usage": None})
    assert events_of(bare + event("message_delta", delta={"stop_reason": "end_turn"}) + LAST) == [FinishedEvent()]


def test_another_model_than_was_asked_for_is_named() -> None:
    other = event(
        "message_start", message={"model": "claude-opus-5-5-20260922", "usage": {"input_tokens": 1, "output_tokens": 1}}
    )
    end = events_of(other + ended() + LAST)[-1]
    assert isinstance(end, FinishedEvent)
    assert end.resolved_model == "claude-opus-5-5-20260922"


def test_a_message_that_said_why_it_ended_is_whole_without_its_last_event() -> None:
    assert events_of(HELLO[: -len(LAST)])[-1] == END


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert events_of(HELLO[:-1])[-1] == END


@pytest.mark.parametrize("cut", [start(), start() + block() + text("Hel"), HELLO[: -len(ended() + LAST)]])
def test_a_message_that_just_ends_is_incomplete(cut: bytes) -> None:
    came, error = failing(cut)
    assert came == ([TextEvent("Hel"), TextEvent("lo")][: cut.count(b"text_delta")])
    assert isinstance(error, IncompleteAnswer)
    assert (error.reason, error.exit_code) == ("cut", 9)


@pytest.mark.parametrize("nothing", [b"", b"<html>sorry</html>", b"data: {}\n\n", event("hello"), b": comment\n\n"])
def test_what_is_no_message_at_all_breaks_the_protocol(nothing: bytes) -> None:
    came, error = failing(nothing)
    assert (came, type(error)) == ([], ProtocolError)


# What is not understood


def test_unknown_events_and_deltas_are_passed_over_and_counted() -> None:
    strange = event("weather_report", sky="blue") + delta("smell_delta", smell="roses")
    end = events_of(start() + block() + strange + PING + stop() + ended() + LAST)[-1]
    assert isinstance(end, FinishedEvent)
    assert end.skipped_lines == 2


def test_one_malformed_event_is_passed_over_and_counted() -> None:
    events = events_of(start() + block() + text("Hel") + b"data: {oops\n\n" + text("lo") + stop() + ended() + LAST)
    assert events[:2] == [TextEvent("Hel"), TextEvent("lo")]
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].skipped_lines == 1


def test_the_second_malformed_event_is_an_error_that_shows_it() -> None:
    came, error = failing(start() + block() + text("Hel") + b"data: {oops\n\n" + b'data: {"type": 7}\n\n' + text("lo"))
    assert came == [TextEvent("Hel")]
    assert isinstance(error, ProtocolError)
    assert error.message == f'{WHERE} sent 2 events that are not its protocol, the last `{{"type": 7}}`'


# Errors within a stream


@pytest.mark.parametrize(
    ("kind", "message", "error", "status"),
    [
        ("overloaded_error", "Overloaded", ProviderError, 529),
        ("api_error", "Internal server error", ProviderError, 500),
        ("timeout_error", "Timed out", ProviderError, 504),
        ("brand_new_error", "Something", ProviderError, 500),
        ("rate_limit_error", "Slow down", RateLimited, 429),
        ("authentication_error", "invalid x-api-key", AuthError, 401),
        ("permission_error", "no", AuthError, 403),
        ("invalid_request_error", "messages: too odd", InvalidRequest, 400),
        ("invalid_request_error", "prompt is too long: 200679 tokens > 200000 maximum", ContextOverflow, 400),
    ],
)
def test_an_error_event_raises_what_its_type_says_and_keeps_the_text_before_it(
    kind: str, message: str, error: type[CallError], status: int
) -> None:
    came, raised = failing(start() + block() + text("Hel") + event("error", error={"type": kind, "message": message}))
    assert came == [TextEvent("Hel")]
    assert type(raised) is error
    assert isinstance(raised, CallError)
    assert (raised.status, message in raised.message) == (status, True)


# Any chunking


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Texts, and the stream that says them in pieces cut anywhere."""
    texts = draw(st.lists(st.text(min_size=1, max_size=8), max_size=6))
    said = (
        start()
        + block()
        + b"".join(text(words) for words in texts)
        + stop()
        + tool('{"town": "Rome"}')
        + ended("tool_use")
        + LAST
    )
    whole = said.replace(b"\n", draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return texts, [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(cut_streams())
def test_any_cutting_of_a_stream_gives_the_same_events(stream: tuple[list[str], list[bytes]]) -> None:
    texts, pieces = stream
    assert events_of(*pieces) == [
        *(TextEvent(words) for words in texts),
        ToolCall("weather", {"town": "Rome"}, "toolu_1"),
        FinishedEvent(reason="tool_calls", usage=Usage(input_tokens=3, output_tokens=2)),
    ]


@given(st.integers(0, len(HELLO)))
def test_a_cut_anywhere_loses_no_text_that_came_and_passes_for_whole_only_once_the_reason_is_told(at: int) -> None:
    stream = MessageStream(REF, where=WHERE)
    came = list(stream.feed(HELLO[:at]))
    try:
        came += stream.close()
    except MmaiError:
        assert at < HELLO.index(LAST)
        assert came == [TextEvent("Hel"), TextEvent("lo")][: len(came)]
    else:
        assert came[:2] == [TextEvent("Hel"), TextEvent("lo")]
        assert isinstance(came[2], FinishedEvent)
        assert came[2].usage == Usage(input_tokens=3, output_tokens=2)


# Whole answers


def whole(**fields: Any) -> bytes:
    message = {"type": "message", "model": REF.name, "stop_reason": "end_turn", "content": [{"type": "text", "text": "Hello"}]}
    return json.dumps(message | {"usage": {"input_tokens": 3, "output_tokens": 2}} | fields).encode()


def test_a_whole_answer_gives_the_same_events() -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "text", "text": "Hello", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"town": "Rome"}},
        {"type": "server_tool_use", "id": "x", "name": "web_search", "input": {}},
    ]
    assert message_events(whole(content=content, stop_reason="tool_use"), REF, where=WHERE) == [
        ReasoningEvent("hm"),
        TextEvent("Hello"),
        ToolCall("weather", {"town": "Rome"}, "toolu_1", SEAL),
        FinishedEvent(reason="tool_calls", usage=Usage(input_tokens=3, output_tokens=2)),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"content": 3}', whole(stop_reason=None)])
def test_a_whole_answer_that_is_none_breaks_the_protocol(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        message_events(body, REF, where=WHERE)


def test_an_error_in_disguise_raises_what_it_says() -> None:
    body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    with pytest.raises(ProviderError) as raised:
        message_events(body, REF, where=WHERE)
    assert raised.value.status == 529
