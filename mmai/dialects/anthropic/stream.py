"""A message while it is generated.

Source: platform.claude.com/docs, "Streaming messages". `message_start`, then for each block `content_block_start`, its deltas and
`content_block_stop`, then `message_delta` with the reason it ended, then `message_stop`; `ping` anywhere.
"""

from collections.abc import Iterator

from msgspec import Struct

from mmai.dialects.anthropic.blocks import Blocks, Delta
from mmai.dialects.anthropic.errors import Problem, told_error
from mmai.dialects.anthropic.usage import Counts, finished
from mmai.dialects.anthropic.whole import Block, Message
from mmai.dialects.records import SHOWN, Records
from mmai.dialects.sse import Frame, Frames
from mmai.errors import ProtocolError
from mmai.values.event import Event
from mmai.values.model import ModelRef


class _Event(Struct):
    type: str
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: Delta = Delta()
    usage: Counts | None = None
    error: Problem | None = None


class MessageStream:
    """A stream of `POST /v1/messages` as events, in whatever pieces its bytes arrive."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._frames = Frames()
        self._records = Records(_Event, where=where)
        self._blocks = Blocks()
        self._counts = Counts()
        self._model: str | None = None
        self._stop_reason: str | None = None
        self.finished = False
        """The event that ends a message has come; what follows it is ignored."""

    @property
    def ended(self) -> bool:
        """It has said why it ended, so that nothing of the answer is missing."""
        return self._stop_reason is not None

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: an event `error`, or the second that is not the protocol.
        """
        return self._events(self._frames.feed(data)) if not self.finished else iter(())

    def close(self) -> Iterator[Event]:
        """The events of what the stream ended in. A message that said why it ended is whole without its last event.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before the message did.
            ProtocolError: nothing of it was a message.
        """
        if not self.finished:
            yield from self._events(self._frames.close())
        if not self.finished:
            yield from self._finish()

    def _events(self, frames: list[Frame]) -> Iterator[Event]:
        for event in self._records.read(frame.data for frame in frames):
            yield from self._read(event)
            if self.finished:
                return

    def _read(self, event: _Event) -> Iterator[Event]:
        match event.type:
            case "message_start":
                message = event.message or Message()
                self._model, self._counts = message.model, message.usage or Counts()
            case "content_block_start" if event.content_block:
                yield from self._blocks.start(event.index, event.content_block)
            case "content_block_delta":
                yield from self._blocks.grow(event.index, event.delta)
            case "content_block_stop":
                yield from self._blocks.stop(event.index)
            case "message_delta":
                self._counts = self._counts.updated(event.usage or Counts())
                self._stop_reason = event.delta.stop_reason or self._stop_reason
            case "message_stop":
                yield from self._finish()
            case "error":
                raise told_error(event.error or Problem(), where=self._where, ref=self._ref)
            case "ping":
                pass
            case _:
                self._records.unknown += 1

    def _finish(self) -> Iterator[Event]:
        if self._stop_reason is None:
            raise self._records.incomplete()
        skipped = self._records.skipped + self._blocks.unknown
        last = finished(self._counts, self._stop_reason, model=self._model, ref=self._ref, skipped=skipped)
        if self._blocks.broken is not None and last.reason != "length":
            seen = self._blocks.broken[:SHOWN]
            raise ProtocolError(f"{self._where} called a tool with arguments that are no JSON object: `{seen}`")
        self.finished = True
        yield last
