"""`mmai run --batch FILE --via-provider-batch`: many prompts at once, for less; and `--resume`, which goes on with them."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.cli.asking import forewarn
from mmai.cli.batch_collect import batches, collect, endpoint_of, summary
from mmai.cli.frame import Frame
from mmai.cli.refusals import MADE, made_by
from mmai.cli.saving import Saving
from mmai.cli.world import World, world
from mmai.engine.batch import pending_run, submit
from mmai.engine.batch_estimate import estimate
from mmai.engine.batch_file import BatchPrompt, content_key, read_prompts, rows
from mmai.engine.session import Route
from mmai.engine.wish import AUTO, Wish
from mmai.errors import BudgetExceeded, StorageError, UsageError
from mmai.render.batch import estimate_line, submitted_line
from mmai.render.units import money
from mmai.telemetry.batches import BatchRecords, demand_id
from mmai.telemetry.ids import new_id
from mmai.values.batch import BatchRecord, BatchRow
from mmai.values.cost import dollars
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard
from mmai.values.request import Request

MOST_PARALLEL = 1024
"""Beyond, most systems run out of descriptors."""


class Job(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    file: str | None
    """Path of the prompts; `-` is standard input."""
    resume: str | None
    """The provider's id of a batch to go on with, instead of a new one."""
    cancel: bool
    """Ask the provider to leave the rest of it unanswered."""
    out: Saving | None
    template: Request
    """What all rows have in common, without messages."""
    system: str | None
    """Instructions above each prompt that has none of its own."""
    wish: Wish
    max_cost_usd: float | None
    """Of the whole batch."""
    timeout_s: float | None
    """Of the waiting; None waits for as long as it takes."""
    log: bool
    dry_run: bool
    prompt: str = ""
    """A template with places for the fields of each row."""
    parallel: int | None = None
    """Calls at a time; None finds out how many are wise."""
    ordered: bool = False
    restart_on_cut: bool = False

    @property
    def source(self) -> str:
        """The file, as messages name it."""
        return "standard input" if self.file == "-" else str(self.file)


def demand_batch(
    file: str | None,
    resume: str | None,
    *,
    via_provider: bool,
    cancel: bool,
    wish: Wish,
    prompt: Sequence[str],
    single: Mapping[str, object],
) -> None:
    """Refuse what does not go together. `single` has what was given of options that are for one prompt.

    Raises:
        UsageError: with the command that would do.
    """
    if not via_provider and resume is None and not cancel:
        single = {name: value for name, value in single.items() if name != "`--fallback`"}
    elif prompt:
        raise UsageError("a prompt does not go with a provider's batch, whose file has them all", hint="mmai run --help")
    if given := [name for name, value in single.items() if value]:
        raise UsageError(f"{given[0]} is for one prompt, not for a batch", hint="mmai run --help")
    if resume is not None:
        return
    if cancel:
        raise UsageError("`--cancel` goes with `--resume ID`", hint="mmai run --resume ID --cancel")
    if file is None:
        raise UsageError("`--via-provider-batch` goes with `--batch FILE`", hint="mmai run --help")
    if not via_provider:
        return
    model = "openai:MODEL" if wish.model == AUTO else wish.model
    command = f"mmai run -m {shlex.quote(model)} --batch {shlex.quote(file)} --via-provider-batch"
    if wish.model == AUTO:
        raise UsageError("a batch goes to one model, which `-m` names", hint=command)


def read_parallel(text: str) -> int | None:
    """`-j`: a number of 1 or more, or None for `auto`.

    Raises:
        UsageError: it is neither.
    """
    if text == "auto":
        return None
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_PARALLEL:
        return int(text)
    raise UsageError(f"`-j {text}` is neither `auto` nor a number from 1 to {MOST_PARALLEL}", hint="mmai run --help")


async def run_batch(job: Job, call: Frame) -> None:
    """Submit or go on, wait, and write every answer; raise why they are not all there, if they are not."""
    async with world(call) as here:
        records = BatchRecords(call.paths.batches)
        if job.resume is None:
            record = await _submitted(job, here, records, call)
        else:
            record = await _resumed(demand_id(job.resume), job, here, records)
            if job.cancel:
                await _cancel(record, here, call)
        if record is not None:
            await collect(record, here, records, call, timeout_s=job.timeout_s)


async def _submitted(job: Job, here: World, records: BatchRecords, call: Frame) -> BatchRecord | None:
    """The record of a new batch, or of one that was submitted with the same content; None where nothing is to be sent."""
    prompts = read_prompts(_read(job), source=job.source)
    sent = tuple(rows(prompts, job.template, system=job.system))
    route = await _route(job, sent[0].request, here)
    backend = batches(route.endpoint, here)
    if made := made_by(route.card, sent[0].request):
        raise UsageError(f"`{route.card.ref}` {MADE[made][1]}, and a batch is for text", hint=f"mmai run -m {route.card.ref}")
    if len(sent) > backend.batch_limit:
        raise UsageError(
            f"`{job.source}` has {len(sent)} rows, and `{route.card.provider}` takes {backend.batch_limit} at once",
            hint=f"split -l {backend.batch_limit} {shlex.quote(job.source)}",
        )
    if job.dry_run:
        _hold_to_limits(job, route.card, sent, backend.batch_discount, here, call)
        if call.json:
            call.envelope(call.data)
        return None
    key = content_key([each.line for each in prompts], sent, to=(route.card.provider, route.endpoint.url, route.card.name))
    with records.submitting(key):
        if (known := records.open(key)) is not None:
            call.note(f"the same rows were submitted before as {known.id}, which nobody has collected: going on with it")
            return _with_out(known, job)
        expected_usd = _hold_to_limits(job, route.card, sent, backend.batch_discount, here, call)
        record = replace(_record(job, prompts, route.endpoint, route.card, here), key=key)
        return await _submit(record, route.card, sent, here, records, call, expected_usd=expected_usd)


async def _submit(
    record: BatchRecord,
    card: ModelCard,
    sent: Sequence[BatchRow],
    here: World,
    records: BatchRecords,
    call: Frame,
    *,
    expected_usd: float | None,
) -> BatchRecord:
    def taken(batch_id: str) -> None:
        nonlocal record
        record = replace(record, id=batch_id, submitted_at=here.clock.now())
        call.data = summary(record)
        # Said first: with a full disk, this line is all there is.
        call.note(submitted_line(record))
        try:
            records.save(record)
        except StorageError as error:
            call.warn(f"{error.message}: only the line above knows this batch")
        if record.run_id is not None:
            here.history.start(pending_run(record, record.run_id, expected_usd=expected_usd))

    await submit(batches(endpoint_of(record, here), here), card, sent, taken=taken)
    return record


async def _cancel(record: BatchRecord, here: World, call: Frame) -> None:
    await batches(endpoint_of(record, here), here).cancel_batch(record.id)
    call.note(f"asked `{record.provider}` to answer no more of {record.id}")


async def _resumed(batch_id: str, job: Job, here: World, records: BatchRecords) -> BatchRecord:
    if (known := records.find(batch_id)) is not None:
        return _with_out(known, job)
    provider, _, name = job.wish.model.partition(":")
    if job.file is None or provider not in here.session.providers:
        raise UsageError(
            f"nothing is recorded here of batch `{batch_id}`: name its model and the file of its prompts",
            hint=f"mmai run --resume {batch_id} -m PROVIDER:MODEL --batch FILE",
        )
    card = here.directory.known(job.wish.model) if name else None
    endpoint = here.session.of(provider)[0]
    return replace(_record(job, read_prompts(_read(job), source=job.source), endpoint, card, here), id=batch_id)


def _record(job: Job, prompts: Sequence[BatchPrompt], endpoint: Endpoint, card: ModelCard | None, here: World) -> BatchRecord:
    """A record without the id that the provider gives."""
    now = here.clock.now()
    return BatchRecord(
        id="",
        key="",
        provider=endpoint.provider,
        endpoint=endpoint.url,
        model=card.name if card else None,
        submitted_at=now,
        lines=tuple(each.line for each in prompts),
        source=job.source,
        discount=batches(endpoint, here).batch_discount,
        price=card.price if card else None,
        schema=job.template.schema,
        out=None if job.out is None else str(job.out.path.absolute()),
        run_id=new_id(now) if job.log else None,
    )


def _with_out(record: BatchRecord, job: Job) -> BatchRecord:
    """The record, its answers going where this command line wants them if it says so."""
    return record if job.out is None else replace(record, out=str(job.out.path.absolute()))


async def _route(job: Job, first: Request, here: World) -> Route:
    """Whom to call: the model that was named, held to the limits but for money, which is that of the whole batch here."""
    wish = replace(job.wish, constraints=replace(job.wish.constraints, max_cost_usd=None))
    return (await here.choose(first, wish, spends=False)).routes[0]


def _hold_to_limits(
    job: Job, card: ModelCard, sent: Sequence[BatchRow], discount: float, here: World, call: Frame
) -> float | None:
    """What it is expected to cost in US dollars, said, and found to be within every limit; None is unknown.

    Raises:
        BudgetExceeded: it is not, or nobody knows.
    """
    costs = estimate(card, sent, discount=discount)
    ref = str(card.ref)
    call.note(estimate_line(ref, len(sent), expected_usd=costs.expected_usd, worst_usd=costs.worst_usd, discount=discount))
    call.data = {"model": ref, "rows": len(sent), "expected_cost_usd": costs.expected_usd, "worst_cost_usd": costs.worst_usd}
    forewarn(card, sent[0].request, here, call)
    if job.max_cost_usd is not None:
        _hold("the whole batch", costs.worst_usd, job.max_cost_usd)
    elif (each := job.wish.constraints.max_cost_usd) is not None:
        _hold("one of its rows", costs.dearest_usd, each)
    for limit in budget.spending() if (budget := here.budget) else ():
        if (costs.expected_usd or 0.0) > limit.left_usd:
            left = f"{dollars(limit.left_usd)} is left of the {limit.period} budget of {dollars(limit.limit_usd)}"
            raise BudgetExceeded(
                f"nothing was sent: the batch should cost about {dollars(costs.expected_usd or 0.0)}, and {left}"
            )
    return costs.expected_usd


def _hold(what: str, worst_usd: float | None, limit_usd: float) -> None:
    if worst_usd is None:
        raise BudgetExceeded(
            f"nothing was sent: what {what} may cost is not known, so it may be above {dollars(limit_usd)}",
            hint="mmai run --max-tokens N",
        )
    if worst_usd > limit_usd:
        raise BudgetExceeded(f"nothing was sent: {what} may cost {money(worst_usd)}, above {dollars(limit_usd)}")


def _read(job: Job) -> bytes:
    if job.file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(job.file or "").read_bytes()
    except OSError as exc:
        raise UsageError(f"`{job.file}` cannot be read: {exc.strerror or exc}") from exc
