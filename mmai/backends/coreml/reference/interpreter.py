"""Runs what a program was made into, one operation after the other, and lets go of everything nobody reads any more."""

import numpy as np
from msgspec import Struct

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


class Branch(Struct, frozen=True):
    """`cond`: one of two blocks."""

    choice: int
    blocks: tuple[Plan, Plan]
    """If true, if false."""
    outputs: tuple[int, ...]

    def act(self, slots: Slots, run: Run) -> None:
        """Compute the block that is chosen, and only that."""
        chosen = self.blocks[0 if bool(slots[self.choice]) else 1]
        compute(chosen, slots, run)
        _hand_over(slots, chosen.outputs, self.outputs)
        _clear(slots, chosen.own)


class Loop(Struct, frozen=True):
    """`while_loop`: a block that says whether to go on, and one that computes the next values."""

    first: tuple[int, ...]
    condition: Plan
    body: Plan
    outputs: tuple[int, ...]

    def act(self, slots: Slots, run: Run) -> None:
        """Go on while the condition holds, if it ever does."""
        values = [slots[slot] for slot in self.first]
        while self._goes_on(values, slots, run):
            _place(slots, self.body.inputs, values)
            compute(self.body, slots, run)
            values = [slots[slot] for slot in self.body.outputs]
        _clear(slots, self.condition.own + self.body.own)
        _place(slots, self.outputs, values)

    def _goes_on(self, values: Slots, slots: Slots, run: Run) -> bool:
        if run.stopped():
            raise Stopped
        _place(slots, self.condition.inputs, values)
        compute(self.condition, slots, run)
        return bool(slots[self.condition.outputs[0]])


def _place(slots: Slots, where: tuple[int, ...], values: Slots) -> None:
    for slot, value in zip(where, values, strict=False):
        slots[slot] = value


def _hand_over(slots: Slots, sources: tuple[int, ...], targets: tuple[int, ...]) -> None:
    _place(slots, targets, [slots[slot] for slot in sources])


def _clear(slots: Slots, own: tuple[int, ...]) -> None:
    for slot in own:
        slots[slot] = None
