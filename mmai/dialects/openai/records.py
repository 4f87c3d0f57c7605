"""The events of a stream as structs: what cannot be read is skipped once, and what reports a failure is raised."""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from mmai.dialects.body import UNREADABLE
from mmai.dialects.openai.errors import read_failure, told_error
from mmai.dialects.sse import Frame, Frames
from mmai.errors import IncompleteAnswer, MmaiError, ProtocolError
from mmai.values.model import ModelRef

MAX_MALFORMED = 1
SHOWN_BYTES = 80
DONE = b"[DONE]"


class _Failing(Protocol):
    error: Any


Record = TypeVar("Record", bound=_Failing)


class Records(Generic[Record]):
    """The data of the events as structs, until `[DONE]`."""

    def __init__(self, kind: type[Record], ref: ModelRef, *, where: str) -> None:
        self._decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(kind)
        self._frames = Frames()
        self._ref = ref
        self._where = where
        self._malformed = 0
        self.understood = 0
        self.unknown = 0
        """Events that could be read: those that mean something here, and those that do not. The reader counts them."""
        self.done = False
        """`[DONE]` has come."""

    @property
    def skipped(self) -> int:
        """Events that nothing here understands."""
        return self._malformed + self.unknown

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records `data` completes; what is wrong with one is raised when its turn comes."""
        return self._decode(self._frames.feed(data))

    def close(self) -> Iterator[Record]:
        """The record of a last event without its end."""
        return self._decode(self._frames.close())

    def incomplete(self) -> MmaiError:
        """The error of a stream that ended before its answer did."""
        strays = bytes(self._frames.strays).strip()
        if strays.startswith(b"{") and b'"error"' in strays:
            return told_error(msgspec.Raw(strays), where=self._where, ref=self._ref)
        if self.understood:
            return IncompleteAnswer(f"{self._where} ended the answer before it was whole", reason="cut")
        saw = read_failure(strays).message[:200] or ("something else" if self.skipped else "nothing")
        return ProtocolError(f"{self._where} sent no answer but {saw}")

    def _decode(self, frames: list[Frame]) -> Iterator[Record]:
        for frame in frames:
            if frame.data.strip() == DONE:
                self.done = True
                return
            try:
                record = self._decoder.decode(frame.data)
            except UNREADABLE as exc:
                self._skip(frame.data, exc)
                continue
            if record.error:
                raise told_error(record.error, where=self._where, ref=self._ref)
            yield record

    def _skip(self, data: bytes, exc: Exception) -> None:
        self._malformed += 1
        if self._malformed > MAX_MALFORMED:
            seen = data[:SHOWN_BYTES].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self._where} sent {self._malformed} events that are not its protocol, the last `{seen}`"
            ) from exc
