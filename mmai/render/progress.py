"""How far a download has come: a bar for each file on a screen, now and then a line elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from mmai.clock import Clock
from mmai.render.clean import clean_line
from mmai.render.terminal import Terminal
from mmai.render.units import digest_name, size
from mmai.values.pull import PullProgress

LINE_EVERY_S = 5.0


class ProgressWriter(Protocol):
    """Takes the reports of one download in their order. A context manager: what it draws is finished when it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def update(self, progress: PullProgress) -> None:
        """Show one report."""


def open_progress(terminal: Terminal, *, clock: Clock) -> ProgressWriter:
    """Bars where the screen can redraw them, otherwise lines."""
    if terminal.live:
        # rich costs 30 ms, and a log file needs none of it
        from mmai.render.rich_progress import ProgressBars  # noqa: PLC0415

        return ProgressBars(terminal, clock=clock)
    return ProgressLines(terminal, clock=clock)


class ProgressLines:
    """One line where a file or step begins, where a file is whole, and every few seconds between."""

    def __init__(self, terminal: Terminal, *, clock: Clock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._step: str | None = None
        self._files: dict[str, _File] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        return None

    def update(self, progress: PullProgress) -> None:
        """Write a line if there is something to say."""
        if progress.digest is None or progress.total_bytes is None:
            self._say_step(clean_line(progress.status))
            return
        now = self._clock.monotonic()
        done = progress.completed_bytes or 0
        file = self._files.get(progress.digest)
        if file is None:
            file = self._files[progress.digest] = _File(digest_name(progress.digest), progress.total_bytes, done, now)
        if line := file.line(done, now):
            self._terminal.write(f"{line}\n")

    def _say_step(self, step: str) -> None:
        if step != self._step:
            self._step = step
            self._terminal.write(f"{step}\n")


class _File:
    """What was said of one file, and when."""

    def __init__(self, name: str, total_bytes: int, first_bytes: int, now: float) -> None:
        self._name = name
        self._total_bytes = total_bytes
        self._first = (first_bytes, now)
        self._said_at: float | None = None
        self._whole = False

    def line(self, done_bytes: int, now: float) -> str | None:
        """The line for this report, or None where nothing needs to be said."""
        if self._whole:
            return None
        if done_bytes >= self._total_bytes:
            self._whole = True
            return f"{self._name} {size(self._total_bytes)} done"
        if self._said_at is not None and now - self._said_at < LINE_EVERY_S:
            return None
        begun = self._said_at is None
        self._said_at = now
        return f"{self._name} {size(done_bytes)} of {size(self._total_bytes)}" + ("" if begun else self._speed(done_bytes, now))

    def _speed(self, done_bytes: int, now: float) -> str:
        """What this call fetched, over its own time: a resumed file has bytes that took none of it."""
        first_bytes, first_at = self._first
        rate = (done_bytes - first_bytes) / (now - first_at)
        return f" ({done_bytes / self._total_bytes:.0%}, {size(rate)}/s)"
