"""`mmai select --batch FILE`: an analysis and a choice for each prompt of a file, a line each."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from msgspec.structs import replace

from mmai.cli.frame import Frame
from mmai.cli.many_source import open_file
from mmai.cli.wishes import with_words
from mmai.cli.world import world
from mmai.engine.batch_file import PromptFields, read_fields
from mmai.engine.wish import Wish
from mmai.errors import MmaiError, UsageError
from mmai.render.envelope import plain, plain_line
from mmai.render.selection import selection_data
from mmai.selection.misses import no_eligible
from mmai.values.decision import Decision
from mmai.values.output import Output
from mmai.values.request import Message, Request, TextPart

BOM = b"\xef\xbb\xbf"
FLUSH_BYTES = 1 << 16
"""Lines are written in blocks of this size, and at the end."""


def demand_lines(output: Output, single: Mapping[str, object]) -> None:
    """Refuse what does not go with a batch. `single` has what was given of options that are for one prompt.

    Raises:
        UsageError: with the command that would do.
    """
    if given := [name for name, value in single.items() if value]:
        raise UsageError(f"{given[0]} is for one prompt, and `--batch` takes a file of them", hint="mmai select --help")
    if output not in (Output.TABLE, Output.JSONL):
        raise UsageError(f"`--batch` writes JSON lines, not {output}", hint="mmai select --batch FILE -o jsonl")


async def select_batch(
    file: str, template: Request, wish: Wish, call: Frame, *, system: str | None, infer_constraints: bool
) -> None:
    """Write `{"index", "id", "choice", "analysis", "weights", "candidates", "error"}` for each line that is not blank.

    A line that is no prompt, or whose prompt no model may take, gets a line with the error, and the others are answered.

    Raises:
        UsageError, NoEligibleModel, BudgetExceeded: at the end, if there was such a line; the first one tells which.
    """
    async with world(call) as here:
        decide = await here.chooser.prepared()

    def choose(prompt: PromptFields) -> Decision:
        return decide(_request(prompt, template, system), with_words(wish, prompt.prompt) if infer_constraints else wish)

    failures = 0
    first: MmaiError | None = None
    pending = bytearray()
    with _lines(file) as lines:
        for number, text in lines:
            row, error = _row(text, number, file, choose)
            if error is not None:
                failures += 1
                first = first or error
            pending += plain_line(row)
            if len(pending) >= FLUSH_BYTES:
                call.write(bytes(pending))
                pending.clear()
    call.write(bytes(pending))
    if first is not None:
        others = f"; {failures - 1} more lines have no choice either" if failures > 1 else ""
        raise type(first)(f"{first.message}{others}", hint=first.hint)


@contextmanager
def _lines(file: str) -> Iterator[Iterator[tuple[int, bytes]]]:
    """Number and text of the lines that are not blank; `-` is standard input."""
    if file == "-":
        yield _numbered(sys.stdin.buffer)
    else:
        with open_file(file) as handle:
            yield _numbered(handle)


def _numbered(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, text in enumerate(handle, 1):
        text = text.removeprefix(BOM) if number == 1 else text
        if text.strip():
            yield number, text


def _row(
    text: bytes, number: int, source: str, choose: Callable[[PromptFields], Decision]
) -> tuple[dict[str, Any], MmaiError | None]:
    row: dict[str, Any] = {"index": number, "id": None, "choice": None}
    error: MmaiError | None = None
    try:
        prompt = read_fields(text, number, source=source)
        decision = choose(prompt)
    except UsageError as exc:
        error = exc
    else:
        data = selection_data(decision, with_excluded=False)
        row |= {"id": prompt.id, **data, "analysis": plain(data["analysis"])}
        error = _without_choice(decision, number, source)
    told = None if error is None else plain({"code": error.code, "message": error.message, "hint": error.hint})
    return row | {"error": told}, error


def _without_choice(decision: Decision, number: int, source: str) -> MmaiError | None:
    if decision.choice is not None:
        return None
    missing = no_eligible(decision)
    return type(missing)(f"line {number} of `{source}`: {missing.message}", hint=missing.hint)


def _request(prompt: PromptFields, template: Request, system: str | None) -> Request:
    instructions = system if prompt.system is None else prompt.system
    above = (Message("system", (TextPart(instructions),)),) if instructions else ()
    return replace(template, messages=(*above, Message("user", (TextPart(prompt.prompt),))))
