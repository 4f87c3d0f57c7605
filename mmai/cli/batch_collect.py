"""From a batch that was submitted to its answers: waiting, writing them down, and saying what they cost."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mmai.backends.base import Batches
from mmai.backends.batched import ABSENT
from mmai.cli.frame import Frame
from mmai.cli.saving import Content, Saving
from mmai.cli.wishes import schema_check
from mmai.cli.world import World
from mmai.engine.batch import Outcome, Watch, outcomes, refused, run_record, total_cost_usd, verdict
from mmai.errors import InvalidRequest, MmaiError, StorageError, UsageError
from mmai.render.batch import done_line, going_on_line, resume_command, row_data, waiting_line
from mmai.render.batch_progress import open_batch_progress
from mmai.render.envelope import json_lines
from mmai.render.notes import wrote_line
from mmai.telemetry.batches import BatchRecords
from mmai.values.batch import BatchAnswer, BatchRecord, BatchStatus
from mmai.values.endpoint import Endpoint

JSONL = "application/jsonl"
SERVICES = ("openai", "anthropic")
"""Providers that answer batches for less."""


async def collect(record: BatchRecord, here: World, records: BatchRecords, call: Frame, *, timeout_s: float | None) -> None:
    """Wait, write every answer, and raise why they are not all there, if they are not."""
    call.data = summary(record)
    backend = batches(endpoint_of(record, here), here)
    try:
        status, answers = await _wait(record, backend, here, call, timeout_s=timeout_s)
    except asyncio.CancelledError:
        call.note(going_on_line(record))
        raise
    except MmaiError as error:
        if isinstance(error, InvalidRequest) and error.status in ABSENT:
            _close(record, records, call)  # the provider does not know it: the same rows may be submitted anew
            raise
        error.hint = error.hint or resume_command(record.id)
        raise
    results = [] if status.state == "failed" else outcomes(record, answers, status.state, check=schema_check(record.schema))
    failure = verdict(results) if results else refused(record, status)
    if results:
        _write(record, results, call)
    _close(record, records, call)
    if record.run_id is not None:
        here.history.finish(run_record(record, record.run_id, results, failure))
    if failure is not None:
        raise failure
    if call.json:
        call.envelope(call.data)


def batches(endpoint: Endpoint, here: World) -> Batches:
    """The batch service of an endpoint.

    Raises:
        UsageError: its provider has none.
    """
    backend = here.session.backend(endpoint)
    if isinstance(backend, Batches):
        return backend
    able = [name for name in SERVICES if name in here.session.providers]
    raise UsageError(
        f"`{endpoint.provider}` takes no batches: {' and '.join(f'`{name}`' for name in able) or 'none of the providers here'} do",
        hint=f"mmai run -m {able[0]}:MODEL --batch FILE --via-provider-batch" if able else "mmai config edit",
    )


def endpoint_of(record: BatchRecord, here: World) -> Endpoint:
    """Where a batch was submitted. Nobody else is asked about it, nor sent a key.

    Raises:
        UsageError: that is no endpoint any more.
    """
    for endpoint in here.session.of(record.provider):
        if endpoint.url == record.endpoint:
            return endpoint
    raise UsageError(
        f"batch `{record.id}` was submitted to `{record.endpoint}`, which is no endpoint of `{record.provider}` now",
        hint="mmai config show",
    )


def summary(record: BatchRecord) -> dict[str, Any]:
    """The part of `data` that is known before there are answers."""
    return {"batch": record.id, "model": record.ref, "rows": len(record.lines)}


async def _wait(
    record: BatchRecord, backend: Batches, here: World, call: Frame, *, timeout_s: float | None
) -> tuple[BatchStatus, dict[str, BatchAnswer]]:
    """How it ended, and what there is of answers."""
    quiet = call.quiet or call.json
    bar = nullcontext() if quiet else open_batch_progress(call.err, record.id, rows=len(record.lines), clock=here.clock)
    with bar as progress:

        def notice(error: MmaiError) -> None:
            (progress.say if progress else call.note)(waiting_line(error))

        watch = Watch(backend, record.id, notice=notice, timeout_s=timeout_s)
        status = BatchStatus(id=record.id, state="running")
        async for status in watch.statuses():
            if progress:
                progress.update(status)
        return status, {} if status.state == "failed" else await watch.answers()


def _write(record: BatchRecord, results: Sequence[Outcome], call: Frame) -> None:
    """The answers to where they are wanted; where that is the envelope, it is left to whoever writes that."""
    failed, cost_usd = sum(1 for each in results if each.error), total_cost_usd(results)
    table = [
        row_data(each.line, each.answer, index=index, model=_model(record, each), cost_usd=each.cost_usd, error=each.error)
        for index, each in enumerate(results)
    ]
    saved = None
    if record.out is not None:
        try:
            saved = Saving(Path(record.out)).save(Content(json_lines(table), JSONL), number=1)
        except StorageError as error:
            error.hint = f"{resume_command(record.id)} --out FILE"
            raise
    elif not call.json:
        call.write(json_lines(table))
    counts = {"succeeded": len(results) - failed, "failed": failed, "cost_usd": cost_usd}
    place = {"answers": table} if record.out is None else {"files": [record.out]}
    call.data = {**summary(record), **counts, **place}
    call.note(done_line(rows=len(results), failed=failed, cost_usd=cost_usd))
    if saved is not None:
        call.note(wrote_line(_near(saved.path), media_type=saved.media_type, size_bytes=saved.size_bytes))


def _near(path: str) -> str:
    """As it is called from here, where it is below."""
    with suppress(OSError, ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _model(record: BatchRecord, result: Outcome) -> str:
    """As it was asked for; as the provider calls it, where nobody remembers that."""
    return record.ref if record.model or not result.answer.model else f"{record.provider}:{result.answer.model}"


def _close(record: BatchRecord, records: BatchRecords, call: Frame) -> None:
    """Nobody waits for it any more: the same rows may be submitted again."""
    try:
        records.save(replace(record, closed=True))
    except StorageError as error:
        call.warn(error.message)
