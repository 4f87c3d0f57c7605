"""A chat completion as a client asks for it, read: the way back of `requests.py`."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE
from mmai.dialects.openai.requests import SOUNDS
from mmai.errors import UsageError
from mmai.values.request import AudioPart, ImagePart, Message, Options, Part, Request, TextPart, Tool, ToolCall

MEDIA_TYPES = {form: media_type for media_type, form in SOUNDS.items()}
"""`format` of `input_audio` to the type."""
EFFORTS: dict[str, bool | Literal["low", "medium", "high", "max"]] = {
    "none": False,
    "minimal": False,
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


class ChatAsked(Struct, frozen=True):
    """What a client wants."""

    name: str
    """The model, as the client calls it."""
    request: Request
    streams: bool
    counts: bool
    """The usage is wanted in the stream too."""


class _Url(Struct):
    url: str


class _Sound(Struct):
    data: bytes
    format: str


class _Part(Struct):
    type: str
    text: str | None = None
    image_url: _Url | None = None
    input_audio: _Sound | None = None


class _Function(Struct):
    name: str
    arguments: str = ""
    description: str = ""
    parameters: dict[str, Any] = {}


class _Named(Struct):
    function: _Function
    id: str | None = None


class _Turn(Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    tool_calls: list[_Named] | None = None
    tool_call_id: str | None = None


class _StreamOptions(Struct):
    include_usage: bool = False


class _Schema(Struct):
    schema: dict[str, Any] | None = None


class _Format(Struct):
    type: str
    json_schema: _Schema | None = None


class _Asked(Struct):
    model: str
    messages: list[_Turn]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_Named] | None = None
    response_format: _Format | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    reasoning_effort: str | None = None


def read_chat(body: bytes) -> ChatAsked:
    """The request of a `POST /v1/chat/completions`. Fields that are none of ours travel in `options.extra`.

    Raises:
        UsageError: it is no such request; the message names the place.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
        asked = msgspec.convert(fields, _Asked)
    except UNREADABLE as exc:
        raise UsageError(f"that is no chat completion request: {exc}") from exc
    request = Request(
        messages=tuple(_messages(asked.messages)),
        options=_options(asked, {name: fields[name] for name in fields if name not in _Asked.__struct_fields__}),
        schema=_schema(asked.response_format),
        tools=tuple(_tool(tool.function) for tool in asked.tools or ()),
    )
    counts = asked.stream_options is not None and asked.stream_options.include_usage
    return ChatAsked(asked.model, request, bool(asked.stream), counts)


def _messages(turns: list[_Turn]) -> Iterator[Message]:
    called: dict[str | None, str] = {}
    for turn in turns:
        calls = tuple(_call(call) for call in turn.tool_calls or ())
        called |= {call.id: call.name for call in calls}
        yield Message(
            role="system" if turn.role == "developer" else turn.role,
            parts=tuple(_parts(turn.content)),
            tool_calls=calls,
            tool_name=called.get(turn.tool_call_id) if turn.role == "tool" else None,
            tool_call_id=turn.tool_call_id,
        )


def _parts(content: str | list[_Part] | None) -> Iterator[Part]:
    if isinstance(content, str):
        content = [_Part("text", content)] if content else []
    for part in content or ():
        if part.image_url:
            yield _image(part.image_url.url)
        elif part.input_audio:
            form = part.input_audio.format
            yield AudioPart(part.input_audio.data, MEDIA_TYPES.get(form, f"audio/{form}"))
        elif part.text is not None:
            yield TextPart(part.text)
        else:
            raise UsageError(f"a part of type `{part.type}` cannot be read: text, image_url and input_audio can")


def _image(url: str) -> ImagePart:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise UsageError(f"an image has to be a data URL in base64, and `{url[:40]}` is none: nothing is fetched")
    try:
        return ImagePart(msgspec.convert(data, bytes), head.removeprefix("data:").removesuffix(";base64"))
    except msgspec.ValidationError as exc:
        raise UsageError("an image is not in base64") from exc


def _call(call: _Named) -> ToolCall:
    try:
        arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, Any])
    except UNREADABLE as exc:
        raise UsageError(f"the call of `{call.function.name}` has arguments that are no JSON object") from exc
    return ToolCall(call.function.name, arguments, call.id)


def _tool(function: _Function) -> Tool:
    return Tool(function.name, function.description, function.parameters)


def _schema(wanted: _Format | None) -> dict[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    return (wanted.json_schema.schema if wanted.json_schema else None) or {"type": "object"}


def _options(asked: _Asked, extra: dict[str, Any]) -> Options:
    if asked.reasoning_effort is not None and asked.reasoning_effort not in EFFORTS:
        raise UsageError(f"`{asked.reasoning_effort}` is no reasoning effort: {', '.join(EFFORTS)} are")
    stop = (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ())
    return Options(
        temperature=asked.temperature,
        max_tokens=asked.max_completion_tokens if asked.max_tokens is None else asked.max_tokens,
        stop=stop,
        seed=asked.seed,
        think=EFFORTS[asked.reasoning_effort] if asked.reasoning_effort else None,
        extra=extra,
    )
