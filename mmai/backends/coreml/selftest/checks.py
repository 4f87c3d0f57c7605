"""The checks, each a row: they raise nothing, and what goes wrong is their reason."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from mmai.backends.coreml.apple.executor import open_apple
from mmai.backends.coreml.apple.machine import Machine
from mmai.backends.coreml.apple.messages import MakeState, StateMade
from mmai.backends.coreml.apple.process import Lost, Worker
from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference
from mmai.backends.coreml.selftest.answers import MEASURED, Outputs, ask_all, difference, steady_ms, wrong
from mmai.backends.coreml.selftest.questions import Known
from mmai.backends.coreml.setup import Setup
from mmai.errors import MmaiError
from mmai.values.selftest import SelftestRow

FARTHEST = 0.1
"""Standard deviations that an output may be from the reference's: a hundred times what half precision is off by."""

KILL_TIMEOUT_S = 1.0
KILL_SLACK_S = 5.0

HANGING = "mmai.backends.coreml.selftest.hanging"


async def reference_answers(known: Known) -> tuple[SelftestRow, Sequence[Outputs] | None]:
    """The row of the reference executor, and what it gave."""
    row = SelftestRow(check="answers", state="failed", model=known.model, executor="reference", asked=len(known.questions))
    try:
        executor = await open_reference(read_package(known.path), function=None)
        try:
            heard = await ask_all(executor, known)
            row = replace(row, first_predict_ms=heard.first_predict_ms, **await _measured(executor, known))
        finally:
            await executor.aclose()
    except MmaiError as exc:
        return replace(row, reason=exc.message), None
    row = replace(row, cold_load_ms=executor.report.load_ms)
    return _judged(row, known, heard.outputs), heard.outputs


async def apple_answers(
    known: Known, reference: Sequence[Outputs] | None, *, units: str, machine: Machine, load_timeout_s: float
) -> SelftestRow:
    """The row of Core ML with one set of units: compiled and loaded from nothing, loaded again in a fresh process, asked."""
    row = SelftestRow(
        check="answers", state="failed", model=known.model, executor="apple", compute_units=units, asked=len(known.questions)
    )
    with tempfile.TemporaryDirectory(prefix="mmai-selftest-", ignore_cleanup_errors=True) as folder:
        setup = Setup(cache_dir=Path(folder))

        async def opened() -> Executor:
            package = read_package(known.path)
            return await open_apple(
                package, function=None, units=units, setup=setup, load_timeout_s=load_timeout_s, machine=machine
            )

        try:
            cold = await opened()
            await cold.aclose()
            executor = await opened()
            try:
                heard = await ask_all(executor, known)
                measured = await _measured(executor, known)
            finally:
                await executor.aclose()
        except MmaiError as exc:
            return replace(row, reason=exc.message)
    row = replace(
        row,
        compile_ms=cold.report.compile_ms,
        cold_load_ms=cold.report.load_ms,
        cached_load_ms=executor.report.load_ms,
        first_predict_ms=heard.first_predict_ms,
        placement=cold.report.placement,
        memory_bytes=heard.memory_bytes,
        difference=None if reference is None else difference(heard.outputs, reference),
        notes=cold.report.notes,
        **measured,
    )
    return _judged(row, known, heard.outputs)


async def _measured(executor: Executor, known: Known) -> dict[str, float | int]:
    return {"predict_p50_ms": await steady_ms(executor, known), "predictions": MEASURED}


def _judged(row: SelftestRow, known: Known, outputs: Sequence[Outputs]) -> SelftestRow:
    mistakes = wrong(known, outputs)
    row = replace(row, right=row.asked - len(mistakes))
    if mistakes:
        return replace(row, reason=", ".join(mistakes))
    if row.difference is not None and row.difference > FARTHEST:
        return replace(
            row, reason=f"an output is {row.difference:.2g} standard deviations from the reference, of {FARTHEST} at most"
        )
    return replace(row, state="passed")


async def kill(*, clock: Callable[[], float] = time.monotonic) -> SelftestRow:
    """A worker that hangs without letting go of the interpreter is ended when its time is over. It needs no Core ML."""
    row = SelftestRow(check="kill", state="failed", asked=1)
    started = clock()
    with tempfile.TemporaryDirectory(prefix="mmai-selftest-") as folder:
        try:
            worker = await Worker.start(HANGING, temporary=folder)
            await worker.ask(MakeState(), StateMade, timeout_s=KILL_TIMEOUT_S)
        except Lost as exc:
            took_s = clock() - started
            if exc.how == "slow" and took_s < KILL_TIMEOUT_S + KILL_SLACK_S:
                return replace(row, state="passed", right=1)
            return replace(row, reason=f"after {took_s:.1f} s of {KILL_TIMEOUT_S:g} s: {exc.how} {exc.detail}".rstrip())
        except OSError as exc:
            return replace(row, reason=f"no worker could be started: {exc.strerror or exc}")
    return replace(row, reason="it answered")
