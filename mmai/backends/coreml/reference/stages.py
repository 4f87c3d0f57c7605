"""A model, or one model of a pipeline, as it is asked: values by name in, values by name out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.reference.feeds import take
from mmai.backends.coreml.reference.interpreter import compute_quietly
from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.making import Ready
from mmai.backends.coreml.reference.outputs import give
from mmai.backends.coreml.reference.steps import Run
from mmai.backends.coreml.reference.types import held_type
from mmai.dialects.coreml.mil import StateType, TensorType, Type
from mmai.errors import CannotRun
from mmai.values.package import Function

States = dict[str, Array]
"""What stays from one prediction to the next, by name."""


class Stage(Struct, frozen=True):
    """One ML Program and the interface it is asked by."""

    interface: Function
    ready: Ready

    @classmethod
    def of(cls, interface: Function, ready: Ready) -> "Stage":
        """Hold the two to each other.

        Raises:
            CannotRun: the program takes what the interface does not have.
        """
        offered = {feature.name for feature in interface.inputs}
        if strange := [name for name, _, _ in ready.inputs if name not in offered]:
            raise CannotRun(f"its program takes `{strange[0]}`, which its interface does not have")
        return cls(interface, ready)

    def fresh_states(self) -> States:
        """All zero."""
        return {name: _zeros(name, kind) for name, kind in self.ready.states}

    def run(self, feeds: Mapping[str, Any], states: States, stopped: Callable[[], bool]) -> dict[str, Any]:
        """One prediction.

        Raises:
            UsageError: an input does not fit.
            CannotRun, ProviderError: see `compute` and `give`.
            Stopped: it was given up.
        """
        values = take(self.interface, feeds)
        slots = list(self.ready.slots)
        for name, slot, _ in self.ready.inputs:
            slots[slot] = values.pop(name)
        compute_quietly(self.ready.plan, slots, Run(states, stopped))
        found = zip(self.ready.outputs, self.ready.plan.outputs, strict=True)
        return give(self.interface, {name: slots[slot] for name, slot in found})


def _zeros(name: str, kind: Type) -> Array:
    wrapped = kind.wrapped if isinstance(kind, StateType) else kind
    dtype = held_type(wrapped)
    if not isinstance(wrapped, TensorType) or wrapped.shape is None or None in wrapped.shape or dtype is None:
        raise CannotRun(f"its state `{name}` is no tensor of a fixed shape")
    return np.zeros([size for size in wrapped.shape if size is not None], dtype)
