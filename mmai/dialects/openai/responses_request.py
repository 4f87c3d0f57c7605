"""What is sent for a response: the turns as items, of which calls and their results are two."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mmai.dialects.openai.requests import data_url, schema_fields, sound_fields, tool_fields, with_call_ids
from mmai.dialects.openai.tuning import responses_tuning
from mmai.errors import InvalidRequest
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Message, Part, Request, TextPart


def responses_body(model: ModelCard, request: Request, *, stream: bool = True) -> bytes:
    """The body of `POST /responses`. The provider keeps nothing of it, as with chats, unless `-O store=true` asks for that."""
    items = [item for message in with_call_ids(request.messages) for item in _items(message)]
    body: dict[str, Any] = {"model": model.name, "input": items, "store": False}
    if stream:
        body["stream"] = True
    if request.tools:
        # Left out, `strict` is true here, and false in a chat.
        body["tools"] = [{"type": "function", "strict": False, **tool_fields(tool)} for tool in request.tools]
    if request.schema is not None:
        body["text"] = {"format": {"type": "json_schema", **schema_fields(request.schema)}}
    return msgspec.json.encode(body | responses_tuning(model, request.options).fields)


def _items(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": message.text}
        return
    if message.parts:
        yield {"role": message.role, "content": _content(message)}
    for call in message.tool_calls:
        arguments = msgspec.json.encode(call.arguments).decode()
        yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if any(isinstance(part, ImagePart | AudioPart) for part in message.parts):
        return [_part(part) for part in message.parts]
    return message.text


def _part(part: Part) -> dict[str, Any]:
    match part:
        case ImagePart():
            return {"type": "input_image", "image_url": data_url(part), "detail": "auto"}
        case AudioPart():
            return {"type": "input_audio", "input_audio": sound_fields(part)}
        case TextPart(text):
            return {"type": "input_text", "text": text}
        case _:
            raise InvalidRequest(f"the tensor `{part.name}` cannot be sent to a server")
