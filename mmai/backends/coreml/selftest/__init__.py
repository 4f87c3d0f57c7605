"""What a Mac user runs once, to see that this adapter works there: models with known answers, every set of units, a worker that hangs.

Elsewhere the reference executor is held to the same answers, and what needs Core ML is skipped.
"""

from collections.abc import Callable

from mmai.backends.coreml.apple.machine import Machine, this_machine
from mmai.backends.coreml.selftest.checks import apple_answers, kill, reference_answers
from mmai.backends.coreml.selftest.place import environment
from mmai.backends.coreml.selftest.questions import known
from mmai.backends.coreml.setup import UNITS
from mmai.errors import CannotRun
from mmai.values.selftest import Selftest, SelftestRow

NEVER_VERIFIED = (
    "where Core ML computed: a placement is what it planned, and no call tells what it did",
    "energy, and how fast large models are: these are three small ones",
)

WITHOUT_CORE_ML = (
    "Core ML itself: it was not run, so nothing is known here of its answers, speed, memory or placement",
    "compiling, `.mlmodelc` files, and Core ML's own cache of models specialized for a device",
)

Progress = Callable[[str], None]


async def run(*, load_timeout_s: float, progress: Progress, machine: Machine | None = None) -> Selftest:
    """Everything, one check after the other. Nothing is raised for what does not work; it is a row.

    Args:
        load_timeout_s: for each load with Core ML.
        progress: is told what begins.
        machine: None is this one.
    """
    rows: list[SelftestRow] = []
    lacks = None
    try:
        machine = machine or this_machine()
    except CannotRun as exc:
        lacks = exc.message
    for each in known():
        progress(f"{each.model}: reference")
        row, reference = await reference_answers(each)
        rows.append(row)
        for units in UNITS:
            if machine is None:
                rows.append(_skipped(each.model, units, lacks))
                continue
            progress(f"{each.model}: Core ML, compute_units={units}")
            rows.append(await apple_answers(each, reference, units=units, machine=machine, load_timeout_s=load_timeout_s))
    progress("a worker that hangs")
    rows.append(await kill())
    unverified = (*WITHOUT_CORE_ML, *NEVER_VERIFIED) if machine is None else NEVER_VERIFIED
    return Selftest(environment=environment(), rows=tuple(rows), unverified=unverified)


def _skipped(model: str, units: str, reason: str | None) -> SelftestRow:
    return SelftestRow(check="answers", state="skipped", reason=reason, model=model, executor="apple", compute_units=units)
