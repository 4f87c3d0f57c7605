"""The lines of one of Ollama's streams as values."""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from mmai.dialects.body import UNREADABLE
from mmai.dialects.ndjson import Lines
from mmai.dialects.ollama.errors import line_error
from mmai.errors import IncompleteAnswer, ProtocolError
from mmai.values.model import ModelRef

MAX_SKIPPED_LINES = 1
SHOWN_LINE_BYTES = 80


class _Line(Protocol):
    error: Any


Line = TypeVar("Line", bound=_Line)


class Records(Generic[Line]):
    """The lines of a stream as structs. One line that is none is skipped and counted; the second is an error."""

    def __init__(self, kind: type[Line], ref: ModelRef, where: str) -> None:
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(kind)
        self._lines = Lines()
        self._ref = ref
        self._where = where
        self.understood = 0
        self.skipped = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """The records `data` completes; what is wrong with one is raised when its turn comes."""
        return self._decode(self._lines.feed(data))

    def close(self) -> Iterator[Line]:
        """The record of a last line without its end."""
        return self._decode(self._lines.close())

    def incomplete(self, what: str, hint: str | None = None) -> IncompleteAnswer | ProtocolError:
        """The error of a stream that ended before its last line."""
        if self.understood:
            return IncompleteAnswer(f"{self._where} ended {what} before it was whole", reason="cut", hint=hint)
        saw = "something else" if self.skipped else "nothing"
        return ProtocolError(f"{self._where} sent {saw} as {what}")

    def _decode(self, lines: list[bytes]) -> Iterator[Line]:
        for line in lines:
            try:
                record = self._decoder.decode(line)
            except UNREADABLE as exc:
                self._skip(line, exc)
                continue
            self.understood += 1
            if record.error:
                raise line_error(record.error, where=self._where, ref=self._ref)
            yield record

    def _skip(self, line: bytes, exc: Exception) -> None:
        self.skipped += 1
        if self.skipped > MAX_SKIPPED_LINES:
            seen = line[:SHOWN_LINE_BYTES].decode("utf-8", "replace")
            raise ProtocolError(
                f"{self._where} sent {self.skipped} lines that are not its protocol, the last `{seen}`"
            ) from exc
