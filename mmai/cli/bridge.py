"""The edge: runs a command, and turns what happened into text and an exit code."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from mmai.cli.frame import PROCESS
from mmai.errors import Interrupted, MmaiError, UsageError


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The `mmai` command."""
    # A command lives for a tenth of a second and makes little garbage: looking for it while modules load, and once more in all of
    # them on the way out, was a fifth of every run.
    gc.set_threshold(100_000, 20, 20)
    arguments = list(sys.argv[1:] if argv is None else argv)
    PROCESS.env = dict(os.environ)
    try:
        code = _exit_code(arguments)
    except KeyboardInterrupt:  # before a command has begun to listen for it
        code = _fail(Interrupted("interrupted"))
    _leave(code)


def _exit_code(arguments: list[str]) -> int:
    from mmai.cli.app import app

    if PROCESS.env.get("_MMAI_COMPLETE", "").startswith("complete_"):
        from typer._completion_classes import completion_init  # typer calls it only where its own scripts are offered

        completion_init()
    try:
        result = app(args=arguments, prog_name="mmai", standalone_mode=False)
    except MmaiError as error:
        return _fail(error)
    except OSError as error:
        # What is read and written by its name has errors of its own; this is standard output, full or broken.
        where = f"`{error.filename}`" if error.filename else "standard output"
        return _fail(MmaiError(f"cannot write {where}: {error.strerror or error}"))
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            PROCESS.write(f"{error}\n".encode())
            return 0
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
        PROCESS.command = path.removeprefix("mmai ")
    if _wants_json(arguments):
        PROCESS.output = "json"
    return UsageError(error.format_message().rstrip("."), hint=f"{path} --help")


def _wants_json(arguments: list[str]) -> bool:
    """Whether a command line that could not be parsed asked for JSON."""
    before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
    joined = " ".join(before_dashes)
    alone = {"--json", "-ojson", "--output=json"}
    return not alone.isdisjoint(before_dashes) or "-o json" in joined or "--output json" in joined


def _unexpected(error: Exception) -> MmaiError:
    if PROCESS.env.get("MMAI_DEBUG"):
        import traceback

        PROCESS.say("".join(traceback.format_exception(error)))
    return MmaiError(
        f"unexpected {type(error).__name__}: {error}; this is a fault in mmai", hint="MMAI_DEBUG=1 shows where it happened"
    )


def _fail(error: MmaiError) -> int:
    try:
        if PROCESS.json:
            PROCESS.envelope(PROCESS.data, error=error)
        elif not (isinstance(error, Interrupted) and error.exit_code == 141):
            from mmai.render.notes import error_lines

            PROCESS.say(error_lines(error, PROCESS.err))
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
    gc.freeze()
    sys.exit(code)
