"""Speech into text by `POST /audio/transcriptions`, and text into speech by `POST /audio/speech`.

Source: OpenAI API, "Audio"; fields as in the SDK 3.54.
"""

from collections.abc import AsyncGenerator
from typing import Any

from msgspec import Struct

from mmai.backends.openai.client import MaybeError, Sdk
from mmai.backends.openai.parts import Upload, dropped, uploads, words
from mmai.errors import ProtocolError
from mmai.values.event import AudioEvent, Event, FinishedEvent, TextEvent, Usage
from mmai.values.media import sniffed, usual
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, Request

TRANSCRIPTIONS, SPEECH = "/audio/transcriptions", "/audio/speech"

VOICE = "alloy"
"""Who speaks where nobody is named; every model of OpenAI's has it."""

FORMATS = {"audio/mpeg": "mp3", "audio/ogg": "opus"}
"""Types whose `response_format` is not simply their second half."""


WEB_PAGE = "text/html"
WRITTEN = ("text/", "application/json", "application/xml", "application/xhtml")
"""Types of what is no sound, whatever else it is. Raw samples come under any other."""

TRANSCRIPT = "a transcript"


class _InputTokens(Struct):
    audio_tokens: int | None = None


class _Usage(Struct):
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: _InputTokens | None = None


class _Transcript(MaybeError):
    text: str | None = None
    duration: float | None = None
    """Seconds, in the longer forms of the answer."""
    usage: _Usage | None = None


async def transcribe(sdk: Sdk, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """The transcript, whole. Where `-O response_format=srt` or the like asks for a form, it is the answer as it came.

    Raises:
        CallError: no transcript came of it.
    """
    for event in dropped(request.options, "a model that transcribes", taken=("temperature",)):
        yield event
    fields, recording = transcription_question(model, request)
    form = str(fields.get("response_format", "json"))
    async with sdk.calling(model.ref) as client:
        given: Any = {"model": fields.pop("model"), "extra_body": fields}
        answer = await client.audio.transcriptions.with_raw_response.create(file=recording.file, **given)
    told = _Transcript()
    text = answer.content.decode("utf-8", "replace")
    if "json" in form:
        told = sdk.read(answer.content, _Transcript, model.ref, what=TRANSCRIPT)
        if told.text is None:
            sdk.refuse(answer.content, what=TRANSCRIPT)
        text = told.text if form == "json" else text
    elif _type(answer) == WEB_PAGE:
        sdk.refuse(answer.content, what=TRANSCRIPT)
    if text:
        yield TextEvent(text)
    yield FinishedEvent(usage=_usage(told))


def transcription_question(model: ModelCard, request: Request) -> tuple[dict[str, Any], Upload]:
    """Fields of the form, and the recording. What is said beside it guides the transcript: names, spelling, style."""
    fields: dict[str, Any] = {"model": model.name}
    if said := words(request):
        fields["prompt"] = said
    if request.options.temperature is not None:
        fields["temperature"] = request.options.temperature
    return fields | request.options.extra, uploads(request, AudioPart)[0]


async def speak(sdk: Sdk, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """The prompt, spoken; the system text says how.

    Raises:
        CallError: no sound came of it.
    """
    for event in dropped(request.options, "a model that speaks"):
        yield event
    fields = speech_question(model, request)
    async with sdk.calling(model.ref) as client:
        given: Any = {name: fields.pop(name) for name in ("model", "input", "voice")}
        answer = await client.audio.speech.with_raw_response.create(**given, extra_body=fields)
    if not answer.content:
        raise ProtocolError(f"{sdk.where} sent no sound")
    kind = sniffed(answer.content) or _type(answer)
    if kind == "application/json":
        sdk.read(answer.content, MaybeError, model.ref, what="sound")
    if kind.startswith(WRITTEN):
        sdk.refuse(answer.content, what="sound")
    yield AudioEvent(answer.content, kind)
    # Nothing in the answer tells what it took.
    yield FinishedEvent()


def speech_question(model: ModelCard, request: Request) -> dict[str, Any]:
    """The body."""
    fields: dict[str, Any] = {"model": model.name, "input": request.prompt, "voice": VOICE}
    if request.system:
        fields["instructions"] = request.system
    kind, _, form = (request.media_type or "").partition("/")
    if kind == "audio":
        fields["response_format"] = FORMATS.get(f"audio/{form}", form)
    return fields | request.options.extra


def _type(answer: Any) -> str:
    return usual(answer.headers.get("content-type") or "")


def _usage(told: _Transcript) -> Usage:
    """By tokens or by time, as the provider bills the model."""
    usage = told.usage or _Usage()
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        audio_tokens=usage.input_token_details.audio_tokens if usage.input_token_details else None,
        audio_s=told.duration if usage.seconds is None else usage.seconds,
    )
