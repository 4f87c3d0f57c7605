"""Responses read, streamed and whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.openai import ResponsesStream, responses_events
from mmai.errors import ContextOverflow, IncompleteAnswer, MmaiError, ProtocolError, ProviderError, QuotaExceeded, RateLimited
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, TextEvent, Usage
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall

REF = ModelRef("openai", "gpt-5.6-luna")
WHERE = "OpenAI at `box:443`"
COUNTED = {
    "input_tokens": 26,
    "input_tokens_details": {"cached_tokens": 9, "cache_write_tokens": 2},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 33,
}
USAGE = Usage(input_tokens=26, output_tokens=7, cached_tokens=9, cache_write_tokens=2, reasoning_tokens=5)
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "now", "arguments": '{"zone": "UTC"}'}


def sse(*happenings: dict[str, Any] | bytes) -> bytes:
    return b"".join(
        happened
        if isinstance(happened, bytes)
        else f"event: {happened['type']}\ndata: {json.dumps(happened, ensure_ascii=False)}\n\n".encode()
        for happened in happenings
    )


def said(text: str, kind: str = "output_text") -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "delta": text, "item_id": "m", "output_index": 0}


def ended(status: str = "completed", **more: Any) -> dict[str, Any]:
    response = {"id": "r", "status": status, "model": REF.name, "output": [], "usage": COUNTED} | more
    return {"type": f"response.{status}", "response": response}


def message(*texts: str, kind: str = "output_text") -> dict[str, Any]:
    field = "refusal" if kind == "refusal" else "text"
    return {"type": "message", "role": "assistant", "content": [{"type": kind, field: text} for text in texts]}


def events_of(*pieces: bytes) -> list[Event]:
    stream = ResponsesStream(REF, where=WHERE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + list(stream.close())


def failing(*pieces: bytes) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    stream = ResponsesStream(REF, where=WHERE)
    came: list[Event] = []
    with pytest.raises(MmaiError) as raised:
        for piece in pieces:
            came.extend(stream.feed(piece))
        came.extend(stream.close())
    return came, raised.value


def test_a_stream_is_its_texts_and_an_end_with_what_was_counted() -> None:
    begun = {"type": "response.created", "response": {"status": "in_progress", "output": []}}
    assert events_of(sse(begun, said("Hel"), said("lo"), ended(output=[message("Hello")]))) == [
        TextEvent("Hel"),
        TextEvent("lo"),
        FinishedEvent(usage=USAGE),
    ]


def test_thinking_comes_in_paragraphs() -> None:
    def part(index: int) -> dict[str, Any]:
        return {"type": "response.reasoning_summary_part.added", "summary_index": index, "part": {}}

    thought = [part(0), said("one", "reasoning_summary_text"), part(1), said("two", "reasoning_summary_text")]
    assert events_of(sse(*thought, said("a"), ended()))[:4] == [
        ReasoningEvent("one"),
        ReasoningEvent("\n\n"),
        ReasoningEvent("two"),
        TextEvent("a"),
    ]
    assert events_of(sse(said("hm", "reasoning_text"), ended()))[0] == ReasoningEvent("hm")


def test_a_call_is_told_once_though_it_comes_twice() -> None:
    fragments = [said('{"zone"', "function_call_arguments"), said(': "UTC"}', "function_call_arguments")]
    done = {"type": "response.output_item.done", "item": CALL}
    assert events_of(sse(*fragments, done, ended(output=[CALL]))) == [
        ToolCall("now", {"zone": "UTC"}, "c1"),
        FinishedEvent(reason="tool_calls", usage=USAGE),
    ]


def test_what_was_not_streamed_is_read_from_the_whole_response() -> None:
    assert events_of(sse(ended(output=[message("Hel", "lo"), CALL]))) == [
        TextEvent("Hel"),
        TextEvent("lo"),
        ToolCall("now", {"zone": "UTC"}, "c1"),
        FinishedEvent(reason="tool_calls", usage=USAGE),
    ]


@pytest.mark.parametrize(("why", "reason"), [("max_output_tokens", "length"), ("content_filter", "filter")])
def test_an_incomplete_response_says_why(why: str, reason: str) -> None:
    last = events_of(sse(said("a"), ended("incomplete", incomplete_details={"reason": why})))[-1]
    assert isinstance(last, FinishedEvent)
    assert last.reason == reason


def test_a_response_that_was_broken_off_is_incomplete() -> None:
    for last in (ended("cancelled"), ended("incomplete", incomplete_details={"reason": "steered"})):
        came, error = failing(sse(said("a"), last))
        assert came == [TextEvent("a")]
        assert isinstance(error, IncompleteAnswer)
        assert error.reason == "cut"


def test_a_refusal_is_what_the_model_says_and_a_filter() -> None:
    assert events_of(sse(said("No.", "refusal"), ended(output=[message("No.", kind="refusal")]))) == [
        TextEvent("No."),
        FinishedEvent(reason="filter", usage=USAGE),
    ]


@pytest.mark.parametrize(
    ("happened", "kind"),
    [
        (ended("failed", error={"code": "server_error", "message": "boom"}), ProviderError),
        (ended("failed", error={"code": "rate_limit_exceeded", "message": "boom"}), RateLimited),
        ({"type": "error", "code": "insufficient_quota", "message": "boom", "param": None}, QuotaExceeded),
        ({"type": "error", "code": "context_length_exceeded", "message": "boom"}, ContextOverflow),
        ({"type": "error", "error": {"type": "server_error", "message": "boom"}}, ProviderError),
    ],
)
def test_a_failure_within_the_stream_is_raised_as_what_it_says(happened: dict[str, Any], kind: type[MmaiError]) -> None:
    came, error = failing(sse(said("a"), happened))
    assert came == [TextEvent("a")]
    assert type(error) is kind
    assert error.message == f"{WHERE} failed: boom"


def test_a_stream_without_its_last_event_is_incomplete() -> None:
    came, error = failing(sse(said("a"), {"type": "response.output_text.done", "text": "a"}))
    assert came == [TextEvent("a")]
    assert isinstance(error, IncompleteAnswer)


@pytest.mark.parametrize("body", [b"", b"data: [DONE]\n\n", b"<html></html>", b"data: {}\n\n"])
def test_nothing_is_no_answer(body: bytes) -> None:
    came, error = failing(body)
    assert came == []
    assert isinstance(error, ProtocolError)


def test_what_nothing_here_understands_is_skipped_and_counted() -> None:
    last = events_of(sse({"type": "keepalive"}, b"data: oops\n\n", said("a"), ended(), said("b")))[-1]
    assert isinstance(last, FinishedEvent)
    assert last.skipped_lines == 2


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), max_size=4), st.data())
def test_any_cutting_of_a_stream_gives_the_same_events(texts: list[str], data: st.DataObject) -> None:
    whole = sse(*(said(text) for text in texts), ended(output=[CALL]))
    whole = whole.replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert events_of(*pieces) == [
        *(TextEvent(text) for text in texts),
        ToolCall("now", {"zone": "UTC"}, "c1"),
        FinishedEvent(reason="tool_calls", usage=USAGE),
    ]


def test_a_whole_response_gives_the_same_events() -> None:
    thought = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
    }
    body = ended(output=[thought, message("Hello"), CALL], model="gpt-5.6-luna-2026-03-01")["response"]
    assert list(responses_events(json.dumps(body).encode(), REF, where=WHERE)) == [
        ReasoningEvent("one\n\ntwo"),
        TextEvent("Hello"),
        ToolCall("now", {"zone": "UTC"}, "c1"),
        FinishedEvent(reason="tool_calls", usage=USAGE, resolved_model="gpt-5.6-luna-2026-03-01"),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"error": {"message": "no"}}', b'{"status": "failed", "output": []}']
)
def test_what_holds_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderError):
        list(responses_events(body, REF, where=WHERE))
