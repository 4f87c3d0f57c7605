"""An answer while it is generated, and one that comes whole."""

from collections.abc import Iterator

from mmai.dialects.gemini.answer import Answer, Chunk
from mmai.dialects.gemini.errors import decode, stray_error, told_error
from mmai.dialects.records import Records
from mmai.dialects.sse import Frame, Frames
from mmai.values.event import Event
from mmai.values.model import ModelRef


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
        self._records = Records(Chunk, where=where)

    @property
    def ended(self) -> bool:
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
        yield from self._answer.finish(skipped=self._records.skipped)

    def _events(self, frames: list[Frame]) -> Iterator[Event]:
        for chunk in self._records.read(frame.data for frame in frames):
            if chunk.error:
                raise told_error(chunk.error, where=self._where, ref=self._ref)
            yield from self._answer.take(chunk)


def generate_events(body: bytes, ref: ModelRef, *, where: str) -> Iterator[Event]:
    """The events of a whole `generateContent` response.

    Raises:
        MmaiError: while iterating: it is an error in disguise, no answer, or one that failed.
    """
    chunk = decode(body, Chunk, where=where, what="an answer")
    if chunk.error:
        raise told_error(chunk.error, where=where, ref=ref)
    answer = Answer(ref, where=where)
    yield from answer.take(chunk)
    yield from answer.finish()
