"""An answer that arrives in events (SSE) or lines (NDJSON), each read by the same paths. Pure."""

from collections.abc import Iterable, Iterator

from mmai.backends.custom.failures import error_text
from mmai.backends.custom.reading import NotJson, Reading
from mmai.dialects.ndjson import Lines
from mmai.dialects.sse import Frame, Frames
from mmai.values.event import Event
from mmai.values.service import ServiceResponse


class ServiceStream:
    """A stream as events, in whatever pieces its bytes arrive."""

    def __init__(self, response: ServiceResponse, reading: Reading) -> None:
        self._split: Frames | Lines = Frames() if response.stream == "sse" else Lines()
        self._response = response
        self._reading = reading
        self.finished = False
        """The mark of its end has come; what follows it is ignored."""

    @property
    def ended(self) -> bool:
        """Whether nothing of the answer can be missing, though its end has not come."""
        return self.finished or self._reading.reason is not None

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: see `Reading.read`, or the second record that is not JSON.
        """
        return self._events(self._split.feed(data)) if not self.finished else iter(())

    def close(self) -> Iterator[Event]:
        """The events of a last record without its end, and the one that finishes.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before what the settings say it ends with.
            ProtocolError: nothing of it was an answer.
        """
        if not self.finished:
            yield from self._events(self._split.close())
        if not self.finished:
            if self._response.done and self._reading.found and not self.ended:
                raise self._reading.cut(self._response.done)
            yield self._reading.finished()

    def _events(self, records: Iterable[Frame | bytes]) -> Iterator[Event]:
        for record in records:
            kind, data = (record.event, record.data) if isinstance(record, Frame) else (None, record)
            if kind == "error":
                raise self._reading.failure(error_text(data, self._response.error))
            if self._is_mark(kind, data):
                self._reading.end(data)
                self.finished = True
            else:
                yield from self._read(data)
            if self.finished:
                yield self._reading.finished()
                return

    def _is_mark(self, kind: str | None, data: bytes) -> bool:
        mark = self._response.done
        return mark is not None and (kind == mark or data.strip() == mark.encode())

    def _read(self, data: bytes) -> Iterator[Event]:
        try:
            yield from self._reading.read(data)
            self.finished = self._reading.done
        except NotJson:
            self._reading.skip(data)
