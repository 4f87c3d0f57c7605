"""Where the prompts of a batch come from, and which model takes them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BufferedReader
from itertools import islice
from typing import BinaryIO

from msgspec import Struct, json
from msgspec.structs import replace

from mmai.cli.asking import forewarn, make_room
from mmai.cli.batch import Job
from mmai.cli.frame import Frame
from mmai.cli.refusals import MADE, made_by
from mmai.cli.world import World
from mmai.engine.batch_file import BatchPrompt, request_of
from mmai.engine.many_file import Format, Template, format_of, read_rows
from mmai.engine.wish import AUTO, Choice
from mmai.errors import UsageError
from mmai.render.units import money
from mmai.selection.analyze import analyze
from mmai.selection.expectations import cost_usd
from mmai.selection.tokens import request_tokens
from mmai.values.request import Request

SNIFF_BYTES = 4096

SAMPLE = 200
"""Rows whose wording is read to see what all of them should take."""


class Source(Struct, frozen=True):
    """A file of prompts, or a pipe of them."""

    handle: BinaryIO
    form: Format
    name: str
    is_file: bool
    """It can be read again from the beginning."""
    template: Template | None

    def rows(self) -> Iterator[BatchPrompt]:
        """Every prompt; of a file from its beginning."""
        if self.is_file:
            self.handle.seek(0)
        return read_rows(self.handle, self.form, source=self.name, template=self.template)

    def count(self) -> int:
        """How many there are, each of them looked at.

        Raises:
            UsageError: one of them is none.
        """
        return sum(1 for _ in self.rows())


@contextmanager
def source(job: Job) -> Iterator[Source]:
    """The prompts a command line names.

    Raises:
        UsageError: they cannot be read.
    """
    template = Template(job.prompt) if job.prompt else None
    # A pipe is not closed here: that would wait for the thread that reads it, and for whoever writes.
    if job.file == "-":
        handle = _opened(_standard_input(), job.source)
        yield Source(handle, format_of("", handle.peek(SNIFF_BYTES)), job.source, False, template)
        return
    handle = open_file(str(job.file))
    is_file = handle.seekable()
    try:
        yield Source(handle, format_of(str(job.file), handle.peek(SNIFF_BYTES)), job.source, is_file, template)
    finally:
        if is_file:
            handle.close()


def open_file(name: str) -> BufferedReader:
    """A file of prompts.

    Raises:
        UsageError: it cannot be read.
    """
    return _opened(name, name)


def _standard_input() -> int:
    """Its descriptor. `sys.stdin.buffer` will not do: Python aborts where it ends while a thread reads that."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError) as exc:
        raise UsageError("standard input is closed, and `--batch -` reads prompts from it", hint="mmai run --help") from exc


def _opened(file: str | int, name: str) -> BufferedReader:
    try:
        handle = open(file, "rb", closefd=isinstance(file, str))  # noqa: SIM115 - whoever asked closes it
        try:
            handle.peek(1)
        except OSError:
            handle.close()
            raise
    except OSError as exc:
        raise UsageError(f"`{name}` cannot be read: {exc.strerror or exc}", hint="mmai run --help") from exc
    return handle


async def chooser(job: Job, first: BatchPrompt | None, here: World, call: Frame) -> Callable[[Request], Choice]:
    """Who takes a row. A model that was named is held to the limits before anything is sent.

    Raises:
        MmaiError: it cannot take the first row, or what it makes is no text.
    """
    wish = replace(job.wish, constraints=replace(job.wish.constraints, max_cost_usd=None))
    if wish.model != AUTO and first is not None:
        request = request_of(first, job.template, system=job.system)
        card = (await here.choose(request, wish, spends=False)).routes[0].card
        if made := made_by(card, request):
            raise UsageError(f"`{card.ref}` {MADE[made][1]}, and a batch is for text", hint=f"mmai run -m {card.ref}")
        forewarn(card, request, here, call)
        if here.resources.memory_budget_bytes is not None and not job.dry_run:
            await make_room(here.session.routes(card)[0], here, call, by_name=True)
    return await here.chooser.ready(wish)


def keys(job: Job) -> Callable[[Request], str]:
    """What tells one row's request to this model from all others: 16 hexadecimal digits."""
    wish = job.wish
    common = blake2b(json.encode((wish.model, wish.fallbacks, wish.policy)), digest_size=8)

    def key(request: Request) -> str:
        digest = common.copy()
        digest.update(json.encode(request))
        return digest.hexdigest()

    return key


def preview(job: Job, rows: Source, total: int | None, choose: Callable[[Request], Choice], call: Frame) -> None:
    """Say what would be sent, and send nothing."""
    first = next(rows.rows(), None)
    if first is None:
        raise UsageError(f"there are no prompts in `{job.source}`", hint="mmai run --help")
    request = request_of(first, job.template, system=job.system)
    model = choose(request).routes[0].card
    every = (total or 1) // SAMPLE + 1
    sampled = [request_of(each, job.template, system=job.system) for each in islice(rows.rows(), 0, None, every)]
    tokens = [request_tokens(each) for each in sampled]
    costs = [cost_usd(model, analyze(each, task=each.task)) for each in sampled]
    known = [cost for cost in costs if cost is not None]
    scale = (total or len(sampled)) / len(sampled)
    expected_usd = sum(known) * scale if len(known) == len(costs) else None
    input_tokens = round(sum(tokens) * scale)
    call.data = {
        "rows": total,
        "first": {"model": str(model.ref), "messages": request.messages},
        "input_tokens": input_tokens,
        "expected_cost_usd": expected_usd,
    }
    if call.json:
        call.envelope(call.data)
    else:
        cost = "cost unknown" if expected_usd is None else f"{money(expected_usd)}"
        about = f"{total or 'some'} rows, about {input_tokens} tokens in, {cost}; the first goes to {model.ref}:"
        call.write(f"{about}\n\n{request.prompt}\n".encode())
