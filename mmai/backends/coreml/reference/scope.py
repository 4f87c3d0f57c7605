"""What a name in a program leads to while it is made ready: a slot, a state, or a constant."""

from functools import cached_property
from typing import Any

from msgspec import Struct

from mmai.backends.coreml.reference.constants import Constant, frozen
from mmai.backends.coreml.reference.kernel import Kernel
from mmai.backends.coreml.reference.types import DType
from mmai.errors import CannotRun


class State(Struct, frozen=True):
    """A state, where a value is expected."""

    name: str
    dtype: DType | None


class Unpacked:
    """A constant that is computed from others when it is first asked for."""

    def __init__(self, kernel: Kernel, inputs: "dict[str, Known]", index: int) -> None:
        self._kernel = kernel
        self._inputs = inputs
        self._index = index

    @property
    def stored(self) -> Any:
        """As it would have been stored, had it not been compressed."""
        found = self._kernel(**{name: known.stored for name, known in self._inputs.items()})
        return found[self._index] if isinstance(found, tuple) else found

    @cached_property
    def held(self) -> Any:
        """As kernels see it."""
        return frozen(self.stored)


Known = Constant | Unpacked

Source = int | State | Known
"""A number is a slot."""


class Scope:
    """The names of a block, within those of the blocks around it."""

    def __init__(self, around: "Scope | None" = None) -> None:
        self._around = around
        self._names: dict[str, Source] = {}
        self.own: list[int] = []
        """Slots of this block alone."""

    def put(self, name: str, source: Source) -> None:
        """Give a name its meaning from here on."""
        self._names[name] = source
        if isinstance(source, int):
            self.own.append(source)

    def find(self, name: str) -> Source:
        """What the name means here.

        Raises:
            CannotRun: nothing.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope._names:
                return scope._names[name]
            scope = scope._around
        raise CannotRun(f"its program reads `{name}`, which nothing before it computes")
