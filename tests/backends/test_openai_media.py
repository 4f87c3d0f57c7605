"""Images, transcripts and speech: what is sent, what comes of it, and how it fails."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from typing import Any

import pytest
from builders import a_cloud_card, a_request
from fakes.openai import fault
from fakes.openai_media import EDITS, GENERATIONS, HEARD, JPEG, MP3, PNG, SPEECH, TRANSCRIPTIONS, WEBP, OpenAIMedia, form
from fakes.wall import CLOSE, RESET, SILENCE, Gate, Wall, head, refused

from mmai.backends.openai import open_backend
from mmai.errors import (
    AuthError,
    CannotConnect,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint, KeyRule, Secret, Timeouts
from mmai.values.event import AudioEvent, DroppedEvent, Event, FinishedEvent, ImageEvent, TextEvent, Usage
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Request
from mmai.values.task import TaskType

KEY = "sk-test-0123456789"
TALK = AudioPart(MP3, "audio/mpeg", "recordings/talk.mp3")
PHOTO = ImagePart(PNG, "image/png", "photo.png")


def painter(name: str = "gpt-image-2") -> ModelCard:
    return a_cloud_card(f"openai:{name}", capabilities=("image_generation",))


def listener(name: str = "whisper-1") -> ModelCard:
    return a_cloud_card(f"openai:{name}", capabilities=("speech_transcription",))


def speaker(name: str = "gpt-4o-mini-tts") -> ModelCard:
    return a_cloud_card(f"openai:{name}", capabilities=("speech_synthesis",))


CAT = a_request("a cat")
A_TALK = a_request("", TALK)
HELLO = a_request("hello")


def an_endpoint(url: str, **facts: Any) -> Endpoint:
    return Endpoint(**{"provider": "openai", "kind": "openai", "url": url, "key": Secret(KEY), "locality": "cloud", **facts})


def answer(url: str, model: ModelCard, request: Request, **facts: Any) -> list[Event]:
    async def collect() -> list[Event]:
        backend = open_backend(an_endpoint(url, **facts))
        try:
            async with aclosing(backend.infer(model, request)) as events:
                return [event async for event in events]
        finally:
            await backend.aclose()

    return asyncio.run(collect())


def failure(url: str, model: ModelCard, request: Request, **facts: Any) -> MmaiError:
    with pytest.raises(MmaiError) as raised:
        answer(url, model, request, **facts)
    return raised.value


def refusal(model: ModelCard, request: Request) -> str | None:
    return open_backend(an_endpoint("http://127.0.0.1:1/v1")).can_handle(model, request)


def last(events: list[Event]) -> Usage:
    assert isinstance(events[-1], FinishedEvent)
    return events[-1].usage


# Images


def test_an_image_comes_whole_with_what_it_took(studio: OpenAIMedia) -> None:
    events = answer(studio.base_url, painter(), CAT)
    assert events == [
        ImageEvent(PNG, "image/png"),
        FinishedEvent(usage=Usage(input_tokens=12, output_tokens=1056, images=1)),
    ]
    assert studio.journal.of(GENERATIONS)[0].json == {"model": "gpt-image-2", "prompt": "a cat"}


def test_several_images_in_another_form(studio: OpenAIMedia) -> None:
    request = a_request("a cat", media_type="image/webp", extra={"n": 2, "size": "1024x1024", "quality": "low"})
    events = answer(studio.base_url, painter(), request)
    assert events[:2] == [ImageEvent(WEBP, "image/webp")] * 2
    assert last(events).images == 2
    sent = {"model": "gpt-image-2", "prompt": "a cat", "output_format": "webp", "n": 2, "size": "1024x1024", "quality": "low"}
    assert studio.journal.of(GENERATIONS)[0].json == sent


def test_the_system_text_stands_above_the_prompt(studio: OpenAIMedia) -> None:
    answer(studio.base_url, painter(), a_request("a cat", system="in ink"))
    assert studio.journal.of(GENERATIONS)[0].json["prompt"] == "in ink\n\na cat"


def test_images_to_start_from_go_to_edits_as_files(studio: OpenAIMedia) -> None:
    request = a_request("a hat", PHOTO, ImagePart(JPEG, "image/jpeg", "pictures/b"), media_type="image/jpeg", extra={"n": 1})
    assert answer(studio.base_url, painter(), request)[0] == ImageEvent(JPEG, "image/jpeg")
    sent = form(studio.journal.of(EDITS)[0])
    assert [(file.filename, file.media_type, file.data) for file in sent["image[]"]] == [
        ("photo.png", "image/png", PNG),
        ("b.jpg", "image/jpeg", JPEG),
    ]
    assert {name: fields[0].text for name, fields in sent.items() if name != "image[]"} == {
        "model": "gpt-image-2",
        "prompt": "a hat",
        "output_format": "jpeg",
        "n": "1",
    }


def test_a_retired_model_is_asked_for_the_image_and_not_its_address(studio: OpenAIMedia) -> None:
    events = answer(studio.base_url, painter("dall-e-3"), a_request("a cat", media_type="image/jpeg"))
    assert events[0] == ImageEvent(PNG, "image/png")
    assert last(events) == Usage(images=1)
    assert studio.journal.of(GENERATIONS)[0].json == {"model": "dall-e-3", "prompt": "a cat", "response_format": "b64_json"}


def test_the_type_of_an_image_is_what_it_is_and_not_what_was_asked_for(studio: OpenAIMedia) -> None:
    studio.paints(PNG)
    assert answer(studio.base_url, painter(), a_request("a cat", media_type="image/webp"))[0] == ImageEvent(PNG, "image/png")


def test_an_address_in_place_of_an_image_is_handed_over(studio: OpenAIMedia) -> None:
    studio.paints(PNG, as_url=True)
    error = failure(studio.base_url, painter(), CAT)
    assert isinstance(error, ProtocolError)
    assert error.hint == "curl -o image.png 'https://images.example/0.png?sig=a&b'"


@pytest.mark.parametrize("body", [{"created": 1, "data": []}, {"created": 1}, {"data": [{"b64_json": "???"}]}, [], "hello"])
def test_an_answer_without_an_image_is_no_answer(studio: OpenAIMedia, body: object) -> None:
    studio.answers(200, body)
    assert isinstance(failure(studio.base_url, painter(), CAT), ProtocolError)


# Transcripts


def test_a_transcript_by_time(studio: OpenAIMedia) -> None:
    assert answer(studio.base_url, listener(), A_TALK) == [TextEvent(HEARD), FinishedEvent(usage=Usage(audio_s=3.0))]
    sent = form(studio.journal.of(TRANSCRIPTIONS)[0])
    assert (sent["file"][0].filename, sent["file"][0].media_type, sent["file"][0].data) == ("talk.mp3", "audio/mpeg", MP3)
    assert set(sent) == {"file", "model"}


def test_a_transcript_by_tokens(studio: OpenAIMedia) -> None:
    usage = last(answer(studio.base_url, listener("gpt-4o-transcribe"), A_TALK))
    assert usage == Usage(input_tokens=30, output_tokens=9, audio_tokens=30)


def test_the_prompt_temperature_and_language_guide_a_transcript(studio: OpenAIMedia) -> None:
    request = a_request("Ada, Babbage", TALK, temperature=0.2, extra={"language": "en", "timestamp_granularities": ["word"]})
    answer(studio.base_url, listener(), request)
    sent = form(studio.journal.of(TRANSCRIPTIONS)[0])
    said = {name: fields[0].text for name, fields in sent.items() if name != "file"}
    assert said == {
        "model": "whisper-1",
        "prompt": "Ada, Babbage",
        "temperature": "0.2",
        "language": "en",
        "timestamp_granularities[]": "word",
    }


@pytest.mark.parametrize(
    ("wanted", "begin"), [("text", HEARD), ("srt", "1\n00:00:00,000 -->"), ("vtt", "WEBVTT\n"), ("verbose_json", '{"task"')]
)
def test_a_form_that_was_asked_for_is_the_answer_as_it_came(studio: OpenAIMedia, wanted: str, begin: str) -> None:
    events = answer(studio.base_url, listener(), a_request("", TALK, extra={"response_format": wanted}))
    assert isinstance(events[0], TextEvent)
    assert events[0].text.startswith(begin)
    assert last(events).audio_s == (3.0 if wanted == "verbose_json" else None)


def test_a_recording_from_a_pipe_gets_a_name_that_says_what_it_is(studio: OpenAIMedia) -> None:
    answer(studio.base_url, listener(), a_request("", AudioPart(MP3, "audio/mpeg", "standard input")))
    assert form(studio.journal.of(TRANSCRIPTIONS)[0])["file"][0].filename == "standard input.mp3"


def test_silence_is_a_whole_answer_without_words(studio: OpenAIMedia) -> None:
    studio.hears("", usage=1.5)
    assert answer(studio.base_url, listener(), A_TALK) == [FinishedEvent(usage=Usage(audio_s=1.5))]


# Speech


def test_speech_comes_whole(studio: OpenAIMedia) -> None:
    assert answer(studio.base_url, speaker(), HELLO) == [AudioEvent(MP3, "audio/mpeg"), FinishedEvent()]
    assert studio.journal.of(SPEECH)[0].json == {"model": "gpt-4o-mini-tts", "input": "hello", "voice": "alloy"}


@pytest.mark.parametrize(
    ("media_type", "sent"),
    [
        ("audio/mpeg", "mp3"),
        ("audio/wav", "wav"),
        ("audio/flac", "flac"),
        ("audio/ogg", "opus"),
        ("audio/aac", "aac"),
        ("audio/pcm", "pcm"),
    ],
)
def test_the_wanted_type_becomes_the_providers_format(studio: OpenAIMedia, media_type: str, sent: str) -> None:
    events = answer(studio.base_url, speaker(), a_request("hello", media_type=media_type))
    assert studio.journal.of(SPEECH)[0].json["response_format"] == sent
    assert isinstance(events[0], AudioEvent)
    assert events[0].media_type == media_type


def test_voice_and_instructions_are_the_users(studio: OpenAIMedia) -> None:
    answer(studio.base_url, speaker(), a_request("hello", system="whisper", extra={"voice": "nova", "speed": 1.5}))
    assert studio.journal.of(SPEECH)[0].json == {
        "model": "gpt-4o-mini-tts",
        "input": "hello",
        "voice": "nova",
        "instructions": "whisper",
        "speed": 1.5,
    }


def test_speech_without_sound_is_no_answer(studio: OpenAIMedia) -> None:
    studio.speaks(b"")
    assert isinstance(failure(studio.base_url, speaker(), HELLO), ProtocolError)


# What all have in common


@pytest.mark.parametrize(
    ("model", "request_", "left_out"),
    [(painter(), CAT, ("temperature", "seed")), (listener(), A_TALK, ("seed",)), (speaker(), HELLO, ("temperature", "seed"))],
    ids=["images", "transcripts", "speech"],
)
def test_options_that_only_writers_take_are_dropped_and_named(
    studio: OpenAIMedia, model: ModelCard, request_: Request, left_out: tuple[str, ...]
) -> None:
    parts = request_.messages[-1].parts[1:]
    events = answer(studio.base_url, model, a_request(request_.prompt, *parts, temperature=0.1, seed=7))
    assert tuple(event.option for event in events if isinstance(event, DroppedEvent)) == left_out
    assert isinstance(events[0], DroppedEvent)


@pytest.mark.parametrize(
    ("model", "request_", "path", "body"),
    [
        (painter(), CAT, "/images/generations", {"model": "gpt-image-2", "prompt": "a cat"}),
        (
            painter(),
            a_request("a hat", PHOTO),
            "/images/edits",
            {"model": "gpt-image-2", "prompt": "a hat", "image": [f"<photo.png, {len(PNG)} bytes>"]},
        ),
        (listener(), A_TALK, "/audio/transcriptions", {"file": f"<talk.mp3, {len(MP3)} bytes>", "model": "whisper-1"}),
        (speaker(), HELLO, "/audio/speech", {"model": "gpt-4o-mini-tts", "input": "hello", "voice": "alloy"}),
    ],
    ids=["image", "edit", "transcript", "speech"],
)
def test_a_preview_shows_the_fields_and_names_the_files(
    model: ModelCard, request_: Request, path: str, body: dict[str, Any]
) -> None:
    shown = open_backend(an_endpoint("http://127.0.0.1:1/v1")).preview(model, request_)
    assert (shown.method, shown.url, shown.body) == ("POST", f"http://127.0.0.1:1/v1{path}", body)
    assert KEY not in str(shown)


@pytest.mark.parametrize(
    ("model", "request_", "why"),
    [
        (painter(), a_request("a cat", TALK), "not from a recording"),
        (painter(), a_request("  "), "there is no prompt"),
        (listener(), HELLO, "a recording, and there is none: `mmai run -f talk.mp3`"),
        (listener(), a_request("", TALK, TALK), "one recording at a time, and here are 2"),
        (listener(), a_request("", TALK, PHOTO), "no use for an image"),
        (speaker(), a_request(" "), "speaks text, and there is none"),
        (speaker(), a_request("hi", PHOTO), "no use for an image"),
        (speaker(), a_request("hi", TALK), "no use for a recording"),
    ],
)
def test_content_a_model_cannot_take_is_refused_before_sending(model: ModelCard, request_: Request, why: str) -> None:
    assert why in (refusal(model, request_) or "")


def test_what_they_can_take_is_not_refused() -> None:
    for model, request in ((painter(), CAT), (painter(), a_request("a", PHOTO)), (listener(), A_TALK), (speaker(), HELLO)):
        assert refusal(model, request) is None


CALLS = pytest.mark.parametrize(
    ("model", "request_"), [(painter(), CAT), (listener(), A_TALK), (speaker(), HELLO)], ids=["images", "transcripts", "speech"]
)


@CALLS
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, fault(f"Incorrect API key provided: {KEY}.", code="invalid_api_key"), AuthError),
        (429, fault("slow down", kind="requests"), RateLimited),
        (404, fault("The model `x` does not exist", code="model_not_found"), UnknownModel),
        (400, fault("Your request was rejected by the safety system.", code="moderation_blocked"), InvalidRequest),
        (500, fault("boom", kind="server_error"), ProviderError),
        (503, "busy", ProviderError),
    ],
    ids=["401", "429", "404", "400", "500", "503"],
)
def test_a_failing_status_is_what_it_is_for_text(
    studio: OpenAIMedia, model: ModelCard, request_: Request, status: int, body: object, kind: type[MmaiError]
) -> None:
    studio.answers(status, body, headers={"Retry-After": "7"})
    error = failure(studio.base_url, model, request_)
    assert isinstance(error, kind)
    assert KEY not in f"{error} {error.hint} {vars(error)}"
    if isinstance(error, RateLimited):
        assert error.retry_after_s == 7
    assert len(studio.journal.requests) == 1


@CALLS
def test_a_redirect_is_not_followed(studio: OpenAIMedia, wall: Wall, model: ModelCard, request_: Request) -> None:
    studio.answers(307, "", headers={"Location": f"{wall.url}/v1/x"})
    error = failure(studio.base_url, model, request_)
    assert isinstance(error, ProviderError)
    assert error.status == 307
    assert wall.journal.requests == []


@CALLS
def test_a_connection_that_fails_says_when(wall: Wall, model: ModelCard, request_: Request) -> None:
    began = head(200, {"Content-Type": "application/json", "Content-Length": "1000"})
    for steps, kind, words in (
        ((CLOSE,), CannotConnect, "closed the connection before it answered"),
        ((RESET,), CannotConnect, "reset the connection before it answered"),
        ((began, b'{"da', CLOSE), IncompleteAnswer, "closed the connection before its answer was whole"),
        ((b"nonsense\r\n\r\n", CLOSE), CannotConnect, "before it answered"),
    ):
        wall.says(*steps)
        error = failure(f"{wall.url}/v1", model, request_)
        assert isinstance(error, kind), error
        assert words in error.message
    with refused() as url:
        assert "connection refused" in failure(f"{url}/v1", model, request_).message


def test_silence_ends_at_the_deadline_it_breaks(wall: Wall) -> None:
    wall.says(SILENCE)
    error = failure(f"{wall.url}/v1", painter(), CAT, timeouts=Timeouts(first_token_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"
    wall.says(head(200, {"Content-Type": "application/json", "Content-Length": "1000"}), b"{", SILENCE)
    error = failure(f"{wall.url}/v1", painter(), CAT, timeouts=Timeouts(stall_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "stall"


def test_leaving_early_cancels_the_call(wall: Wall) -> None:
    gate = Gate()
    wall.says(gate)

    async def leave() -> None:
        backend = open_backend(an_endpoint(f"{wall.url}/v1"))
        async with aclosing(backend.infer(painter(), CAT)) as events:
            task = asyncio.ensure_future(anext(events))
            await gate.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await backend.aclose()

    asyncio.run(leave())
    wall.journal.wait_hangups()


# What is sent of the user, and what is not


def test_a_request_carries_the_endpoints_headers_and_nothing_of_the_environment(
    studio: OpenAIMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-custom\nX-Custom: 1")
    answer(studio.base_url, painter(), CAT, headers={"X-Team": "cats"})
    headers = studio.journal.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["x-team"] == "cats"
    assert headers["user-agent"].startswith("mmai/")
    assert set(headers) <= {
        "host",
        "connection",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "x-stainless-raw-response",
        "authorization",
        "x-team",
        "user-agent",
    }


def test_without_a_key_none_is_sent(studio: OpenAIMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    answer(studio.base_url, painter(), CAT, key=None)
    assert "authorization" not in studio.journal.requests[0].headers


def test_where_a_key_is_needed_nothing_is_sent_without_one(studio: OpenAIMedia) -> None:
    error = failure(studio.base_url, painter(), CAT, key=None, key_rule=KeyRule(required=True))
    assert isinstance(error, AuthError)
    assert error.hint == "mmai keys set openai"
    assert studio.journal.connections == 0


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(studio: OpenAIMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert answer(studio.base_url, painter(), CAT, proxied=True)[0] == ImageEvent(PNG, "image/png")


def test_the_sdk_is_imported_by_the_first_call_and_not_before() -> None:
    seen = (
        "import sys; from mmai.backends.openai import open_backend; from mmai.values.endpoint import Endpoint; "
        "open_backend(Endpoint(provider='openai', kind='openai', url='http://127.0.0.1:1/v1')); "
        "print([name for name in ('openai', 'httpx', 'httpx2', 'pydantic') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("media_type", ["audio/aiff", "audio/x-caf"])
def test_a_recording_that_services_do_not_take_is_refused_before_sending(media_type: str) -> None:
    request = a_request("", AudioPart(b"...", media_type, "talk"), task=TaskType.SPEECH_TRANSCRIPTION)
    backend = open_backend(Endpoint(provider="openai", kind="openai"))
    assert backend.can_handle(listener(), request) == (
        f"`{listener().ref}` hears WAV, MP3, M4A, AAC, FLAC and OGG, not `{media_type}`"
    )
