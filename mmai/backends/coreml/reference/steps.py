"""One operation made ready: what it reads, what it computes with, where its results go. Running them is interpreter.py's.

Values lie in numbered slots of one list for the whole function, so that nothing is looked up by name while it runs.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.reference.kernel import Array, Kernel
from mmai.backends.coreml.reference.types import DType

Slots = list[Any]
"""Everything that is computed, by number; None before and after its use."""


class Run(Struct):
    """One prediction under way."""

    states: dict[str, Array]
    stopped: Callable[[], bool]
    """Asked before every operation."""


class Step(Protocol):
    """An operation as it is run."""

    def act(self, slots: Slots, run: Run) -> None:
        """Read from the slots and write to them."""
        ...


class Told(Struct, frozen=True):
    """What to call an operation when it fails."""

    type: str
    name: str


class Line(Struct, frozen=True):
    """A step in its place."""

    step: Step
    told: Told
    spent: tuple[int, ...]
    """Slots of its block that nothing reads afterwards."""
    used: tuple[int, ...]
    """Every slot it reads or writes, also of the blocks around it."""


class Plan(Struct, frozen=True):
    """A block made ready."""

    inputs: tuple[int, ...]
    lines: tuple[Line, ...]
    outputs: tuple[int, ...]
    own: tuple[int, ...]
    """Slots that belong to this block alone."""


class Apply(Struct, frozen=True):
    """A kernel, with the constants it takes already at hand."""

    kernel: Kernel
    fixed: dict[str, Any]
    bound: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    """Inputs that are several values."""
    outputs: tuple[tuple[int, DType | None], ...]
    """Slot and type of each result; None keeps it as it is."""

    def act(self, slots: Slots, run: Run) -> None:
        """Compute, and bring the results into the form the program declares."""
        arguments = self.fixed.copy()
        for name, slot in self.bound:
            arguments[name] = slots[slot]
        for name, row in self.rows:
            arguments[name] = [slots[slot] for slot in row]
        found = self.kernel(**arguments)
        if len(self.outputs) == 1 and not isinstance(found, tuple):
            ((slot, dtype),) = self.outputs
            slots[slot] = as_declared(found, dtype)
            return
        if len(found) < len(self.outputs):
            raise ValueError(f"it gave {len(found)} results where the program takes {len(self.outputs)}")
        for (slot, dtype), value in zip(self.outputs, found, strict=False):
            slots[slot] = as_declared(value, dtype)


def as_declared(value: Any, dtype: DType | None) -> Any:
    """A result as an array of the type the program declares."""
    if dtype is None or (type(value) is np.ndarray and value.dtype is dtype):
        return value
    return np.asarray(value).astype(dtype, copy=False)


class ReadState(Struct, frozen=True):
    """Arrays are never changed in place, so that a state need not be copied."""

    state: str
    output: int

    def act(self, slots: Slots, run: Run) -> None:
        """Take the state as it is now."""
        slots[self.output] = run.states[self.state]


class WriteState(Struct, frozen=True):
    """Replace a state; what `coreml_update_state` gives is what it was given."""

    state: str
    value: int
    dtype: DType | None
    outputs: tuple[int, ...] = ()

    def act(self, slots: Slots, run: Run) -> None:
        """Keep the value for this and for later predictions."""
        value = as_declared(slots[self.value], self.dtype)
        kept = run.states[self.state]
        if value.shape != kept.shape:
            raise ValueError(f"the state `{self.state}` is {kept.shape}, and would become {value.shape}")
        run.states[self.state] = value if value.base is None else value.copy()
        for slot in self.outputs:
            slots[slot] = value
