"""A batch at its provider: submitted once, followed with patience, collected in the order it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct

from mmai.backends.base import Batches
from mmai.backends.batched import cancelled, expired
from mmai.errors import (
    AuthError,
    CallError,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    TimedOut,
    UnknownModel,
)
from mmai.values.batch import BatchAnswer, BatchFault, BatchLine, BatchRecord, BatchRow, BatchState, BatchStatus
from mmai.values.cost import cost_usd
from mmai.values.event import Usage
from mmai.values.model import ModelCard
from mmai.values.record import RunRecord

FIRST_WAIT_S, LONGEST_WAIT_S, GROWTH = 1.0, 60.0, 1.5
"""Between two questions: small batches end in seconds, large ones take hours."""

GRACE_S = 5.0
"""How long somebody who stops waits for the id of a batch that is just being taken, since it would be paid for all the same."""

SHOWN_FAULTS = 5
"""Of a batch that was refused as a whole."""

NO_CURE = (AuthError, InvalidRequest, QuotaExceeded, UnknownModel)
"""Failures that waiting does not mend."""

Sleep = Callable[[float], Awaitable[None]]
Result = TypeVar("Result")


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one line."""

    line: BatchLine
    answer: BatchAnswer
    error: MmaiError | None
    """Why there is no answer, or why the one there is does not count."""
    cost_usd: float | None
    """At the price of a batch; None is unknown, or that nothing was answered."""


async def submit(backend: Batches, card: ModelCard, rows: Sequence[BatchRow], *, taken: Callable[[str], None]) -> None:
    """Hand the rows over, and the provider's id to `taken`, even where somebody stops while the provider is taking them.

    Raises:
        CallError: they were not taken.
    """
    sending = asyncio.ensure_future(backend.submit_batch(card, rows))
    try:
        taken(await asyncio.shield(sending))
    except asyncio.CancelledError:
        await asyncio.wait([sending], timeout=GRACE_S)
        if sending.cancel() or sending.cancelled() or sending.exception():
            raise
        taken(sending.result())
        raise


class Watch:
    """One batch, asked about until a deadline. Failures that pass are waited out: `notice` has the first of each row of them."""

    def __init__(
        self,
        backend: Batches,
        batch_id: str,
        *,
        notice: Callable[[MmaiError], None],
        timeout_s: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._backend = backend
        self._id = batch_id
        self._notice = notice
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._deadline = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
        self._wait_s = FIRST_WAIT_S

    async def statuses(self) -> AsyncGenerator[BatchStatus, None]:
        """How far it is, again and again; the last one is not `running`.

        Raises:
            TimedOut: it still ran at the deadline. The batch goes on.
            CallError: it could not be asked, and waiting will not help.
        """
        while True:
            status = await self._patiently(partial(self._backend.batch_status, self._id))
            yield status
            if status.state != "running":
                return
            await self._pause()

    async def answers(self) -> dict[str, BatchAnswer]:
        """What came of the rows, by their names; raises as `statuses` does."""
        return await self._patiently(self._collect)

    async def _collect(self) -> dict[str, BatchAnswer]:
        async with aclosing(self._backend.batch_answers(self._id)) as answers:
            return {answer.id: answer async for answer in answers}

    async def _patiently(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        told = False
        while True:
            try:
                return await self._in_time(ask())
            except CallError as error:
                if isinstance(error, NO_CURE) or (isinstance(error, TimedOut) and error.phase == "total"):
                    raise
                if not told:
                    self._notice(error)
                told = True
                await self._pause(error.retry_after_s or 0.0)

    async def _pause(self, at_least_s: float = 0.0) -> None:
        wait_s, self._wait_s = max(self._wait_s, at_least_s), min(self._wait_s * GROWTH, LONGEST_WAIT_S)
        await self._in_time(self._sleep(wait_s))

    async def _in_time(self, work: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await work
        except TimeoutError as exc:
            raise TimedOut(f"batch `{self._id}` was not done within {self._timeout_s:g} s, and goes on", phase="total") from exc


def outcomes(
    record: BatchRecord, answers: Mapping[str, BatchAnswer], state: BatchState, *, check: Callable[[str], Any] | None = None
) -> list[Outcome]:
    """One for each line of the batch, in its order. `check` raises the `MmaiError` that says what is wrong with a text."""
    return [_outcome(record, line, answers.get(line.name), state, check) for line in record.lines]


def total_usage(results: Sequence[Outcome]) -> Usage:
    """The sum over all rows; a figure that no row has stays unknown."""
    counted = [name for name in Usage.__struct_fields__ if name != "estimated"]
    known = {name: [value for each in results if (value := getattr(each.answer.usage, name)) is not None] for name in counted}
    return Usage(**{name: sum(values) for name, values in known.items() if values})


def total_cost_usd(results: Sequence[Outcome]) -> float | None:
    """What the answers cost together; None where the cost of any is unknown. What was not answered is not billed."""
    costs = [each.cost_usd for each in results if each.answer.usage != Usage()]
    known = [cost for cost in costs if cost is not None]
    return sum(known, 0.0) if len(known) == len(costs) else None


def verdict(results: Sequence[Outcome]) -> MmaiError | None:
    """None when every row was answered; otherwise an error of the first failed row's class."""
    failed = [each for each in results if each.error]
    if not failed or (first := failed[0].error) is None:
        return None
    error = MmaiError(f"{len(failed)} of {len(results)} rows failed; line {failed[0].line.number}: {first.message}")
    error.exit_code, error.code = first.exit_code, first.code
    return error


def refused(record: BatchRecord, status: BatchStatus) -> MmaiError:
    """The error of a batch that was refused as a whole, with the lines it is about."""
    faults = [
        fault.message if fault.row is None else f"line {_number(record, fault)}: {fault.message}" for fault in status.faults
    ]
    more = [f"and {len(faults) - SHOWN_FAULTS} more"] if len(faults) > SHOWN_FAULTS else []
    why = "; ".join([*faults[:SHOWN_FAULTS], *more]) or "no reason is given"
    return InvalidRequest(f"`{record.provider}` refused batch `{record.id}`: {why}")


def pending_run(record: BatchRecord, run_id: str, *, expected_usd: float | None) -> RunRecord:
    """The run that stands in the history until the batch is collected, so that a budget counts what is under way."""
    return RunRecord(
        id=run_id,
        started_at=record.submitted_at,
        status="running",
        prompt=_told(record),
        model=record.ref,
        usage=Usage(estimated=True),
        cost_usd=expected_usd,
    )


def run_record(record: BatchRecord, run_id: str, results: Sequence[Outcome], error: MmaiError | None) -> RunRecord:
    """A whole batch as one run of the history, on the day it was submitted; collected twice, it is the same run.

    It has no timings: how long a provider keeps a batch says nothing about the model.
    """
    answered = any(each.error is None for each in results)
    return RunRecord(
        id=run_id,
        started_at=record.submitted_at,
        status="ok" if error is None else "incomplete" if answered else "error",
        prompt=_told(record),
        model=record.ref,
        error_code=error.code if error else None,
        usage=total_usage(results),
        cost_usd=total_cost_usd(results),
    )


def _told(record: BatchRecord) -> str:
    return f"batch {record.id}: {len(record.lines)} prompts of {record.source}"


def _number(record: BatchRecord, fault: BatchFault) -> int:
    """Of a row's line in the user's file."""
    known = fault.row is not None and fault.row < len(record.lines)
    return record.lines[fault.row].number if known and fault.row is not None else (fault.row or 0) + 1


def _outcome(
    record: BatchRecord, line: BatchLine, answer: BatchAnswer | None, state: BatchState, check: Callable[[str], Any] | None
) -> Outcome:
    answer = answer or BatchAnswer(id=line.name, error=_unanswered(state))
    full = cost_usd(answer.usage, record.price)
    return Outcome(
        line=line,
        answer=answer,
        error=answer.error or _flaw(record, answer, check),
        cost_usd=None if full is None or answer.usage == Usage() else full * (1 - record.discount),
    )


def _unanswered(state: BatchState) -> MmaiError:
    match state:
        case "expired":
            return expired()
        case "cancelled":
            return cancelled()
        case _:
            return ProviderError("the batch has no answer to this row")


def _flaw(record: BatchRecord, answer: BatchAnswer, check: Callable[[str], Any] | None) -> MmaiError | None:
    """What is wrong with an answer that came."""
    if answer.finish_reason == "length":
        return IncompleteAnswer(f"the answer of `{record.ref}` reached its token limit", reason="length")
    if answer.finish_reason == "filter":
        return IncompleteAnswer(f"the content filter of `{record.provider}` stopped the answer", reason="filter")
    try:
        if check is not None:
            check(answer.text)
    except MmaiError as error:
        return error
    return None
