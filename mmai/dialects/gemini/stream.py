"""An answer while it is generated, and one that comes whole."""

from collections.abc import Iterator

import msgspec

from mmai.dialects.body import UNREADABLE
from mmai.dialects.gemini.answer import Answer, Chunk
from mmai.dialects.gemini.errors import decode, stray_error, told_error
from mmai.dialects.sse import Frame, Frames
from mmai.errors import ProtocolError
from mmai.values.event import Event
from mmai.values.model import ModelRef

MAX_MALFORMED = 1
SHOWN_BYTES = 80


class GenerateStream:
    """A stream of `streamGenerateContent?alt=sse` as events, in whatever pieces its bytes arrive.

    The protocol has no last event. Older servers give a reason for the end with every chunk, and a failure may follow one as plain
    JSON, outside of any event: so the answer is whole when the stream has ended and a reason has come.
    """

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._frames = Frames()
        self._answer = Answer(ref, where=where)
        self._decoder = msgspec.json.Decoder(Chunk)
        self._malformed = 0

    @property
    def finished(self) -> bool:
        """A reason for the end has come: were the stream to break now, the answer would be whole."""
        return self._answer.ended

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: an event `{"error": …}`, or the second that is not the protocol.
        """
        return self._events(self._frames.feed(data))

    def close(self) -> Iterator[Event]:
        """The events of what is left, and the last.

        Raises:
            IncompleteAnswer: while iterating: no reason for the end has come.
            ProtocolError: nothing of it was an answer.
            MmaiError: the reason is a failure, or one was told after the last event.
        """
        yield from self._events(self._frames.close())
        if error := stray_error(bytes(self._frames.strays), where=self._where, ref=self._ref):
            raise error
        yield from self._answer.finish(skipped=self._malformed)

    def _events(self, frames: list[Frame]) -> Iterator[Event]:
        for frame in frames:
            try:
                chunk = self._decoder.decode(frame.data)
            except UNREADABLE as exc:
                self._skip(frame.data, exc)
                continue
            if chunk.error:
                raise told_error(frame.data, where=self._where, ref=self._ref)
            yield from self._answer.take(chunk)

    def _skip(self, data: bytes, exc: Exception) -> None:
        self._malformed += 1
        if self._malformed > MAX_MALFORMED:
            seen = data[:SHOWN_BYTES].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self._where} sent {self._malformed} events that are not its protocol, the last `{seen}`"
            ) from exc


def generate_events(body: bytes, ref: ModelRef, *, where: str) -> Iterator[Event]:
    """The events of a whole `generateContent` response.

    Raises:
        MmaiError: while iterating: it is an error in disguise, no answer, or one that failed.
    """
    chunk = decode(body, Chunk, where=where, what="an answer")
    if chunk.error:
        raise told_error(body, where=where, ref=ref)
    answer = Answer(ref, where=where)
    yield from answer.take(chunk)
    yield from answer.finish()
