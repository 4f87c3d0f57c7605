"""The content of a message while it grows: text, thinking, and calls of tools, block by block."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.anthropic.thoughts import Thought, seal
from mmai.dialects.anthropic.whole import Block
from mmai.dialects.body import UNREADABLE
from mmai.values.event import Event, ReasoningEvent, TextEvent
from mmai.values.request import ToolCall

SILENT = ("citations_delta",)


class Delta(Struct, frozen=True):
    """More of a block."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    """Of the message, where the delta is the message's own."""


class _Call(Struct):
    """A call of a tool whose arguments still come."""

    block: Block
    arguments: str = ""


class Blocks:
    """Blocks that have begun, by their index, as the events they make."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._thoughts: dict[int, Thought] = {}
        """Those before the next call of a tool."""
        self.broken: str | None = None
        """Arguments that are no JSON object: a fault, unless the message was cut for its length."""
        self.unknown = 0
        """Deltas nothing here understands."""

    def start(self, index: int, block: Block) -> Iterator[Event]:
        """A block begins, and may have something in it already."""
        if block.type == "tool_use":
            self._calls[index] = _Call(block)
            return
        if thought := block.thought:
            self._thoughts[index] = thought
        if said := block.event():
            yield said

    def grow(self, index: int, delta: Delta) -> Iterator[Event]:
        """More of a block."""
        match delta.type:
            case "text_delta":
                if delta.text:
                    yield TextEvent(delta.text)
            case "thinking_delta":
                self._think(index, thinking=delta.thinking)
                if delta.thinking:
                    yield ReasoningEvent(delta.thinking)
            case "signature_delta":
                self._think(index, signature=delta.signature)
            case "input_json_delta":
                if call := self._calls.get(index):
                    call.arguments += delta.partial_json
            case _:
                self.unknown += delta.type not in SILENT

    def stop(self, index: int) -> Iterator[Event]:
        """A block is whole: a call of a tool can be made."""
        call = self._calls.pop(index, None)
        if call is None:
            return
        try:
            given = msgspec.json.decode(call.arguments, type=dict[str, Any]) if call.arguments else call.block.input or {}
        except UNREADABLE:
            self.broken = call.arguments
            return
        yield ToolCall(call.block.name, given, call.block.id, seal(list(self._thoughts.values())))
        self._thoughts.clear()

    def _think(self, index: int, *, thinking: str = "", signature: str = "") -> None:
        if thought := self._thoughts.get(index):
            thought.thinking = (thought.thinking or "") + thinking
            thought.signature = (thought.signature or "") + signature
