"""A bar for many prompts."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from mmai.clock import Clock
from mmai.render import many
from mmai.render.rich_console import console
from mmai.render.terminal import Terminal

EVERY_S = 0.1
"""Counting is quicker than a screen."""


class ManyBar:
    """One line: a bar, rows, rate, cost, time left."""

    def __init__(self, terminal: Terminal, *, total: int | None, clock: Clock) -> None:
        columns = terminal.size()[0]
        self._clock = clock
        self._shown_at = clock.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=max(10, min(30, columns - 60))),
            TextColumn("{task.fields[counted]}", markup=False),
            console=console(terminal, width=columns, file=terminal.stream),
            get_time=clock.monotonic,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._task = self._progress.add_task("", total=total, counted="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, progress: many.Progress) -> None:
        """Move the bar."""
        if self._clock.monotonic() - self._shown_at >= EVERY_S:
            self._shown_at = self._clock.monotonic()
            self._progress.update(self._task, completed=progress.kept + progress.done, counted=many.counted(progress))
