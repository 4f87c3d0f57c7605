"""The edge: reads the process's world once, runs a command, and turns what happened into text and an exit code."""

import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from mmai.errors import Interrupted, MmaiError, UsageError
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

    def emit(self, data: Any, table: "Callable[[], Table] | None" = None, *, rows: Sequence[Any] | None = None) -> None:
        """Answer with `data` in the envelope, with `rows` one a line, or with the table a person reads, where there is one."""
        if self.output == Output.JSON:
            from mmai.render.envelope import envelope

            self.write(envelope(self.command, data, warnings=self.warnings, pretty=self.out.is_tty))
        elif self.output == Output.JSONL:
            from mmai.render.envelope import json_lines

            self.write(json_lines(rows if rows is not None else [data]))
        elif table is not None:
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
                    asyncio.get_running_loop().add_signal_handler(getattr(signal, name), stop, int(getattr(signal, name)))
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


_frame = Frame({})


def frame(
    command: str, output: Output | AnswerOutput, *, json: bool = False, quiet: bool = False, no_color: bool = False
) -> Frame:
    """The process's frame, told which command runs and how it answers: every command's first line."""
    _frame.command = command
    _frame.output = "json" if json else output.value
    _frame.quiet = quiet
    _frame.no_color = _frame.no_color or no_color
    return _frame


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The `mmai` command."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _frame.env = dict(os.environ)
    code = _exit_code(arguments)
    _leave(code)


def _exit_code(arguments: list[str]) -> int:
    from mmai.cli.app import app

    if _frame.env.get("_MMAI_COMPLETE", "").startswith("complete_"):
        from typer._completion_classes import completion_init  # typer calls it only where its own scripts are offered

        completion_init()
    try:
        result = app(args=arguments, prog_name="mmai", standalone_mode=False)
    except MmaiError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail(Interrupted("interrupted"))
    except OSError as error:
        return _fail(MmaiError(f"{error.strerror or error}{f': `{error.filename}`' if error.filename else ''}"))
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own: it has no public base class in every version we take
            return _fail(_usage(error, arguments))
        if type(error).__name__ == "Abort":
            return _fail(Interrupted("interrupted"))
        return _fail(_unexpected(error))
    return result if isinstance(result, int) else 0


def _usage(error: Any, arguments: list[str]) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "mmai"
    if path != "mmai":
        _frame.command = path.removeprefix("mmai ")
    if _wants_json(arguments):
        _frame.output = "json"
    return UsageError(error.format_message().rstrip("."), hint=f"{path} --help")


def _wants_json(arguments: list[str]) -> bool:
    """Whether a command line that could not be parsed asked for JSON."""
    before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
    joined = " ".join(before_dashes)
    return "--json" in before_dashes or "-o json" in joined or "--output json" in joined or "--output=json" in joined


def _unexpected(error: Exception) -> MmaiError:
    if _frame.env.get("MMAI_DEBUG"):
        import traceback

        _frame.say("".join(traceback.format_exception(error)))
    return MmaiError(
        f"unexpected {type(error).__name__}: {error}; this is a fault in mmai", hint="MMAI_DEBUG=1 shows where it happened"
    )


def _fail(error: MmaiError) -> int:
    try:
        if _frame.json:
            from mmai.render.envelope import envelope

            _frame.write(envelope(_frame.command, _frame.data, warnings=_frame.warnings, error=error))
        elif not (isinstance(error, Interrupted) and error.exit_code == 141):
            from mmai.render.notes import error_lines

            _frame.say(error_lines(error, _frame.err))
    except BrokenPipeError:
        return 141
    except OSError:
        return error.exit_code
    return error.exit_code


def _leave(code: int) -> NoReturn:
    """Exit without a second complaint about a closed or full standard output."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
