"""Runs what a program was made into, one operation after the other, and lets go of everything nobody reads any more."""

import numpy as np

from mmai.backends.coreml.reference.steps import Plan, Run, Slots
from mmai.errors import MmaiError, ProviderError


class Stopped(Exception):
    """Nobody waits for the answer any more."""


def compute(plan: Plan, slots: Slots, run: Run) -> None:
    """All operations of a block. Its outputs are in their slots afterwards.

    Raises:
        Stopped: the run was given up.
        ProviderError: an operation failed; the sentence says which.
    """
    for line in plan.lines:
        if run.stopped():
            raise Stopped
        try:
            line.step.act(slots, run)
        except (MmaiError, Stopped, MemoryError):
            raise
        except Exception as exc:
            raise ProviderError(f"its operation `{line.told.type}` (`{line.told.name}`) failed: {sentence(exc)}") from exc
        for slot in line.spent:
            slots[slot] = None


def compute_quietly(plan: Plan, slots: Slots, run: Run) -> None:
    """As `compute`. Dividing by zero and the like give infinity and not-a-number, as they do on every processor, and no warning."""
    with np.errstate(all="ignore"):
        compute(plan, slots, run)


def sentence(error: Exception) -> str:
    """What an error says, on one line and without a full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
