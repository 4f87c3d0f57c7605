"""A fake OpenAI that also makes images, listens and speaks.

    openai.paints(PNG, usage=(12, 1056))          # every image request from now on
    openai.hears("hello", usage=3.5)              # seconds; (input, output) are tokens
    openai.speaks(b"ID3...")                      # whatever was to be said

Source: OpenAI API reference, "Images" and "Audio". Run alone for trying things by hand:
`python tests/fakes/openai_media.py --port 8080`.
"""

import argparse
import base64
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.openai import FakeModel, FakeOpenAI, fault
from fakes.openai import usual_models as chat_models
from fakes.wall import LAST_CHUNK, Script, Seen, Step, chunk, head, serve, whole

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
TRANSCRIPTIONS, SPEECH = "/v1/audio/transcriptions", "/v1/audio/speech"

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 16
PICTURES = {"png": PNG, "webp": WEBP, "jpeg": JPEG}
SOUNDS = {
    "mp3": ("audio/mpeg", MP3),
    "opus": ("audio/opus", b"OggS" + bytes(60)),
    "aac": ("audio/aac", b"\xff\xf1" + bytes(60)),
    "flac": ("audio/flac", b"fLaC" + bytes(60)),
    "wav": ("audio/wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)),
    "pcm": ("audio/pcm", bytes(64)),
}
HEARD = "The quick brown fox."


@dataclass(frozen=True)
class Field:
    """One part of a multipart form."""

    data: bytes
    filename: str | None = None
    media_type: str | None = None

    @property
    def text(self) -> str:
        return self.data.decode()


def form(seen: Seen) -> dict[str, list[Field]]:
    """The parts of a multipart body by their names (RFC 7578)."""
    kind = seen.headers["content-type"]
    assert kind.startswith("multipart/form-data; boundary="), kind
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    fields: dict[str, list[Field]] = {}
    for part in seen.body.split(boundary)[1:-1]:
        top, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in top.decode().split("\r\n"))}
        words = {
            name: value.strip('"')
            for name, _, value in (word.strip().partition("=") for word in lines["content-disposition"].split(";"))
        }
        fields.setdefault(words["name"], []).append(
            Field(data.removesuffix(b"\r\n"), words.get("filename"), lines.get("content-type"))
        )
    return fields


def given(seen: Seen) -> dict[str, Any]:
    """The fields of a request that are no files, whichever way it was sent."""
    if seen.headers.get("content-type", "").startswith("multipart/"):
        return {name: fields[0].text for name, fields in form(seen).items() if fields[0].filename is None}
    return dict(seen.json or {})


def refused(message: str, *, param: str | None = None, code: str | None = None) -> bytes:
    """400, in OpenAI's own form."""
    return whole(400, fault(message, param=param, code=code))


class OpenAIMedia(FakeOpenAI):
    """Images and sound, too; what is asked for is checked as the real one checks it."""

    inference = (*FakeOpenAI.inference, GENERATIONS, EDITS, TRANSCRIPTIONS, SPEECH)

    def paints(
        self,
        *images: bytes,
        usage: tuple[int, int] | None = (12, 1056),
        as_url: bool = False,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer image requests with these, whatever form was asked for."""
        self.when(
            lambda seen: seen.path in (GENERATIONS, EDITS) and model in (None, given(seen).get("model")),
            lambda seen: [_pictures(given(seen), images, usage=usage, as_url=as_url)],
            times=times,
        )

    def hears(
        self, text: str, *, usage: tuple[int, int] | float | None = 3.0, model: str | None = None, times: int | None = None
    ) -> None:
        """Answer transcriptions with this text. `usage` is seconds, or tokens in and out."""
        self.when(
            lambda seen: seen.path == TRANSCRIPTIONS and model in (None, given(seen).get("model")),
            lambda seen: [_transcript(given(seen), text, usage)],
            times=times,
        )

    def speaks(
        self, data: bytes, *, media_type: str = "audio/mpeg", model: str | None = None, times: int | None = None
    ) -> None:
        """Answer speech with these bytes, whatever form was asked for."""
        self.when(
            lambda seen: seen.path == SPEECH and model in (None, given(seen).get("model")),
            lambda seen: _sound(media_type, data),
            times=times,
        )

    def refusal(self, seen: Seen) -> list[Step]:
        """What is said to a request that may not pass; a form names its model, too."""
        name = given(seen).get("model") if seen.path in (EDITS, TRANSCRIPTIONS) else None
        unknown = name is not None and name not in self.models
        missing = fault(f"The model `{name}` does not exist.", param="model", code="model_not_found")
        return super().refusal(seen) or ([whole(404, missing)] if unknown else [])

    def default(self, seen: Seen) -> Script:
        """The endpoints."""
        match seen.method, seen.path:
            case "POST", "/v1/images/generations":
                return [self._draw(seen.json)]
            case "POST", "/v1/images/edits":
                return [self._edit(seen)]
            case "POST", "/v1/audio/transcriptions":
                return [self._listen(seen)]
            case "POST", "/v1/audio/speech":
                return self._speak(seen.json)
            case _:
                return super().default(seen)

    def _draw(self, asked: Mapping[str, Any]) -> bytes:
        old = str(asked.get("model", "")).startswith("dall-e")
        unknown = "output_format" if old else "response_format"
        if not asked.get("prompt"):
            return refused("Missing required parameter: 'prompt'.", param="prompt", code="missing_required_parameter")
        if unknown in asked:
            return refused(f"Unknown parameter: '{unknown}'.", param=unknown, code="unknown_parameter")
        if asked.get("output_format", "png") not in PICTURES:
            return refused("Invalid value: 'output_format'.", param="output_format", code="invalid_value")
        return _pictures(
            asked,
            [PICTURES[asked.get("output_format", "png")]] * int(asked.get("n", 1)),
            usage=None if old else (12, 1056),
            as_url=old and asked.get("response_format") != "b64_json",
        )

    def _edit(self, seen: Seen) -> bytes:
        fields = form(seen)
        images = fields.get("image", []) + fields.get("image[]", [])
        if not images or not all(image.data and image.filename for image in images):
            return refused("Missing required parameter: 'image'.", param="image", code="missing_required_parameter")
        return self._draw(given(seen))

    def _listen(self, seen: Seen) -> bytes:
        files = form(seen).get("file")
        if not files or not files[0].filename:
            return refused("Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
        if files[0].filename.rpartition(".")[2] not in (
            "flac",
            "m4a",
            "mp3",
            "mp4",
            "mpeg",
            "mpga",
            "oga",
            "ogg",
            "wav",
            "webm",
        ):
            return refused("Unrecognized file format.", param="file")
        asked = given(seen)
        return _transcript(asked, HEARD, 3.0 if asked.get("model") == "whisper-1" else (30, 9))

    def _speak(self, asked: Mapping[str, Any]) -> Script:
        for name in ("input", "voice"):
            if not asked.get(name):
                return [refused(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")]
        sound = SOUNDS.get(asked.get("response_format", "mp3"))
        if sound is None:
            return [refused("Invalid value: 'response_format'.", param="response_format", code="invalid_value")]
        return _sound(*sound)


def _pictures(asked: Mapping[str, Any], images: Sequence[bytes], *, usage: tuple[int, int] | None, as_url: bool) -> bytes:
    key = "url" if as_url else "b64_json"
    data = [
        {key: f"https://images.example/{number}.png?sig=a&b" if as_url else base64.b64encode(image).decode()}
        for number, image in enumerate(images)
    ]
    answer: dict[str, Any] = {"created": 1_767_323_045, "data": data}
    if usage:
        answer |= {
            "background": "opaque",
            "output_format": asked.get("output_format", "png"),
            "quality": asked.get("quality", "high"),
            "size": asked.get("size", "1024x1024"),
            "usage": {
                "input_tokens": usage[0],
                "input_tokens_details": {"image_tokens": 0, "text_tokens": usage[0]},
                "output_tokens": usage[1],
                "total_tokens": sum(usage),
            },
        }
    return whole(200, answer)


def _transcript(asked: Mapping[str, Any], text: str, usage: tuple[int, int] | float | None) -> bytes:
    counted: dict[str, Any] = {}
    if isinstance(usage, tuple):
        details = {"text_tokens": 0, "audio_tokens": usage[0]}
        counted = {"type": "tokens", "input_tokens": usage[0], "input_token_details": details, "output_tokens": usage[1]}
        counted["total_tokens"] = sum(usage)
    elif usage is not None:
        counted = {"type": "duration", "seconds": usage}
    answer = {"text": text} | ({"usage": counted} if counted else {})
    match asked.get("response_format", "json"):
        case "json":
            return whole(200, answer)
        case "verbose_json":
            return whole(200, {"task": "transcribe", "language": "english", "duration": 3.0, "segments": [], **answer})
        case "text":
            return whole(200, f"{text}\n")
        case "srt":
            return whole(200, f"1\n00:00:00,000 --> 00:00:03,000\n{text}\n\n")
        case "vtt":
            return whole(200, f"WEBVTT\n\n00:00.000 --> 00:03.000\n{text}\n\n")
        case other:
            return refused(f"Invalid value: '{other}'.", param="response_format", code="invalid_value")


def _sound(media_type: str, data: bytes) -> Script:
    """In chunks, as it is made."""
    yield head(200, {"Content-Type": media_type, "Transfer-Encoding": "chunked"})
    yield chunk(data[: len(data) // 2])
    yield chunk(data[len(data) // 2 :])
    yield LAST_CHUNK


def usual_models() -> list[FakeModel]:
    """Those of the other fake, and some that draw, listen and speak."""
    names = ("gpt-image-2", "dall-e-3", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-tts")
    return [*chat_models(), *(FakeModel(name, writes=False) for name in names)]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake OpenAI on loopback that also makes images, listens and speaks.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", help="the only key that is let in")
    arguments = parser.parse_args()
    server = OpenAIMedia(*usual_models(), key=arguments.key, port=arguments.port)
    serve(server, server.base_url)


if __name__ == "__main__":
    main()
