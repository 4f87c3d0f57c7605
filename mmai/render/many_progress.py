"""How far many prompts are: a bar where the screen can redraw it, otherwise lines."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from mmai.clock import Clock
from mmai.render.many import Progress, counted
from mmai.render.terminal import Terminal

LINE_EVERY_S = 10.0


class ManyWriter(Protocol):
    """Shows how far it is, now and then. A context manager: what it draws is finished when it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def update(self, progress: Progress) -> None:
        """Show it."""


def open_many_progress(terminal: Terminal, *, total: int | None, clock: Clock) -> ManyWriter:
    """A bar where the screen can redraw it, otherwise lines."""
    if terminal.live:
        from mmai.render.rich_many import ManyBar  # noqa: PLC0415  rich costs 30 ms, and a log file needs none of it

        return ManyBar(terminal, total=total, clock=clock)
    return ManyLines(lambda text: terminal.write(f"{text}\n"), clock=clock)


class ManyLines:
    """A line now and then."""

    def __init__(self, write: Callable[[str], None], *, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._said_at = clock.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        return None

    def update(self, progress: Progress) -> None:
        """Write a line if it is time."""
        if self._clock.monotonic() - self._said_at >= LINE_EVERY_S:
            self._said_at = self._clock.monotonic()
            self._write(counted(progress))
