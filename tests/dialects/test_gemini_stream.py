import base64
import io
import json
import wave
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.gemini import GenerateStream, embed_events, generate_events
from mmai.errors import (
    AuthError,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from mmai.values.event import (
    AudioEvent,
    Event,
    FinishedEvent,
    ImageEvent,
    ReasoningEvent,
    TextEvent,
    Usage,
    VectorEvent,
)
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall

REF = ModelRef("google", "gemini-2.5-flash")
WHERE = "Gemini API at `127.0.0.1:1`"
COUNTS = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
BUSY = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


def said(*parts: Any, **facts: Any) -> dict[str, Any]:
    """A chunk; `reason` and `message` are the candidate's, everything else its own."""
    end = {key: facts.pop(name) for name, key in (("reason", "finishReason"), ("message", "finishMessage")) if name in facts}
    texts = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"candidates": [{"content": {"parts": texts, "role": "model"}, **end}], **facts}


END = said("", reason="STOP", usageMetadata=COUNTS, modelVersion="gemini-2.5-flash")


def sse(*chunks: Any) -> bytes:
    """The chunks as events; bytes go as they are."""
    return b"".join(
        chunk if isinstance(chunk, bytes) else b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n"
        for chunk in chunks
    )


def read(*pieces: bytes) -> tuple[list[Event], MmaiError | None]:
    """The events of a stream, and the error that ended it."""
    stream = GenerateStream(REF, where=WHERE)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += stream.feed(piece)
        events += stream.close()
    except MmaiError as exc:
        return events, exc
    return events, None


def answer(*chunks: Any) -> list[Event]:
    events, error = read(sse(*chunks))
    assert error is None
    return events


def failure(*chunks: Any) -> MmaiError:
    _, error = read(sse(*chunks))
    assert error is not None
    return error


def whole(chunk: Any) -> list[Event]:
    return list(generate_events(chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode(), REF, where=WHERE))


def inline(media_type: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}


def finished(events: Iterable[Event]) -> FinishedEvent:
    *_, last = events
    assert isinstance(last, FinishedEvent)
    return last


# What is said


def test_text_and_thoughts_come_as_they_are_said() -> None:
    events = answer(said({"text": "hm", "thought": True}), said("Hel"), said("lo"), END)
    assert events == [
        ReasoningEvent("hm"),
        TextEvent("Hel"),
        TextEvent("lo"),
        FinishedEvent(usage=Usage(input_tokens=5, output_tokens=2)),
    ]


def test_a_whole_answer_gives_the_same_events() -> None:
    told = said({"text": "hm", "thought": True}, "Hello", reason="STOP", usageMetadata=COUNTS)
    assert whole(told) == answer(told)


def test_a_call_keeps_its_id_and_its_seal() -> None:
    call = {"functionCall": {"name": "now", "args": {"zone": "UTC"}, "id": "c1"}, "thoughtSignature": "c2VhbA=="}
    events = answer(said(call, {"functionCall": {"name": "day"}}), END)
    assert events[:2] == [ToolCall("now", {"zone": "UTC"}, "c1", "c2VhbA=="), ToolCall("day", {})]
    assert finished(events).reason == "tool_calls"


def test_images_come_with_the_text_around_them() -> None:
    events = answer(said("Here:", inline("image/png", b"\x89PNG")), said(inline("image/jpeg", b"\xff\xd8")), END)
    assert events[:3] == [TextEvent("Here:"), ImageEvent(b"\x89PNG", "image/png"), ImageEvent(b"\xff\xd8", "image/jpeg")]
    assert finished(events).usage.images == 2


def test_a_sketch_in_its_thoughts_is_no_image_of_the_answer() -> None:
    events = answer(said({**inline("image/png", b"1"), "thought": True}, inline("image/png", b"2")), END)
    assert events[0] == ImageEvent(b"2", "image/png")
    assert finished(events).usage.images == 1


def test_bare_samples_become_one_file_that_plays() -> None:
    kind = "audio/L16;codec=pcm;rate=16000"
    events = answer(said(inline(kind, b"\x01\x00\x02\x00")), said(inline(kind, b"\x03\x00")), END)
    (sound, _) = events
    assert isinstance(sound, AudioEvent)
    assert sound.media_type == "audio/wav"
    with wave.open(io.BytesIO(sound.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.readframes(9) == b"\x01\x00\x02\x00\x03\x00"


def test_samples_of_a_broken_answer_still_play() -> None:
    events, error = read(sse(said(inline("audio/pcm", bytes(4)))))
    assert isinstance(error, IncompleteAnswer)
    assert isinstance(events[0], AudioEvent)
    with wave.open(io.BytesIO(events[0].data)) as file:
        assert (file.getframerate(), file.getnframes()) == (24_000, 2)


def test_sound_in_a_file_is_left_as_it_is() -> None:
    assert answer(said(inline("audio/mpeg", b"ID3")), END)[0] == AudioEvent(b"ID3", "audio/mpeg")


def test_a_transcription_is_text() -> None:
    assert answer(said({"audioTranscription": {"text": "good morning"}}), END)[0] == TextEvent("good morning")


def test_of_several_candidates_the_first_is_the_answer() -> None:
    two = {"candidates": [{"content": {"parts": [{"text": text}]}, "index": at} for at, text in enumerate(("one", "two"))]}
    assert answer(two, END)[:-1] == [TextEvent("one")]


def test_what_nothing_here_understands_is_skipped_and_counted() -> None:
    video = inline("video/mp4", b"x")
    events = answer({"news": 1}, said({"executableCode": {"code": "1"}}, video, "ok"), b": hello\n\n", b"data: {oops\n\n", END)
    assert events[:-1] == [TextEvent("ok")]
    assert finished(events).skipped_lines == 4


def test_a_part_with_a_seal_alone_is_understood() -> None:
    assert finished(answer(said({"text": "", "thoughtSignature": "x"}, {"thoughtSignature": "x"}), END)).skipped_lines == 0


# How it ends


def test_counts_are_of_the_whole_so_that_the_last_ones_hold() -> None:
    first = {"promptTokenCount": 9, "candidatesTokenCount": 1}
    last = {
        "promptTokenCount": 9,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 20,
        "toolUsePromptTokenCount": 2,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}, {"modality": "AUDIO", "tokenCount": 6}],
    }
    events = answer(said("a", usageMetadata=first), said("b", reason="STOP", usageMetadata=last))
    assert finished(events).usage == Usage(
        input_tokens=11, output_tokens=23, cached_tokens=4, reasoning_tokens=20, audio_tokens=6
    )


def test_counts_may_come_after_the_reason() -> None:
    events = answer(said("a", reason="STOP"), {"usageMetadata": COUNTS})
    assert finished(events).usage == Usage(input_tokens=5, output_tokens=2)


def test_what_is_not_counted_is_unknown() -> None:
    assert finished(answer(said("a", reason="STOP"))).usage == Usage()
    thought = {"promptTokenCount": 5, "thoughtsTokenCount": 7}
    assert finished(answer(said(reason="MAX_TOKENS", usageMetadata=thought))).usage.output_tokens == 7


def test_another_model_that_answers_is_named() -> None:
    assert finished(answer(said("a", reason="STOP", modelVersion="models/gemini-2.5-flash"))).resolved_model is None
    assert (
        finished(answer(said("a", reason="STOP", modelVersion="gemini-2.5-flash-002"))).resolved_model == "gemini-2.5-flash-002"
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "filter"),
        ("RECITATION", "filter"),
        ("BLOCKLIST", "filter"),
        ("PROHIBITED_CONTENT", "filter"),
        ("SPII", "filter"),
        ("IMAGE_SAFETY", "filter"),
    ],
)
def test_the_reason_for_the_end_is_told(told: str, reason: str) -> None:
    assert finished(answer(said("a", reason=told))).reason == reason


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("MALFORMED_FUNCTION_CALL", ProviderError),
        ("NO_IMAGE", ProviderError),
        ("OTHER", ProviderError),
        ("A_REASON_OF_TOMORROW", ProviderError),
        ("MISSING_THOUGHT_SIGNATURE", InvalidRequest),
        ("PUP_LIMITED_DISABLED", AuthError),
    ],
)
def test_a_reason_that_is_a_failure_raises_after_the_text(told: str, kind: type[MmaiError]) -> None:
    events, error = read(sse(said("a", reason=told, message="it went wrong")))
    assert events == [TextEvent("a")]
    assert type(error) is kind
    assert error.message == f"{WHERE} ended the answer with `{told}`: it went wrong"


def test_a_prompt_that_is_blocked_ends_by_the_filter() -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 5}}
    for events in (answer(blocked), whole(blocked)):
        assert events == [FinishedEvent(reason="filter", usage=Usage(input_tokens=5))]


def test_feedback_without_a_block_is_nothing() -> None:
    assert finished(answer({"promptFeedback": {"safetyRatings": []}}, END)).reason == "stop"


def test_a_reason_with_every_chunk_ends_nothing_before_the_stream_ends() -> None:
    assert answer(said("Hel", reason="STOP"), said("lo", reason="STOP"))[:-1] == [TextEvent("Hel"), TextEvent("lo")]


def test_a_stream_says_when_it_could_break_without_harm() -> None:
    stream = GenerateStream(REF, where=WHERE)
    assert [*stream.feed(sse(said("Hel"), said("lo", reason="FINISH_REASON_UNSPECIFIED")))]
    assert not stream.ended
    assert [*stream.feed(sse(END))] == []
    assert stream.ended


def test_without_a_reason_it_was_cut() -> None:
    events, error = read(sse(said("Hel")))
    assert events == [TextEvent("Hel")]
    assert isinstance(error, IncompleteAnswer)
    assert error.reason == "cut"
    with pytest.raises(IncompleteAnswer):
        whole(said("Hel"))


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b": hello\n\n", b'data: {"news": 1}\n\n', b"data: nope\n\n"])
def test_what_never_was_an_answer_is_no_cut_one(body: bytes) -> None:
    assert type(failure(body)) is ProtocolError


def test_the_second_event_that_is_no_json_is_an_error() -> None:
    error = failure(said("a"), b"data: {oops\n\n", b"data: [1]\n\n", END)
    assert type(error) is ProtocolError
    assert "2 events that are not its protocol, the last `[1]`" in error.message


# Failures inside


@pytest.mark.parametrize("tail", [sse(BUSY), json.dumps(BUSY, indent=2).encode(), json.dumps([BUSY]).encode()])
def test_a_failure_after_text_is_raised_however_it_is_framed(tail: bytes) -> None:
    events, error = read(sse(said("Hel"), tail))
    assert events == [TextEvent("Hel")]
    assert type(error) is ProviderError
    assert error.status == 503
    assert "The model is overloaded." in error.message


def test_a_failure_after_a_reason_is_still_one() -> None:
    # Seen in https://github.com/vercel/ai/issues/5217: STOP after one word, then 503.
    error = failure(said("Okay"), END, json.dumps(BUSY, indent=2).encode() + b"\n")
    assert isinstance(error, ProviderError)
    assert error.status == 503


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        ({"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}, RateLimited, 429),
        ({"message": "slow down", "status": "RESOURCE_EXHAUSTED"}, RateLimited, 429),
        ({"code": 429, "message": "limit: 0, model: x", "status": "RESOURCE_EXHAUSTED"}, QuotaExceeded, 429),
        ({"code": 403, "message": "no", "status": "PERMISSION_DENIED"}, AuthError, 403),
        ({"code": 14, "message": "gone", "status": "UNAVAILABLE"}, ProviderError, 503),
        ({"message": "what?"}, ProviderError, 500),
        ("boom", ProviderError, 500),
    ],
)
def test_a_failure_inside_has_the_class_it_names(told: Any, kind: type[MmaiError], status: int) -> None:
    error = failure({"error": told})
    assert type(error) is kind
    assert getattr(error, "status", None) == status
    with pytest.raises(kind):
        whole({"error": told})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"hi"', b'{"candidates": 3}'])
def test_a_whole_answer_that_is_none_says_what_came(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="did not send an answer"):
        whole(body)


def test_an_object_without_an_answer_is_not_the_protocol() -> None:
    with pytest.raises(ProtocolError, match="sent something else as the answer"):
        whole({})


# Embeddings


def embedded(value: Any) -> list[Event]:
    return embed_events(json.dumps(value).encode(), REF, where=WHERE)


def test_an_embedding_is_a_vector_and_its_tokens_where_they_are_told() -> None:
    assert embedded({"embedding": {"values": [0.5, -1]}}) == [VectorEvent((0.5, -1.0)), FinishedEvent()]
    counted = embedded({"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 3}})
    assert finished(counted).usage == Usage(input_tokens=3)


def test_an_embedding_without_a_vector_is_not_the_protocol() -> None:
    nothings: list[Any] = [{}, {"embedding": {}}, {"embedding": {"values": []}}, [1]]
    for value in nothings:
        with pytest.raises(ProtocolError):
            embedded(value)
    with pytest.raises(RateLimited):
        embedded({"error": {"code": 429, "message": "slow down"}})


# The law: pieces do not matter

LIVELY = sse(
    said({"text": "hm… ", "thought": True}, usageMetadata={"promptTokenCount": 5}),
    b"\r\n: a comment\r\nevent: message\r\n",
    said("Hé", "llo ", {"functionCall": {"name": "now", "args": {"zone": "UTC"}}}),
    b'data: {"candidates":\r\ndata: [{"content":{"parts":[{"text":"\xf0\x9f\x90\x88"}]}}]}\n\n',
    b"data: {broken\n\n",
    said(inline("image/png", b"\x89PNG"), inline("audio/L16;rate=8000", bytes(4))),
    said(inline("audio/L16;rate=8000", bytes(6))),
    END,
)
ENDINGS = [b"", json.dumps(BUSY, indent=1).encode(), sse(BUSY), b"data: {broken\n\n", b"{}\n", sse(said("", reason="OTHER"))]


def outcome(*pieces: bytes) -> Any:
    events, error = read(*pieces)
    return events, error and (type(error), error.message)


@given(
    cuts=st.lists(st.integers(0, len(LIVELY) + 80)),
    ending=st.sampled_from(ENDINGS),
    length=st.none() | st.integers(0, len(LIVELY)),
)
def test_any_chunking_gives_the_same_events(cuts: list[int], ending: bytes, length: int | None) -> None:
    body = LIVELY[:length] + ending if length is None else LIVELY[:length]
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges) if start < end]
    assert outcome(*pieces) == outcome(body)
