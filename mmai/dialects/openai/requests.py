"""What is sent for a chat completion and for an embedding."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from mmai.dialects.openai.strict import can_be_strict
from mmai.dialects.openai.tuning import chat_tuning, embed_tuning
from mmai.errors import InvalidRequest
from mmai.values.media import usual
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Message, Part, Request, TextPart, Tool, ToolCall

SOUNDS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
}
"""Media type to the `format` of `input_audio`. OpenAI itself takes the first two; others take more."""
SCHEMA_NAME = "answer"


def chat_body(model: ModelCard, request: Request, *, stream: bool = True) -> bytes:
    """The body of `POST /chat/completions`. Options that are None are left to the model's own defaults."""
    body: dict[str, Any] = {"model": model.name, "messages": [_turn(message) for message in with_call_ids(request.messages)]}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool_fields(tool)} for tool in request.tools]
    if request.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": schema_fields(request.schema)}
    return msgspec.json.encode(body | chat_tuning(model, request.options).fields)


def embed_body(model: ModelCard, request: Request) -> bytes:
    """The body of `POST /embeddings` for one text, the user turns together."""
    # The SDK's own default is base64; other servers know numbers alone.
    fields = {"model": model.name, "input": request.prompt, "encoding_format": "float"}
    return msgspec.json.encode(fields | embed_tuning(request.options).fields)


def tool_fields(tool: Tool) -> dict[str, Any]:
    """What describes a function."""
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def schema_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """What describes the answer that is wanted. One that cannot be strict is a wish where it would be an error."""
    return {"name": SCHEMA_NAME, "schema": schema, "strict": can_be_strict(schema)}


def data_url(part: ImagePart) -> str:
    """An image as it is put into JSON."""
    return f"data:{part.media_type};base64,{base64(part.data)}"


def base64(data: bytes) -> str:
    """As msgspec writes bytes, which spares an import."""
    return str(msgspec.to_builtins(data))


def sound_fields(part: AudioPart) -> dict[str, str]:
    """What `input_audio` holds."""
    media_type = usual(part.media_type)
    return {"data": base64(part.data), "format": SOUNDS.get(media_type, media_type.rpartition("/")[2])}


def with_call_ids(messages: Iterable[Message]) -> Iterator[Message]:
    """The turns with an id for every call and every answer to one, which other protocols leave out; answers come in order."""
    open_ids: list[str] = []
    made = 0
    for message in messages:
        if message.role == "tool":
            yield replace(message, tool_call_id=message.tool_call_id or (open_ids.pop(0) if open_ids else "call_0"))
            continue
        calls: list[ToolCall] = []
        for call in message.tool_calls:
            if call.id is None:
                call, made = replace(call, id=f"call_{made}"), made + 1
                open_ids.append(call.id or "")
            calls.append(call)
        yield replace(message, tool_calls=tuple(calls)) if calls else message


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.role == "tool":
        return turn | {"tool_call_id": message.tool_call_id}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": msgspec.json.encode(call.arguments).decode()},
            }
            for call in message.tool_calls
        ]
    return turn


def _content(message: Message) -> str | list[dict[str, Any]] | None:
    """Plain text where it is all there is: small servers know nothing else."""
    if any(isinstance(part, ImagePart | AudioPart) for part in message.parts):
        return [_part(part) for part in message.parts]
    return message.text or (None if message.tool_calls else "")


def _part(part: Part) -> dict[str, Any]:
    match part:
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": data_url(part)}}
        case AudioPart():
            return {"type": "input_audio", "input_audio": sound_fields(part)}
        case TextPart(text):
            return {"type": "text", "text": text}
        case _:
            raise InvalidRequest(f"the tensor `{part.name}` cannot be sent to a server")
