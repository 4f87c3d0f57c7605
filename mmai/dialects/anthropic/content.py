"""The turns of a conversation as Anthropic's content blocks."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from mmai.dialects.anthropic.thoughts import Block, unseal
from mmai.values.request import ImagePart, Message, Part, TextPart


def turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """User and assistant turns by turns: neighbours of one side are one turn, system turns are left to the `system` field."""
    blocks = [(_side(message), block) for message in messages if message.role != "system" for block in _blocks(message)]
    return [{"role": side, "content": [block for _, block in group]} for side, group in groupby(blocks, key=itemgetter(0))]


def _side(message: Message) -> str:
    return "assistant" if message.role == "assistant" else "user"


def _blocks(message: Message) -> Iterator[Block]:
    content = list(_parts(message.parts))
    if message.role == "tool":
        yield {"type": "tool_result", "tool_use_id": _id(message.tool_call_id, message.tool_name), "content": content}
        return
    yield from (thought for call in message.tool_calls for thought in unseal(call.signature))
    yield from content
    for call in message.tool_calls:
        yield {"type": "tool_use", "id": _id(call.id, call.name), "name": call.name, "input": call.arguments}


def _parts(parts: Sequence[Part]) -> Iterator[Block]:
    for part in parts:
        match part:
            case TextPart(text) if text.strip():  # a block of white space alone is refused
                yield {"type": "text", "text": text}
            case ImagePart(data, media_type):
                # msgspec writes bytes as base64.
                yield {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _id(given: str | None, name: str | None) -> str:
    """Calls of other providers' models may have none, and are known by their function."""
    return given or f"call_{name}"
