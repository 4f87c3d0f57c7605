"""The events of a stream as structs, until `[DONE]`; what reports a failure is raised."""

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import msgspec

from mmai.dialects.body import SEEN_CHARS
from mmai.dialects.openai.errors import read_failure, told_error
from mmai.dialects.records import Records
from mmai.dialects.sse import Frame, Frames
from mmai.errors import MmaiError, ProtocolError
from mmai.values.model import ModelRef

DONE = b"[DONE]"


class _Failing(Protocol):
    error: Any


Record = TypeVar("Record", bound=_Failing)


class EventRecords(Records[Record]):
    """The data of the events."""

    def __init__(self, kind: type[Record], ref: ModelRef, *, where: str) -> None:
        super().__init__(kind, where=where)
        self._frames = Frames()
        self._ref = ref
        self.done = False
        """`[DONE]` has come."""

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records `data` completes; what is wrong with one is raised when its turn comes."""
        return self._checked(self._frames.feed(data))

    def close(self) -> Iterator[Record]:
        """The record of a last event without its end."""
        return self._checked(self._frames.close())

    def incomplete(self, what: str = "the answer", *, hint: str | None = None) -> MmaiError:
        """The error of a stream that ended before `what` it brought did, which may stand after its events as plain JSON."""
        strays = bytes(self._frames.strays).strip()
        if strays.startswith(b"{") and b'"error"' in strays:
            return told_error(msgspec.Raw(strays), where=self._where, ref=self._ref)
        if strays and not self.understood:
            return ProtocolError(f"{self._where} sent no answer but {read_failure(strays).message[:SEEN_CHARS]}")
        return super().incomplete(what, hint=hint)

    def _checked(self, frames: list[Frame]) -> Iterator[Record]:
        for record in self.read(self._data(frames)):
            if record.error:
                raise told_error(record.error, where=self._where, ref=self._ref)
            yield record

    def _data(self, frames: list[Frame]) -> Iterator[bytes]:
        for frame in frames:
            if frame.data.strip() == DONE:
                self.done = True
                return
            yield frame.data
