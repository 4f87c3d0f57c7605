"""Chat completions read, streamed and whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.openai import ChatStream, chat_events
from mmai.errors import IncompleteAnswer, MmaiError, ProtocolError, ProviderError, QuotaExceeded, RateLimited
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, ServerTimings, TextEvent, Usage
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall

REF = ModelRef("openai", "gpt-4.1-mini")
WHERE = "OpenAI at `box:443`"
DONE = b"data: [DONE]\n\n"
COUNTED = {"prompt_tokens": 26, "completion_tokens": 7, "total_tokens": 33}


def sse(*records: dict[str, Any] | bytes) -> bytes:
    return b"".join(
        record if isinstance(record, bytes) else b"data: " + json.dumps(record, ensure_ascii=False).encode() + b"\n\n"
        for record in records
    )


def said(text: str | None = None, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": ({"content": text} if text is not None else {}) | delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "model": REF.name, "choices": [choice]}


def counted(**more: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "model": REF.name, "choices": [], "usage": COUNTED | more}


def called(index: int | None, arguments: Any, name: str | None = None, id: str | None = None) -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return place | {"id": id, "function": {"name": name, "arguments": arguments}}


def events_of(*pieces: bytes) -> list[Event]:
    stream = ChatStream(REF, where=WHERE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + list(stream.close())


def failing(*pieces: bytes) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    stream = ChatStream(REF, where=WHERE)
    came: list[Event] = []
    with pytest.raises(MmaiError) as raised:
        for piece in pieces:
            came.extend(stream.feed(piece))
        came.extend(stream.close())
    return came, raised.value


def last_of(*records: dict[str, Any] | bytes) -> FinishedEvent:
    last = events_of(sse(*records))[-1]
    assert isinstance(last, FinishedEvent)
    return last


def test_a_stream_is_its_texts_and_an_end_with_what_was_counted() -> None:
    stream = sse(said("", role="assistant"), said("Hel"), said("lo"), said(finish_reason="stop"), counted(), DONE)
    assert events_of(stream) == [
        TextEvent("Hel"),
        TextEvent("lo"),
        FinishedEvent(usage=Usage(input_tokens=26, output_tokens=7)),
    ]


@pytest.mark.parametrize(
    "end", [DONE, DONE + DONE, b"", DONE + b"data: rubbish\n\ndata: more\n\n", b"data: [DONE]", b": bye\n\n"]
)
def test_the_mark_of_the_end_may_come_never_twice_or_before_rubbish(end: bytes) -> None:
    assert events_of(sse(said("a"), said(finish_reason="stop"), end)) == [TextEvent("a"), FinishedEvent()]


def test_usage_may_come_with_the_chunk_that_finishes() -> None:
    assert last_of(said("a", "stop") | {"usage": COUNTED}, DONE).usage == Usage(input_tokens=26, output_tokens=7)


def test_the_latest_usage_is_the_whole_one() -> None:
    first = said("a") | {"usage": {"prompt_tokens": 26, "completion_tokens": 1}}
    assert last_of(first, said(finish_reason="stop"), counted()).usage.output_tokens == 7


def test_cached_written_audible_and_thought_tokens_are_told_apart() -> None:
    usage = last_of(
        said("a", "stop"),
        counted(
            prompt_tokens_details={"cached_tokens": 9, "audio_tokens": 4, "cache_write_tokens": 2},
            completion_tokens_details={"reasoning_tokens": 5},
        ),
    ).usage
    assert usage == Usage(
        input_tokens=26, output_tokens=7, cached_tokens=9, cache_write_tokens=2, reasoning_tokens=5, audio_tokens=4
    )


def test_deepseeks_cached_tokens_have_a_name_of_their_own() -> None:
    assert last_of(said("a", "stop"), counted(prompt_cache_hit_tokens=20)).usage.cached_tokens == 20


def test_thinking_that_is_counted_beside_the_completion_is_added_to_it() -> None:
    beside = counted(total_tokens=38, completion_tokens_details={"reasoning_tokens": 5})
    within = counted(total_tokens=33, completion_tokens_details={"reasoning_tokens": 5})
    assert last_of(said("a", "stop"), beside).usage.output_tokens == 12
    assert last_of(said("a", "stop"), within).usage.output_tokens == 7


def test_what_llamacpp_measures_is_told_and_counts_where_nothing_else_does() -> None:
    timings = {
        "cache_n": 6,
        "prompt_n": 20,
        "prompt_ms": 40.0,
        "prompt_per_second": 500.0,
        "predicted_n": 7,
        "predicted_ms": 70.0,
        "predicted_per_second": 100.0,
    }
    last = last_of(said("a", "stop") | {"timings": timings}, DONE)
    assert last.server == ServerTimings(
        prompt_ms=40.0, decode_ms=70.0, prompt_tokens_per_second=500.0, decode_tokens_per_second=100.0
    )
    assert last.usage == Usage(input_tokens=26, output_tokens=7, cached_tokens=6)
    assert last_of(said("a", "stop") | {"timings": timings}, counted()).usage.cached_tokens is None


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_has_two_names_and_is_no_part_of_the_answer(field: str) -> None:
    assert events_of(sse(said(**{field: "hm"}), said("a", "stop"))) == [ReasoningEvent("hm"), TextEvent("a"), FinishedEvent()]


def test_thinking_under_both_names_at_once_is_told_once() -> None:
    assert events_of(sse(said(reasoning="hm", reasoning_content="hm"), said("a", "stop")))[0] == ReasoningEvent("hm")


def test_parts_in_place_of_text_are_read() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    record = said()
    record["choices"][0]["delta"]["content"] = [thought, {"type": "text", "text": "a"}]
    assert events_of(sse(record, said(finish_reason="stop"))) == [ReasoningEvent("hm"), TextEvent("a"), FinishedEvent()]


def test_the_fragments_of_calls_are_put_together_by_their_index() -> None:
    stream = sse(
        said(tool_calls=[called(0, "", "weather", "c0")]),
        said(tool_calls=[called(0, '{"city": "O')]),
        said(tool_calls=[called(1, "", "now", "c1"), called(0, 'slo"}')]),
        said(tool_calls=[called(1, "{}")]),
        said(finish_reason="tool_calls"),
        DONE,
    )
    assert events_of(stream) == [
        ToolCall("weather", {"city": "Oslo"}, "c0"),
        ToolCall("now", {}, "c1"),
        FinishedEvent(reason="tool_calls"),
    ]


@pytest.mark.parametrize(
    "fragments",
    [
        [called(None, '{"n": 1}', "a", "c0"), called(None, '{"n": 2}', "b", "c1")],
        [called(0, '{"n": 1}', "a", "c0"), called(0, '{"n": 2}', "b", "c1")],
        [called(None, {"n": 1}, "a", "c0"), called(None, {"n": 2}, "b", "c1")],
        [called(0, '{"n"', "a", "c0"), called(0, ": 1}", "a", "c0"), called(1, '{"n": 2}', "b", "c1")],
    ],
    ids=["no index", "the same index", "objects", "the name again"],
)
def test_calls_are_told_apart_as_other_servers_send_them(fragments: list[dict[str, Any]]) -> None:
    records = [said(tool_calls=[fragment]) for fragment in fragments]
    calls = events_of(sse(*records, said(finish_reason="stop")))
    assert calls == [ToolCall("a", {"n": 1}, "c0"), ToolCall("b", {"n": 2}, "c1"), FinishedEvent(reason="tool_calls")]


def test_a_call_without_arguments_has_none() -> None:
    assert events_of(sse(said(tool_calls=[called(0, "", "now", "c")]), said(finish_reason="stop")))[0] == ToolCall(
        "now", {}, "c"
    )


def test_the_older_form_of_a_call_is_read() -> None:
    records = [
        said(function_call={"name": "now", "arguments": '{"zone"'}),
        said(function_call={"arguments": ': "UTC"}'}),
        said(finish_reason="function_call"),
    ]
    assert events_of(sse(*records)) == [ToolCall("now", {"zone": "UTC"}), FinishedEvent(reason="tool_calls")]


def test_arguments_that_are_no_object_are_an_error() -> None:
    _, error = failing(sse(said(tool_calls=[called(0, "{oops", "now", "c")]), said(finish_reason="tool_calls")))
    assert isinstance(error, ProtocolError)
    assert error.message == "`now` was called with arguments that are no JSON object: `{oops`"


def test_a_call_that_the_limit_cut_short_is_left_out() -> None:
    records = [said(tool_calls=[called(0, '{"n": 1}', "a", "c0"), called(1, '{"n', "b", "c1")]), said(finish_reason="length")]
    assert events_of(sse(*records)) == [ToolCall("a", {"n": 1}, "c0"), FinishedEvent(reason="length")]


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("content_filter", "filter"),
        ("eos", "stop"),
    ],
)
def test_the_reason_of_the_end_is_told(finish_reason: str, reason: str) -> None:
    assert last_of(said("a"), said(finish_reason=finish_reason)).reason == reason


def test_a_refusal_is_what_the_model_says_and_a_filter() -> None:
    assert events_of(sse(said(refusal="I can"), said(refusal="not."), said(finish_reason="stop"))) == [
        TextEvent("I can"),
        TextEvent("not."),
        FinishedEvent(reason="filter"),
    ]


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource"])
def test_a_reason_that_is_a_break_is_an_incomplete_answer(reason: str) -> None:
    came, error = failing(sse(said("Hel"), said(finish_reason=reason), DONE))
    assert came == [TextEvent("Hel")]
    assert isinstance(error, IncompleteAnswer)
    assert (error.reason, error.message) == ("cut", f"{WHERE} broke the answer off: `{reason}`")


@pytest.mark.parametrize(("named", "resolved"), [(REF.name, None), ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14")])
def test_another_model_than_the_one_asked_for_is_named(named: str, resolved: str | None) -> None:
    assert last_of(said("a", "stop") | {"model": named}).resolved_model == resolved


def test_other_choices_than_the_first_are_not_read() -> None:
    record = said("a")
    record["choices"].append({"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"})
    assert events_of(sse(record, said(finish_reason="stop"))) == [TextEvent("a"), FinishedEvent()]


def test_a_stream_that_ends_by_its_mark_alone_is_whole() -> None:
    assert events_of(sse(said("a"), DONE)) == [TextEvent("a"), FinishedEvent()]


def test_a_stream_without_its_end_is_incomplete_and_keeps_its_text() -> None:
    came, error = failing(sse(said("Hel"), said("lo")))
    assert came == [TextEvent("Hel"), TextEvent("lo")]
    assert isinstance(error, IncompleteAnswer)
    assert error.reason == "cut"


@pytest.mark.parametrize("body", [b"", b"\n\n", DONE, b": keep-alive\n\n", b"<html>hello</html>\n", b"data: oops\n\n" + DONE])
def test_nothing_and_web_pages_are_no_answer(body: bytes) -> None:
    came, error = failing(body)
    assert came == []
    assert isinstance(error, ProtocolError)


def test_one_malformed_event_is_skipped_and_counted() -> None:
    assert events_of(sse(said("a"), b"data: {nonsense\n\n", said("b", "stop"))) == [
        TextEvent("a"),
        TextEvent("b"),
        FinishedEvent(skipped_lines=1),
    ]


@pytest.mark.parametrize("second", [b"data: {nonsense\n\n", b'data: {"choices": 3}\n\n'])
def test_the_second_malformed_event_is_an_error_after_the_text_before_it(second: bytes) -> None:
    came, error = failing(sse(said("a"), b"data: oops\n\n", said("b"), second, said("c")))
    assert came == [TextEvent("a"), TextEvent("b")]
    assert isinstance(error, ProtocolError)
    assert "2 events" in error.message


def test_events_that_mean_nothing_here_are_counted_and_no_error() -> None:
    strange = {"object": "ping"}
    assert last_of(strange, strange, strange, said("a", "stop")).skipped_lines == 3


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"message": "boom", "type": "server_error"}, ProviderError, 500),
        ({"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}, RateLimited, 429),
        ({"message": "no money", "code": "insufficient_quota"}, QuotaExceeded, 429),
        ({"message": "busy", "type": "overloaded_error"}, ProviderError, 529),
        ({"message": "upstream", "code": 502}, ProviderError, 502),
        ("boom", ProviderError, 500),
    ],
)
def test_an_error_within_the_stream_is_raised_as_what_it_says(error: Any, kind: type[ProviderError], status: int) -> None:
    came, raised = failing(sse(said("a"), {"error": error}, said("b")))
    assert came == [TextEvent("a")]
    assert type(raised) is kind
    assert isinstance(raised, ProviderError | RateLimited)
    assert raised.status == status
    assert raised.message.startswith(f"{WHERE} failed: ")


def test_an_error_within_a_choice_is_raised() -> None:
    record = said("", "error")
    record["choices"][0]["error"] = {"code": 502, "message": "upstream fell over"}
    came, error = failing(sse(said("a"), record))
    assert came == [TextEvent("a")]
    assert error.message == f"{WHERE} failed: upstream fell over"


def test_an_error_that_is_no_event_is_raised_where_the_answer_is_missing() -> None:
    _, error = failing(b'{"error": {"message": "model is broken", "code": 503}}')
    assert isinstance(error, ProviderError)
    assert (error.status, error.message) == (503, f"{WHERE} failed: model is broken")


def test_an_answer_can_break_once_its_end_is_told() -> None:
    stream = ChatStream(REF, where=WHERE)
    list(stream.feed(sse(said("a"))))
    assert not stream.ended
    list(stream.feed(sse(said(finish_reason="stop"))))
    assert (stream.ended, stream.finished) == (True, False)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Texts, and the bytes of a stream that says them cut anywhere, within characters and line ends too."""
    said_texts = draw(st.lists(texts, max_size=5))
    call = said(tool_calls=[called(0, '{"n": "é"}', "a", "c")])
    whole = sse(*(said(text) for text in said_texts), call, said(finish_reason="stop"), counted(), DONE)
    whole = whole.replace(b"\n", draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return said_texts, [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(cut_streams())
def test_any_cutting_of_a_stream_gives_the_same_events(stream: tuple[list[str], list[bytes]]) -> None:
    said_texts, pieces = stream
    assert events_of(*pieces) == [
        *(TextEvent(text) for text in said_texts),
        ToolCall("a", {"n": "é"}, "c"),
        FinishedEvent(reason="tool_calls", usage=Usage(input_tokens=26, output_tokens=7)),
    ]


# Whole answers


def whole_events(body: object) -> list[Event]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(chat_events(data, REF, where=WHERE))


def test_a_whole_answer_gives_the_same_events() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "now", "arguments": '{"zone": "UTC"}'}}]
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "refusal": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    assert whole_events({"model": "other", "choices": [choice], "usage": COUNTED}) == [
        ReasoningEvent("hm"),
        TextEvent("Hello"),
        ToolCall("now", {"zone": "UTC"}, "c"),
        FinishedEvent(reason="tool_calls", usage=Usage(input_tokens=26, output_tokens=7), resolved_model="other"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff",
        {"choices": []},
        {"ok": True},
        {"error": {"message": "no"}},
        {"choices": [{"index": "x"}]},
    ],
)
def test_what_holds_no_answer_is_a_failure(body: object) -> None:
    with pytest.raises(ProviderError):
        whole_events(body)
