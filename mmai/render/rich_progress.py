"""A bar for each file of a download."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from mmai.clock import Clock
from mmai.render.clean import clean_line
from mmai.render.rich_console import console
from mmai.render.terminal import Terminal
from mmai.render.units import digest_name
from mmai.values.pull import PullProgress


class ProgressBars:
    """One line a file: name, bar, bytes, rate, time left. Steps that are no download stand above."""

    def __init__(self, terminal: Terminal, *, clock: Clock) -> None:
        columns = terminal.size()[0]
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(10, min(40, columns - 58))),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=console(terminal, width=columns, file=terminal.stream),
            get_time=clock.monotonic,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._files: dict[str, TaskID] = {}
        self._step: str | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, progress: PullProgress) -> None:
        """Move the bar of this file, or say the step."""
        if progress.digest is None or progress.total_bytes is None:
            step = clean_line(progress.status)
            if step != self._step:
                self._step = step
                self._progress.console.print(step, style="dim")
            return
        done = progress.completed_bytes or 0
        if progress.digest not in self._files:
            # Begun at what an earlier pull had fetched, which would otherwise count as this one's speed.
            self._files[progress.digest] = self._progress.add_task(
                digest_name(progress.digest), total=progress.total_bytes, completed=done
            )
        self._progress.update(self._files[progress.digest], completed=done)
