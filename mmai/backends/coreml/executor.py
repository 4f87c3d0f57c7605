"""What runs a Core ML model: one protocol, two executors behind it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from mmai.backends.coreml.wording import listed
from mmai.errors import UsageError
from mmai.values.execution import ExecutorName
from mmai.values.package import Function, Package

if TYPE_CHECKING:
    import numpy as np

    Feed = np.ndarray[Any, Any] | str | int | float | dict[str, float] | dict[int, float]
    """One input. An image is uint8 pixels: height x width x 3 in RGB order, or height x width in gray; the executor brings them
    into the order the model wants."""
    Output = np.ndarray[Any, Any] | str | int | float | dict[str, float] | dict[int, float]
    """One output; an image comes back as it goes in."""


class LoadReport(Struct, frozen=True, kw_only=True):
    """What it took to have the model ready, in milliseconds; None was not measured or did not happen."""

    load_ms: float
    compile_ms: float | None = None
    placement: dict[str, float] | None = None
    """Compute device to the share of estimated cost planned for it, where that can be asked."""
    notes: tuple[str, ...] = ()
    """What went wrong without stopping anything, a sentence each."""


class Prediction(Struct, frozen=True, kw_only=True):
    """One answer."""

    outputs: "dict[str, Output]"
    """Arrays have the type the model declares: a float16 output is float16."""
    engine_ms: float | None = None
    """What the framework reports for itself; None where it reports nothing."""
    memory_bytes: int | None = None
    """Peak resident size of the process it ran in, where that is a process of its own."""


class Executor(Protocol):
    """One function of one model, loaded. Every await can be cancelled, and what was begun is then given up."""

    name: ExecutorName
    compute_units: str | None
    """What was asked for; None where that means nothing."""
    report: LoadReport

    @property
    def alive(self) -> bool:
        """It can be asked. One that was closed, or whose process died, hung or was interrupted, has to be loaded anew."""
        ...

    async def predict(self, feeds: "Mapping[str, Feed]", *, state: int | None = None) -> Prediction:
        """Run the model once. Names, shapes and types of `feeds` are held to its interface first.

        Args:
            feeds: by the names of the inputs; optional ones may be left out.
            state: from `new_state`; a model with states needs one, and it is changed.

        Raises:
            UsageError: an input is missing, unknown, or of a shape or type the model does not take.
            CannotRun: it needs something this executor does not have.
            TimedOut: it took too long; the model has to be loaded anew.
            ProviderError: it failed.
        """
        ...

    async def new_state(self) -> int:
        """Fresh states, all zero, for one sequence of predictions.

        Raises:
            UsageError: the model has none.
        """
        ...

    def drop_state(self, state: int) -> None:
        """Nobody asks with these states any more. Never fails: not for what was dropped before, nor for a model that is gone."""
        ...

    async def aclose(self) -> None:
        """Let the model go. May be called twice."""
        ...


def entry_point(package: Package, name: str | None, *, model: str | None = None) -> Function:
    """The function an executor is asked for; None is the default one. `model` is what an error calls it, else its file's name.

    Raises:
        UsageError: there is none of the name.
    """
    if name is None:
        return package.main
    for function in package.functions:
        if function.name == name:
            return function
    names = listed(function.name for function in package.functions)
    raise UsageError(
        f"`{model or Path(package.path).stem}` has no function `{name}`; it has {names}", hint="mmai run -O function=NAME"
    )
