"""A download while it runs."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mmai.dialects.ndjson import Lines
from mmai.dialects.ollama.errors import told_error
from mmai.dialects.records import Records
from mmai.values.model import ModelRef
from mmai.values.pull import PullProgress


class _PullLine(Struct):
    status: str = ""
    digest: str | None = None
    total: int | None = None
    completed: int | None = None
    error: Any = None


class PullStream:
    """A stream of `POST /api/pull` as progress."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._lines = Lines()
        self._records = Records(_PullLine, where=where, unit="lines")
        self._succeeded = False

    def feed(self, data: bytes) -> Iterator[PullProgress]:
        """The reports `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: `UnknownModel` where the library has no such model, or another failure.
        """
        return self._progress(self._lines.feed(data))

    def close(self) -> Iterator[PullProgress]:
        """The report of a last line without its end.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before `success`.
        """
        yield from self._progress(self._lines.close())
        if not self._succeeded:
            raise self._records.incomplete("the download", hint=f"mmai pull {self._ref} goes on where it stopped")

    def _progress(self, lines: list[bytes]) -> Iterator[PullProgress]:
        for line in self._records.read(lines):
            if line.error:
                raise told_error(line.error, where=self._where, ref=self._ref)
            self._succeeded = self._succeeded or line.status == "success"
            yield PullProgress(status=line.status, digest=line.digest, total_bytes=line.total, completed_bytes=line.completed)
