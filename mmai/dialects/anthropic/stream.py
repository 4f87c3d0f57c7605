"""A message while it is generated.

Source: platform.claude.com/docs, "Streaming messages". `message_start`, then for each block `content_block_start`, its deltas and
`content_block_stop`, then `message_delta` with the reason it ended, then `message_stop`; `ping` anywhere.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from mmai.dialects.anthropic.blocks import Blocks, Delta
from mmai.dialects.anthropic.errors import Problem, event_error
from mmai.dialects.anthropic.usage import Counts, finished
from mmai.dialects.anthropic.whole import Block, Message
from mmai.dialects.body import UNREADABLE
from mmai.dialects.sse import Frame, Frames
from mmai.errors import IncompleteAnswer, ProtocolError
from mmai.values.event import Event
from mmai.values.model import ModelRef

MAX_MALFORMED = 1
SHOWN_BYTES = 80


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
        self._decoder = msgspec.json.Decoder(_Event)
        self._blocks = Blocks()
        self._understood = self._malformed = self._unknown = 0
        self._counts = Counts()
        self._model: str | None = None
        self._stop_reason: str | None = None
        self.finished = False
        """The event that ends a message has come; what follows it is ignored."""

    @property
    def told_why(self) -> bool:
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
        for frame in frames:
            try:
                event = self._decoder.decode(frame.data)
            except UNREADABLE as exc:
                self._skip(frame.data, exc)
                continue
            self._understood += 1
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
                raise event_error(event.error or Problem(), where=self._where, ref=self._ref)
            case "ping":
                pass
            case _:
                self._unknown += 1

    def _finish(self) -> Iterator[Event]:
        if self._stop_reason is None:
            raise self._incomplete()
        skipped = self._malformed + self._unknown + self._blocks.unknown
        last = finished(self._counts, self._stop_reason, model=self._model, ref=self._ref, skipped=skipped)
        if self._blocks.broken is not None and last.reason != "length":
            seen = self._blocks.broken[:SHOWN_BYTES]
            raise ProtocolError(f"{self._where} called a tool with arguments that are no JSON object: `{seen}`")
        self.finished = True
        yield last

    def _incomplete(self) -> IncompleteAnswer | ProtocolError:
        if self._understood > self._unknown:
            return IncompleteAnswer(f"{self._where} ended the answer before it was whole", reason="cut")
        saw = "something else" if self._malformed or self._unknown else "nothing"
        return ProtocolError(f"{self._where} sent {saw} as the answer")

    def _skip(self, data: bytes, exc: Exception) -> None:
        self._malformed += 1
        if self._malformed > MAX_MALFORMED:
            seen = data[:SHOWN_BYTES].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self._where} sent {self._malformed} events that are not its protocol, the last `{seen}`"
            ) from exc
