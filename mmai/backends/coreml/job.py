"""What a task works with: the model, what was asked of it, and a way to run it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from mmai.backends.coreml.executor import Executor, Prediction, entry_point
from mmai.backends.coreml.meter import Meter
from mmai.errors import UsageError
from mmai.values.model import ModelRef
from mmai.values.package import Function, Package, Roles
from mmai.values.request import AudioPart, ImagePart, Part, Request, TensorPart

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed

Wanted = TypeVar("Wanted", ImagePart, AudioPart, TensorPart)

Open = Callable[[Path | None, str | None], Awaitable[Executor]]
"""A package of the bundle, None for the model itself; and the name of a function, None for the default."""


class Job(Struct, frozen=True, kw_only=True):
    """One request on its way through one model."""

    ref: ModelRef
    package: Package
    request: Request
    open: Open
    meter: Meter

    @property
    def roles(self) -> Roles:
        """What the model's inputs and outputs are."""
        return self.package.roles

    async def predict(self, feeds: "Mapping[str, Feed]") -> Prediction:
        """Run the model once, with fresh states where it has any; raises as `open` and `Executor.predict` do."""
        executor = await self.open(None, self.function)
        if not self.interface.states:
            return await self.meter.predict(executor, feeds, None)
        state = await executor.new_state()
        try:
            return await self.meter.predict(executor, feeds, state)
        finally:
            executor.drop_state(state)

    @property
    def function(self) -> str | None:
        """The entry point asked for with `-O function=NAME`."""
        name = self.request.options.extra.get("function")
        return None if name is None else str(name)

    @property
    def interface(self) -> Function:
        """The entry point's inputs and outputs.

        Raises:
            UsageError: there is none of the name that was asked for.
        """
        return entry_point(self.package, self.function, model=str(self.ref))

    def parts(self, kind: type[Wanted]) -> tuple[Wanted, ...]:
        """What was handed in of one kind, in order."""
        return tuple(part for part in self._all_parts() if isinstance(part, kind))

    def whole(self, name: str, default: int, *, least: int = 1) -> int:
        """A whole number given as `-O name=N`.

        Raises:
            UsageError: it is none, or smaller than `least`.
        """
        value: Any = self.request.options.extra.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(
                f"`{name}` is a whole number of at least {least}, not `{value}`", hint=f"mmai run -O {name}={default}"
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no given as `-O name=true`.

        Raises:
            UsageError: it is neither.
        """
        value: Any = self.request.options.extra.get(name, default)
        if not isinstance(value, bool):
            raise UsageError(f"`{name}` is true or false, not `{value}`", hint=f"mmai run -O {name}=true")
        return value

    def _all_parts(self) -> tuple[Part, ...]:
        return tuple(part for message in self.request.messages if message.role == "user" for part in message.parts)
