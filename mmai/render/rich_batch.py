"""A bar for a batch: how many rows are done, and how long it takes already."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mmai.clock import Clock
from mmai.render.batch import counts
from mmai.render.clean import clean_line
from mmai.render.rich_console import console
from mmai.render.terminal import Terminal
from mmai.values.batch import BatchStatus


class BatchBar:
    """One line: the batch's id, a bar, rows, time."""

    def __init__(self, terminal: Terminal, batch_id: str, *, rows: int, clock: Clock) -> None:
        columns = terminal.size()[0]
        self._rows = rows
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(10, min(40, columns - 60))),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeElapsedColumn(),
            console=console(terminal, width=columns, file=terminal.stream),
            get_time=clock.monotonic,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(_short(batch_id), total=rows, counts=f"0 of {rows}")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, status: BatchStatus) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=status.done, counts=counts(status, self._rows))

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(clean_line(text), style="dim", markup=False, highlight=False)


def _short(batch_id: str, most: int = 20) -> str:
    """The start of an id; the whole one stands in the line above the bar."""
    name = clean_line(batch_id)
    return name if len(name) <= most else f"{name[: most - 1]}…"
