"""How far a batch is: a bar where the screen can redraw it, otherwise lines."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from mmai.clock import Clock
from mmai.render.batch import counts
from mmai.render.clean import clean_line
from mmai.render.terminal import Terminal
from mmai.render.units import duration
from mmai.values.batch import BatchStatus


class BatchWriter(Protocol):
    """Takes how far a batch is, now and then. A context manager: what it draws is finished when it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def update(self, status: BatchStatus) -> None:
        """Show it."""

    def say(self, text: str) -> None:
        """A line beside it."""


def open_batch_progress(terminal: Terminal, batch_id: str, *, rows: int, clock: Clock) -> BatchWriter:
    """A bar where the screen can redraw it, otherwise lines."""
    if terminal.live:
        # rich costs 30 ms, and a log file needs none of it
        from mmai.render.rich_batch import BatchBar  # noqa: PLC0415

        return BatchBar(terminal, batch_id, rows=rows, clock=clock)
    return BatchLines(lambda text: terminal.write(f"{text}\n"), batch_id, rows=rows, clock=clock)


class BatchLines:
    """A line whenever more rows are done."""

    def __init__(self, write: Callable[[str], None], batch_id: str, *, rows: int, clock: Clock) -> None:
        self._write = write
        self._batch_id = batch_id
        self._rows = rows
        self._clock = clock
        self._began = clock.monotonic()
        self._seen = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        return None

    def update(self, status: BatchStatus) -> None:
        """Write a line if there is something to say."""
        if (status.done, status.failed) == self._seen:
            return
        self._seen = (status.done, status.failed)
        elapsed = duration((self._clock.monotonic() - self._began) * 1000)
        self.say(f"{self._batch_id}: {counts(status, self._rows)} after {elapsed}")

    def say(self, text: str) -> None:
        """A line of its own."""
        self._write(clean_line(text))
