"""The records of a stream as structs, and what of the stream was understood. One that cannot be read is forgiven, no second."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from mmai.dialects.body import UNREADABLE
from mmai.errors import IncompleteAnswer, MmaiError, ProtocolError

MAX_MALFORMED = 1
SHOWN = 80
"""Bytes or characters that a message quotes of what cannot be read."""

Record = TypeVar("Record")


class Records(Generic[Record]):
    """What the events or lines of one stream hold."""

    def __init__(self, kind: type[Record], *, where: str, unit: str = "events") -> None:
        """`unit` is what messages call the pieces of the stream."""
        self._decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(kind)
        self._where = where
        self._unit = unit
        self._read = 0
        self._malformed = 0
        self.unknown = 0
        """Records that could be read and mean nothing here: the reader counts them."""

    @property
    def understood(self) -> bool:
        """Whether any record meant something."""
        return self._read > self.unknown

    @property
    def skipped(self) -> int:
        """Pieces that nothing here understands."""
        return self._malformed + self.unknown

    def read(self, pieces: Iterable[bytes]) -> Iterator[Record]:
        """The records in the next pieces of the stream.

        Raises:
            ProtocolError: while iterating: one cannot be read, and it is the second.
        """
        for piece in pieces:
            try:
                record = self._decoder.decode(piece)
            except UNREADABLE as exc:
                self._skip(piece, exc)
                continue
            self._read += 1
            yield record

    def incomplete(self, what: str = "the answer", *, hint: str | None = None) -> MmaiError:
        """The error of a stream that ended before `what` it brought did."""
        return incomplete(what, where=self._where, understood=self.understood, skipped=self.skipped, hint=hint)

    def _skip(self, piece: bytes, exc: Exception) -> None:
        self._malformed += 1
        if self._malformed > MAX_MALFORMED:
            seen = piece[:SHOWN].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self._where} sent {self._malformed} {self._unit} that are not its protocol, the last `{seen}`"
            ) from exc


def incomplete(what: str, *, where: str, understood: bool, skipped: int, hint: str | None = None) -> MmaiError:
    """The error of `what` ended too early: of an answer that is cut if anything of it was understood, else of no answer."""
    if understood:
        return IncompleteAnswer(f"{where} ended {what} before it was whole", reason="cut", hint=hint)
    return ProtocolError(f"{where} sent {'something else' if skipped else 'nothing'} as {what}")
