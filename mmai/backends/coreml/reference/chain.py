"""A model of one program, or of several that run one after the other: values by name in, values by name out."""

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


class Chain(Struct, frozen=True):
    """Programs, each taking by name what was handed in or what one before it gave."""

    interface: Function
    programs: tuple[Ready, ...]

    @classmethod
    def of(cls, interface: Function, programs: tuple[Ready, ...]) -> "Chain":
        """Hold programs and interface to each other.

        Raises:
            CannotRun: something is taken, or promised, that nothing gives.
        """
        known = {feature.name for feature in interface.inputs}
        for program in programs:
            if strange := [name for name, _ in program.inputs if name not in known]:
                raise CannotRun(f"its program takes `{strange[0]}`, which nothing gives")
            known |= {name for name, _ in program.outputs}
        if lacking := [feature.name for feature in interface.outputs if feature.name not in known]:
            raise CannotRun(f"its program does not compute the output `{lacking[0]}` that its interface declares")
        return cls(interface, programs)

    @property
    def stateful(self) -> bool:
        """Something stays from one prediction to the next."""
        return any(program.states for program in self.programs)

    def fresh_states(self) -> States:
        """All zero."""
        return {name: _zeros(name, kind) for program in self.programs for name, kind in program.states}

    def run(self, feeds: Mapping[str, Any], states: States, stopped: Callable[[], bool]) -> dict[str, Any]:
        """One prediction.

        Raises:
            UsageError: an input does not fit.
            ProviderError: an operation failed.
            Stopped: it was given up.
        """
        values = take(self.interface, feeds)
        for program in self.programs:
            slots = list(program.slots)
            for name, slot in program.inputs:
                slots[slot] = values[name]
            compute_quietly(program.plan, slots, Run(states, stopped))
            values.update((name, slots[slot]) for name, slot in program.outputs)
        return give(self.interface, values)


def _zeros(name: str, kind: Type) -> Array:
    wrapped = kind.wrapped if isinstance(kind, StateType) else kind
    dtype = held_type(wrapped)
    if not isinstance(wrapped, TensorType) or wrapped.shape is None or None in wrapped.shape or dtype is None:
        raise CannotRun(f"its state `{name}` is no tensor of a fixed shape")
    return np.zeros([size for size in wrapped.shape if size is not None], dtype)
