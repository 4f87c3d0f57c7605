"""What is sent to Gemini."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mmai.dialects.gemini.models import full_name
from mmai.dialects.gemini.thinking import thinking
from mmai.errors import InvalidRequest
from mmai.values.event import DroppedEvent
from mmai.values.request import AudioPart, ImagePart, Message, Part, Request, TextPart, Tool, ToolCall

MAX_STOPS = 5
TOP_LEVEL = ("cachedContent", "labels", "safetySettings", "serviceTier", "store", "toolConfig", "tools")
"""Fields a user may set with `-O` that stand beside `generationConfig`."""
MEDIA_TYPES = {"audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav"}
"""What files are called elsewhere, and what Google's documentation calls them."""
ROLES = {"user": "user", "assistant": "model", "tool": "user"}


def generate_body(name: str, request: Request, *, modalities: Sequence[str] = ()) -> bytes:
    """The body of `generateContent` and `streamGenerateContent`; the model stands in the path.

    `modalities` are what is wanted back, such as `IMAGE`; without them the model answers as it always does. Options that are
    None are left to its own defaults.
    """
    body: dict[str, Any] = {"contents": _contents(request.messages)}
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in request.tools]}]
    tuning = _tuning(name, request) | ({"responseModalities": list(modalities)} if modalities else {})
    for key, value in request.options.extra.items():
        (body if key in TOP_LEVEL else tuning)[key] = value
    return msgspec.json.encode(body | {"generationConfig": tuning} if tuning else body)


def embed_body(name: str, request: Request) -> bytes:
    """The body of `embedContent`: the user turns together, media included, make one vector.

    Of the extra options `dimensions` is Google's `outputDimensionality`; the others go under their own names, as `taskType`.
    """
    media = [part for message in request.messages for part in message.parts if isinstance(part, ImagePart | AudioPart)]
    parts = [*([{"text": request.prompt}] if request.prompt else []), *map(_part, media)]
    extra = {("outputDimensionality" if key == "dimensions" else key): value for key, value in request.options.extra.items()}
    return msgspec.json.encode({"model": full_name(name), "content": {"parts": parts}} | extra)


def dropped(name: str, request: Request, *, embeds: bool = False) -> Iterator[DroppedEvent]:
    """The options that are asked for and not sent, or not as they are; `embeds` says it is an embedding that is asked for."""
    options = request.options
    if options.keep_alive is not None:
        yield DroppedEvent("keep_alive", "Google keeps its models loaded")
    if embeds:
        for option in ("temperature", "max_tokens", "stop", "seed", "think"):
            if getattr(options, option) not in (None, ()):
                yield DroppedEvent(option, "an embedding has none")
        return
    if len(options.stop) > MAX_STOPS:
        yield DroppedEvent("stop", f"Gemini takes {MAX_STOPS}, so the first {MAX_STOPS} are sent")
    if reason := thinking(name, options.think).dropped:
        yield DroppedEvent("think", reason)


def _contents(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The turns but the system's. Answers of tools that follow each other are one turn, as many as were called together."""
    contents: list[dict[str, Any]] = []
    previous = None
    for message in messages:
        if message.role == "system":
            continue
        if message.role == previous == "tool":
            contents[-1]["parts"] += _parts(message)
        else:
            contents.append({"role": ROLES[message.role], "parts": _parts(message)})
        previous = message.role
    return contents


def _parts(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        answer = {"name": message.tool_name or "", "response": {"result": message.text}}
        return [{"functionResponse": answer | ({"id": message.tool_call_id} if message.tool_call_id else {})}]
    return [*map(_part, message.parts), *map(_call, message.tool_calls)]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"text": text}
        case ImagePart() | AudioPart():
            # msgspec writes bytes as base64.
            return {"inlineData": {"mimeType": MEDIA_TYPES.get(part.media_type, part.media_type), "data": part.data}}
        case _:
            raise InvalidRequest(f"the tensor `{part.name}` cannot be sent to a server")


def _call(call: ToolCall) -> dict[str, Any]:
    asked = {"name": call.name, "args": call.arguments} | ({"id": call.id} if call.id else {})
    return {"functionCall": asked} | ({"thoughtSignature": call.signature} if call.signature else {})


def _declaration(tool: Tool) -> dict[str, Any]:
    schema = {"parametersJsonSchema": tool.parameters} if tool.parameters else {}
    return {"name": tool.name, "description": tool.description} | schema


def _tuning(name: str, request: Request) -> dict[str, Any]:
    options = request.options
    given = {
        "temperature": options.temperature,
        "maxOutputTokens": options.max_tokens,
        "stopSequences": options.stop[:MAX_STOPS] or None,
        "seed": options.seed,
        "responseMimeType": None if request.schema is None else "application/json",
        "responseJsonSchema": request.schema,
        "thinkingConfig": thinking(name, options.think).config,
    }
    return {key: value for key, value in given.items() if value is not None}
