"""What is read of a service's answer: paths, kinds of output, streams in any pieces, failures. Pure."""

import base64
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from builders import an_image
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.custom.failures import error_text, failure
from mmai.backends.custom.paths import Paths
from mmai.backends.custom.reading import NotJson, Reading
from mmai.backends.custom.stream import ServiceStream
from mmai.errors import AuthError, IncompleteAnswer, InvalidRequest, ProtocolError, ProviderError, RateLimited
from mmai.values.event import (
    AudioEvent,
    Event,
    FinishedEvent,
    ImageEvent,
    Label,
    LabelsEvent,
    TextEvent,
    Usage,
    VectorEvent,
)
from mmai.values.model import ModelRef
from mmai.values.service import ServiceResponse

PNG = an_image().data
REF = ModelRef("lab", "m")


def reading(**response: Any) -> Reading:
    return Reading(Paths(ServiceResponse(**response), provider="lab"), where="lab at `h:1`")


def whole(answer: Any, **response: Any) -> list[Event]:
    read = reading(**response)
    return [*read.read(answer if isinstance(answer, bytes) else json.dumps(answer).encode()), read.finished()]


def streamed(data: bytes, cuts: Sequence[int] = (), **response: Any) -> list[Event]:
    described = ServiceResponse(**response)
    stream = ServiceStream(described, reading(**response))
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    events = [event for start, end in pairwise(edges) for event in stream.feed(data[start:end])]
    return events if stream.finished else [*events, *stream.close()]


def text(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextEvent))


def complaint(run: Callable[[], object], kind: type[Exception] = ProtocolError) -> str:
    with pytest.raises(kind) as caught:
        run()
    return str(caught.value)


# Outputs


def test_a_generator_answers_with_text_usage_and_why_it_ended() -> None:
    answer = [{"generated_text": "Hello", "details": {"n": 2, "in": 3, "why": "LENGTH"}}]
    paths = {"input_tokens": "[0].details.in", "output_tokens": "[0].details.n", "cached_tokens": "[0].details.none"}
    events = whole(answer, text="[0].generated_text", usage=paths, finish_reason="[0].details.why")
    assert events == [TextEvent("Hello"), FinishedEvent(reason="length", usage=Usage(input_tokens=3, output_tokens=2))]


@pytest.mark.parametrize(
    ("found", "shown"), [("é", "é"), (["a", "b"], "ab"), (0.5, "0.5"), ({"a": [1]}, '{"a":[1]}'), ([1, "a"], '[1,"a"]')]
)
def test_text_is_text_and_anything_else_is_json(found: object, shown: str) -> None:
    assert text(whole({"x": found}, text="x")) == shown


def test_an_empty_text_is_an_answer_without_text() -> None:
    assert whole({"x": ""}, text="x") == [FinishedEvent()]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("[0]", [[{"label": "NEG", "score": 0.25}, {"label": "POS", "score": 0.75}]]),
        ("[0][*].{name: label, probability: score}", [[{"label": "NEG", "score": 0.25}, {"label": "POS", "score": 0.75}]]),
        ("@", {"NEG": 0.25, "POS": 0.75}),
        ("[labels, scores]", {"labels": ["NEG", "POS"], "scores": [0.25, 0.75]}),
    ],
)
def test_classes_come_in_many_shapes_and_leave_with_the_most_probable_first(path: str, answer: Any) -> None:
    assert whole(answer, labels=path)[0] == LabelsEvent((Label("POS", 0.75), Label("NEG", 0.25)))


def test_names_alone_are_a_ranking() -> None:
    assert whole({"top": ["cat", "dog"]}, labels="top")[0] == LabelsEvent((Label("cat"), Label("dog")))
    assert whole({"top": "cat"}, labels="top")[0] == LabelsEvent((Label("cat"),))


@pytest.mark.parametrize(("path", "answer"), [("[*].{name: word, probability: score}", []), ("found[*].label", {"found": []})])
def test_a_service_that_finds_nothing_has_answered(path: str, answer: Any) -> None:
    assert whole(answer, labels=path) == [LabelsEvent(()), FinishedEvent()]


def test_a_path_that_is_wrong_is_not_an_answer_without_classes() -> None:
    said = complaint(lambda: whole([{"label": "cat", "score": 1}], labels="[*].lable"))
    assert "`labels: [*].lable` leads to nothing in " in said


def test_an_embedding_is_a_vector() -> None:
    assert whole([[1, 2.5]], vector="[0]")[0] == VectorEvent((1.0, 2.5))


def test_an_image_comes_as_its_bytes_or_as_base64_of_any_dress() -> None:
    encoded = base64.b64encode(PNG).decode()
    expected = ImageEvent(PNG, "image/png")
    assert whole(PNG, image="@")[0] == expected
    assert whole({"i": encoded}, image="i")[0] == expected
    assert whole({"i": f"data:image/jpeg;base64,{encoded}"}, image="i")[0] == expected  # its own bytes are believed
    assert whole({"all": [{"b": encoded}] * 2}, image="all[*].b")[:2] == [expected, expected]


def test_speech_comes_as_its_bytes() -> None:
    assert whole(b"ID3....", audio="@")[0] == AudioEvent(b"ID3....", "audio/mpeg")
    assert whole({"a": "data:audio/l16;base64,AAAA"}, audio="a")[0] == AudioEvent(bytes(3), "audio/l16")


def test_text_can_be_the_body_as_it_came() -> None:
    assert text(whole(b'not "json" {\n', text="@")) == 'not "json" {\n'


@pytest.mark.parametrize(
    ("response", "answer", "leads"),
    [
        ({"vector": "v"}, {"v": [[1]]}, "`vector: v` leads to `[[1]]`"),
        ({"vector": "v"}, {"v": "x"}, '`vector: v` leads to `"x"`'),
        ({"labels": "l"}, {"l": [3]}, "`labels: l` leads to `3`"),
        ({"labels": "l"}, {"l": [[{"label": "a"}]]}, "`labels: l` leads to a list in a list"),
        ({"labels": "l"}, {"l": {"a": "much"}}, '`labels: l` leads to a probability of `"much"`'),
        ({"image": "i"}, {"i": "https://x/y.png"}, '`image: i` leads to `"https://x/y.png"`'),
        ({"image": "i"}, {"i": "aGVsbG8="}, '`image: i` leads to `"aGVsbG8="`'),
        ({"image": "@"}, b'{"busy": true}', '`image: @` leads to `{"busy": true}`'),
        ({"text": "a.b", "vector": "v"}, {"a": 1}, '`text: a.b` and `vector: v` lead to nothing in `{"a": 1}`'),
        ({"text": "length(a)"}, {"a": 1}, "`text: length(a)` cannot be read: In function length()"),
    ],
)
def test_an_answer_the_paths_do_not_fit_is_named_with_path_and_find(response: dict[str, str], answer: Any, leads: str) -> None:
    assert complaint(lambda: whole(answer, **response)).startswith(f"lab at `h:1` did not answer as the settings say: {leads}")


def test_what_is_not_json_is_told_apart() -> None:
    with pytest.raises(NotJson):
        list(reading(text="a").read(b"<html>"))


@pytest.mark.parametrize("error", ["overloaded", {"message": "overloaded", "code": 3}])
def test_an_error_in_an_answer_of_success_raises(error: Any) -> None:
    assert (
        complaint(lambda: whole({"error": error}, text="x", error="error"), ProviderError) == "lab at `h:1` failed: overloaded"
    )


@pytest.mark.parametrize("nothing", [None, "", False, [], {}])
def test_an_error_that_says_nothing_is_none(nothing: object) -> None:
    assert text(whole({"error": nothing, "x": "hi"}, text="x", error="error")) == "hi"


# Streams

SSE = (
    b': hello\n\ndata: {"t": "Gr\xc3\xbc"}\n\nevent: token\r\ndata: {"t":\r\ndata:  "\xc3\x9fe"}\r\n\r\n'
    b'data: {"u": {"in": 3, "out": 2}}\n\ndata: [DONE]\n\n'
)
NDJSON = b'{"t": "Gr\xc3\xbc"}\n\n{"t": "\xc3\x9fe", "u": {"in": 3, "out": 1}}\r\n{"u": {"out": 2}, "end": true}'
PATHS: dict[str, Any] = {"text": "t", "usage": {"input_tokens": "u.in", "output_tokens": "u.out"}}
ANSWER = [TextEvent("Grü"), TextEvent("ße"), FinishedEvent(usage=Usage(input_tokens=3, output_tokens=2))]


@given(st.lists(st.integers(min_value=0), max_size=8))
def test_an_sse_stream_reads_the_same_in_any_pieces(cuts: list[int]) -> None:
    assert streamed(SSE, cuts, stream="sse", done="[DONE]", **PATHS) == ANSWER


@given(st.lists(st.integers(min_value=0), max_size=8))
def test_an_ndjson_stream_reads_the_same_in_any_pieces(cuts: list[int]) -> None:
    assert streamed(NDJSON, cuts, stream="ndjson", done="end", **PATHS) == ANSWER


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), st.sampled_from(["sse", "ndjson"]))
def test_whatever_text_is_streamed_arrives(texts: list[str], kind: str) -> None:
    frame = "data: {}\n\n" if kind == "sse" else "{}\n"
    data = "".join(frame.format(json.dumps({"t": part})) for part in texts).encode()
    assert text(streamed(data, stream=kind, text="t")) == "".join(texts)


def test_words_in_plain_text_can_be_streamed_too() -> None:
    data = b"event: output\ndata: Hel\n\nevent: output\ndata:  lo\n\nevent: done\ndata: {}\n\ndata: no more\n\n"
    assert streamed(data, stream="sse", text="@", done="done") == [TextEvent("Hel"), TextEvent(" lo"), FinishedEvent()]


def test_the_last_record_may_hold_text_and_say_that_it_is_the_last() -> None:
    data = b'{"t": "a", "end": false}\n{"t": "b", "end": true}\n{"t": "c"}\n'
    assert text(streamed(data, stream="ndjson", text="t", done="end")) == "ab"


@pytest.mark.parametrize("done", ["[DONE]", "end"])
def test_a_stream_that_ends_without_its_mark_is_cut(done: str) -> None:
    with pytest.raises(IncompleteAnswer) as caught:
        streamed(b'data: {"t": "Hel"}\n\n', stream="sse", text="t", done=done)
    assert (caught.value.reason, str(caught.value)) == ("cut", f"lab at `h:1` ended the answer before `{done}`")


COHERE = b"".join(
    f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
    for data in (
        {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "delta": {"message": {"content": {"text": "Hel"}}}},
        {"type": "content-delta", "delta": {"message": {"content": {"text": "lo"}}}},
        {
            "type": "message-end",
            "delta": {"finish_reason": "MAX_TOKENS", "usage": {"tokens": {"input_tokens": 3, "output_tokens": 2}}},
        },
    )
)
"""Source: Cohere API v2, "Chat with Streaming"."""


@given(st.lists(st.integers(0, 10_000)))
def test_the_event_that_ends_a_stream_tells_why_and_what_it_took(cuts: list[int]) -> None:
    usage = {"input_tokens": "delta.usage.tokens.input_tokens", "output_tokens": "delta.usage.tokens.output_tokens"}
    paths: dict[str, Any] = {"text": "delta.message.content.text", "finish_reason": "delta.finish_reason", "usage": usage}
    events = streamed(COHERE, cuts, stream="sse", done="message-end", **paths)
    assert text(events) == "Hello"
    assert events[-1] == FinishedEvent(reason="length", usage=Usage(input_tokens=3, output_tokens=2))


def test_an_answer_in_the_event_that_ends_a_stream_is_not_told_twice() -> None:
    data = b'event: piece\ndata: {"text": "Hello"}\n\nevent: end\ndata: {"text": "Hello"}\n\n'
    assert text(streamed(data, stream="sse", text="text", done="end")) == "Hello"


def test_an_error_in_the_event_that_ends_a_stream_raises() -> None:
    data = b'event: piece\ndata: {"text": "Hel"}\n\nevent: stream-end\ndata: {"error": "gone"}\n\n'
    said = complaint(lambda: streamed(data, stream="sse", text="text", error="error", done="stream-end"), ProviderError)
    assert said == "lab at `h:1` failed: gone"


def test_a_stream_that_said_why_it_ended_is_whole_without_its_mark() -> None:
    data = b'{"t": "Hel", "why": "eos"}\n'
    assert streamed(data, stream="ndjson", text="t", done="end", finish_reason="why")[-1] == FinishedEvent()


@pytest.mark.parametrize("why", ["length", "filter"])
def test_an_answer_may_end_early_before_its_first_word(why: str) -> None:
    events = streamed(f'{{"why": "{why}"}}\n'.encode(), stream="ndjson", text="t", done="why", finish_reason="why")
    assert events == [FinishedEvent(reason=why)]  # type: ignore[arg-type]  # one of two words
    complaint(lambda: streamed(b'{"why": "eos"}\n', stream="ndjson", text="t", done="why", finish_reason="why"))


def test_without_a_mark_the_end_is_the_end() -> None:
    assert text(streamed(b'{"t": "Hel"}\n{"t": "lo"}', stream="ndjson", text="t")) == "Hello"


def test_one_record_that_is_not_json_is_skipped_and_counted_and_the_second_is_an_error() -> None:
    once = b'{"t": "a"}\noops\n{"t": "b"}\n'
    assert streamed(once, stream="ndjson", text="t") == [TextEvent("a"), TextEvent("b"), FinishedEvent(skipped_lines=1)]
    said = complaint(lambda: streamed(once + b"<html>\n", stream="ndjson", text="t"))
    assert said.endswith("2 parts of the stream are not JSON, the last `<html>`")


def test_an_error_within_a_stream_raises_after_what_came() -> None:
    stream = ServiceStream(ServiceResponse(stream="ndjson", text="t", error="e"), reading(text="t", error="e"))
    events = stream.feed(b'{"t": "a"}\n{"e": "out of memory"}\n')
    assert next(events) == TextEvent("a")
    assert complaint(lambda: next(events), ProviderError) == "lab at `h:1` failed: out of memory"


@pytest.mark.parametrize("said", [b"out of memory", b'{"message": "out of memory"}'])
def test_an_event_called_error_raises(said: bytes) -> None:
    data = b"event: error\ndata: " + said + b"\n\n"
    sentence = complaint(lambda: streamed(data, stream="sse", text="t"), ProviderError)
    assert sentence == "lab at `h:1` failed: out of memory"


@pytest.mark.parametrize("data", [b"", b": ping\n\n", b"data: [DONE]\n\n"])
def test_an_empty_stream_is_no_answer(data: bytes) -> None:
    said = complaint(lambda: streamed(data, stream="sse", text="t", done="[DONE]"))
    assert said == "lab at `h:1` did not answer as the settings say: the answer is empty"


# Failures by status


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        (b'{"problem": {"title": "no credit"}}', "problem.title", "no credit"),
        (b'{"error": {"message": "bad input"}}', None, "bad input"),
        (b'{"error": "loading", "estimated_time": 20.0}', "errors[0]", "loading"),
        (b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', None, '[{"loc":["body"],"msg":"field required"}]'),
        (b'{"x": 1}', "length(x)", '{"x":1}'),
        (b"  out\n of  memory ", None, "out of memory"),
        (b"<html>...", "error", "a web page"),
        (b"", "error", ""),
        (b'"slow down"', None, "slow down"),
    ],
)
def test_a_failure_says_what_the_service_says(body: bytes, path: str | None, said: str) -> None:
    assert error_text(body, path) == said


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, InvalidRequest, "mmai run --dry-run -m lab:m shows what is sent"),
        (401, AuthError, "mmai keys set lab"),
        (404, ProviderError, "mmai run --dry-run -m lab:m shows what is sent"),
        (422, InvalidRequest, "mmai run --dry-run -m lab:m shows what is sent"),
        (429, RateLimited, None),
        (503, ProviderError, None),
    ],
)
def test_a_status_is_the_error_http_says_it_is(status: int, kind: type[ProviderError], hint: str | None) -> None:
    error = failure(status, b'{"error": "no"}', where="lab", ref=REF, headers={"retry-after": "2"}, now=0.0)
    assert isinstance(error, kind)
    assert (error.status, error.hint, error.retry_after_s, error.body) == (status, hint, 2.0, "no")
