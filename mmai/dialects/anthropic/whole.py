"""A message that comes in one piece."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from mmai.dialects.anthropic.errors import Problem, decode, told_error
from mmai.dialects.anthropic.thoughts import TYPES, Thought, seal
from mmai.dialects.anthropic.usage import Counts, finished
from mmai.errors import ProtocolError
from mmai.values.event import Event, ReasoningEvent, TextEvent
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall


class Block(Struct):
    """A piece of content: text, thinking, a call of a tool; or another that nothing here asks for."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str = ""
    input: Any = None

    @property
    def thought(self) -> Thought | None:
        """What goes back with a call of a tool; None where it is no thinking."""
        return Thought(self.type, self.thinking, self.signature, self.data) if self.type in TYPES else None

    def event(self) -> Event | None:
        """What it says, a call of a tool aside; None where that is nothing."""
        if self.type == "thinking":
            return ReasoningEvent(self.thinking) if self.thinking else None
        return TextEvent(self.text) if self.type == "text" and self.text else None


class Message(Struct):
    """An answer, or the first event of one."""

    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Counts | None = None
    error: Problem | None = None


def message_events(body: bytes, ref: ModelRef, *, where: str) -> list[Event]:
    """The events of a whole answer to `POST /v1/messages`.

    Raises:
        MmaiError: it is an error in disguise, or no message.
    """
    message = decode(body, Message, where=where, what="an answer")
    if message.error:
        raise told_error(message.error, where=where, ref=ref)
    if message.stop_reason is None:
        raise ProtocolError(f"{where} sent an answer that does not say why it ended")
    events = list(_said(message.content or []))
    return [*events, finished(message.usage or Counts(), message.stop_reason, model=message.model, ref=ref)]


def _said(content: Sequence[Block]) -> Iterator[Event]:
    thoughts: list[Thought] = []
    for block in content:
        if thought := block.thought:
            thoughts.append(thought)
        if block.type == "tool_use":
            yield ToolCall(block.name, block.input if isinstance(block.input, dict) else {}, block.id, seal(thoughts))
            thoughts = []
        elif event := block.event():
            yield event
