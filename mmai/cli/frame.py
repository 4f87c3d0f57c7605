"""What a command sees of its process: environment, folders, settings, streams, and the one event loop."""

import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mmai.errors import Interrupted, MmaiError
from mmai.values.output import AnswerOutput, Output

if TYPE_CHECKING:
    from mmai.paths import Paths
    from mmai.render.table import Table
    from mmai.render.terminal import Terminal
    from mmai.settings import Settings

STARTED = time.perf_counter()
"""When mmai's own code began to run; `startup_ms` counts from here."""

T = TypeVar("T")


class Frame:
    """What a command sees of its process: environment, folders, settings, streams, and where its words go."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.command = "mmai"
        self.output = "table"
        self.quiet = False
        self.no_color = False
        self.warnings: list[str] = []
        self.data: Any = None
        """What a failing command had to show so far; it goes into the envelope."""

    @property
    def json(self) -> bool:
        """Standard output carries the envelope and nothing else."""
        return self.output == "json"

    @cached_property
    def paths(self) -> "Paths":
        """Where state lives."""
        from mmai.paths import Paths

        return Paths.find(self.env)

    @cached_property
    def settings(self) -> "Settings":
        """The settings in force, read once."""
        from mmai.settings import load

        return load(self.paths, env=self.env, cwd=Path.cwd())

    @property
    def stdin_is_tty(self) -> bool:
        """Somebody is typing."""
        return sys.stdin is not None and sys.stdin.isatty()

    @cached_property
    def out(self) -> "Terminal":
        """Standard output: answers and data."""
        from mmai.render.terminal import terminal

        return terminal(sys.stdout, env=self.env, no_color=self.no_color)

    @cached_property
    def err(self) -> "Terminal":
        """Standard error: words about them."""
        from mmai.render.terminal import terminal

        return terminal(sys.stderr, env=self.env, no_color=self.no_color)

    def warn(self, text: str) -> None:
        """A line on standard error, and an entry in the envelope."""
        if text not in self.warnings:
            self.warnings.append(text)
            if not self.quiet:
                from mmai.render.notes import warning_line

                self.say(warning_line(text, self.err))

    def note(self, text: str) -> None:
        """A line on standard error, unless `-q`."""
        if not self.quiet:
            self.say(text)

    def say(self, text: str) -> None:
        """A line on standard error, whatever was asked; a closed one is nobody's problem."""
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def write(self, data: bytes) -> None:
        """Bytes to standard output, now."""
        if sys.stdout is None:
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def envelope(self, data: Any, *, error: MmaiError | None = None) -> None:
        """The one JSON value of `--json`: indented for a person, on one line for a program."""
        from mmai.render.envelope import envelope

        self.write(envelope(self.command, data, warnings=self.warnings, error=error, pretty=self.out.is_tty))

    def emit(self, data: Any, table: "Callable[[], Table]", *, rows: Sequence[Any] | None = None) -> None:
        """Answer with `data` in the envelope, with `rows` one a line, or with the table a person reads."""
        if self.output == Output.JSON:
            self.envelope(data)
        elif self.output == Output.JSONL:
            from mmai.render.envelope import json_lines

            self.write(json_lines(rows if rows is not None else [data]))
        else:
            from mmai.render.show import show

            show(table(), Output(self.output), self.out)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The one `asyncio.run`. SIGTERM and SIGHUP end the work as Ctrl-C does: every `finally` runs."""
        import asyncio

        results: list[T] = []

        async def until_stopped() -> None:
            task = asyncio.current_task()
            stopped: list[int] = []

            def stop(number: int) -> None:
                stopped.append(number)
                if task is not None:
                    task.cancel()

            for name in ("SIGTERM", "SIGHUP"):
                with suppress(AttributeError, NotImplementedError, ValueError):
                    number = getattr(signal, name)
                    asyncio.get_running_loop().add_signal_handler(number, stop, int(number))
            try:
                results.append(await work)
            except asyncio.CancelledError:
                if stopped:
                    raise Interrupted("stopped by the system", exit_code=128 + stopped[0]) from None
                raise

        # Not as the task's own result: restoring the handler of Ctrl-C writes out the task's repr (CPython's signal module),
        # and that of a decision over 2,000 models takes 19 ms.
        asyncio.run(until_stopped())
        return results[0]


PROCESS = Frame({})
"""The one of this process; its environment is filled in by `bridge.main`."""


def frame(
    command: str, output: Output | AnswerOutput, *, json: bool = False, quiet: bool = False, no_color: bool = False
) -> Frame:
    """The process's frame, told which command runs and how it answers: every command's first line."""
    PROCESS.command = command
    PROCESS.output = "json" if json else output.value
    PROCESS.quiet = quiet
    PROCESS.no_color = PROCESS.no_color or no_color
    return PROCESS
