"""The requests that ask for images or sound and not for chat: which they are, what they cannot hold, and who answers them."""

from collections.abc import AsyncGenerator
from typing import Any

from mmai.backends.needs import makes
from mmai.backends.openai.audio import SPEECH, TRANSCRIPTIONS, speak, speech_question, transcribe, transcription_question
from mmai.backends.openai.client import Sdk
from mmai.backends.openai.images import generate_image, image_question
from mmai.values.event import Event
from mmai.values.model import ModelCard
from mmai.values.preview import Preview
from mmai.values.request import AudioPart, ImagePart, Request

KINDS = {"image_generation": generate_image, "speech_transcription": transcribe, "speech_synthesis": speak}
"""Capability to who answers."""


def media_kind(model: ModelCard, request: Request) -> str | None:
    """Which of `KINDS` the request asks the model for; None is text, or a vector."""
    return next((kind for kind in KINDS if makes(model, request, kind)), None)


def media_refusal(kind: str, model: ModelCard, request: Request) -> str | None:
    """Why such a request cannot be sent as it is, in a sentence, or None."""
    parts = [part for message in request.messages for part in message.parts]
    images = sum(isinstance(part, ImagePart) for part in parts)
    recordings = sum(isinstance(part, AudioPart) for part in parts)
    said = bool(request.prompt.strip())
    match kind:
        case "speech_transcription" if recordings != 1:
            count = f"one recording at a time, and here are {recordings}" if recordings else "a recording, and there is none"
            return f"`{model.ref}` transcribes {count}: `mmai run -f talk.mp3`"
        case "speech_transcription" if images:
            return f"`{model.ref}` transcribes recordings, and has no use for an image"
        case "speech_synthesis" if images or recordings:
            return f"`{model.ref}` speaks text, and has no use for {'an image' if images else 'a recording'}"
        case "speech_synthesis" if not said:
            return f"`{model.ref}` speaks text, and there is none"
        case "image_generation" if recordings:
            return f"`{model.ref}` makes images from text and images, not from a recording"
        case "image_generation" if not said:
            return f"`{model.ref}` makes images from what it is told, and there is no prompt"
        case _:
            return None


def media_preview(kind: str, model: ModelCard, request: Request, *, url: str, headers: dict[str, str]) -> Preview:
    """What would be sent, files by their names and sizes. `url` is the endpoint's."""
    path, body = _question(kind, model, request)
    return Preview(method="POST", url=url + path, headers=headers, body=body)


def infer_media(kind: str, sdk: Sdk, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """See `Backend.infer`."""
    return KINDS[kind](sdk, model, request)


def _question(kind: str, model: ModelCard, request: Request) -> tuple[str, dict[str, Any]]:
    match kind:
        case "image_generation":
            path, fields, images = image_question(model, request)
            return path, fields | ({"image": [image.shown for image in images]} if images else {})
        case "speech_transcription":
            fields, recording = transcription_question(model, request)
            return TRANSCRIPTIONS, {"file": recording.shown, **fields}
        case _:
            return SPEECH, speech_question(model, request)
