"""A chat while it is generated."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE
from mmai.dialects.ndjson import Lines
from mmai.dialects.ollama.errors import told_error
from mmai.dialects.ollama.metrics import Metrics, finished
from mmai.dialects.records import SHOWN, Records
from mmai.errors import ProtocolError
from mmai.values.event import Event, FinishedEvent, FinishReason, ReasoningEvent, TextEvent
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall


class _Function(Struct):
    name: str
    arguments: dict[str, Any] | str | None = None


class _ToolCall(Struct):
    function: _Function
    id: str | None = None


class _Message(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _ChatLine(Metrics):
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None


class ChatStream:
    """A stream of `POST /api/chat` as events, in whatever pieces its bytes arrive."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._lines = Lines()
        self._records = Records(_ChatLine, where=where, unit="lines")
        self._called_tools = False
        self.finished = False
        """The line that says `done` has come; what follows it is ignored."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: a line `{"error": …}`, or the second that is not the protocol.
        """
        return self._events(self._lines.feed(data)) if not self.finished else iter(())

    def close(self) -> Iterator[Event]:
        """The events of a last line without its end.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before `done`.
            ProtocolError: nothing of it was a chat.
        """
        if not self.finished:
            yield from self._events(self._lines.close())
        if not self.finished:
            raise self._records.incomplete()

    def _events(self, lines: list[bytes]) -> Iterator[Event]:
        for line in self._records.read(lines):
            if line.error:
                raise told_error(line.error, where=self._where, ref=self._ref)
            yield from self._content(line.message or _Message())
            if line.done:
                self.finished = True
                yield self._finish(line)
                return

    def _content(self, message: _Message) -> Iterator[Event]:
        if message.thinking:
            yield ReasoningEvent(message.thinking)
        if message.content:
            yield TextEvent(message.content)
        for call in message.tool_calls or ():
            self._called_tools = True
            yield ToolCall(call.function.name, _arguments(call.function.arguments), call.id)

    def _finish(self, line: _ChatLine) -> FinishedEvent:
        reason: FinishReason = "length" if line.done_reason == "length" else "tool_calls" if self._called_tools else "stop"
        return finished(line, self._ref, reason=reason, skipped_lines=self._records.skipped)


def _arguments(value: dict[str, Any] | str | None) -> dict[str, Any]:
    """An object by Ollama's protocol; a server in between may send it as text, as OpenAI does."""
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value, type=dict[str, Any])
        except UNREADABLE as exc:
            raise ProtocolError(f"a tool was called with arguments that are no JSON object: `{value[:SHOWN]}`") from exc
    return value or {}
