"""The models a recording goes through: packages of a bundle, or functions of one package."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.job import Job
from mmai.values.package import Function

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed, Output

Role = Literal["mel", "encoder", "decoder"]


class Stage:
    """One of them. It is loaded when it is first asked, so that what is wrong with a request is told before that."""

    def __init__(self, job: Job, function: Function, *, path: Path | None, name: str | None) -> None:
        """`path` is None for the package that was asked for, and `name` for the default function."""
        self.function = function
        """What goes in and comes out."""
        self._job = job
        self._path = path
        self._name = name
        self._executor: Executor | None = None

    async def new_state(self) -> int:
        """See `Executor`."""
        return await (await self._loaded()).new_state()

    def drop_state(self, state: int) -> None:
        """See `Executor`."""
        if self._executor:
            self._executor.drop_state(state)

    async def predict(self, feeds: "Mapping[str, Feed]", *, state: int | None = None) -> "dict[str, Output]":
        """Run it once; raises as `Executor.predict` does, and the first time as loading does."""
        return (await self._job.meter.predict(await self._loaded(), feeds, state)).outputs

    async def _loaded(self) -> Executor:
        if self._executor is None:
            self._executor = await self._job.open(self._path, self._name)
        return self._executor


async def stage(job: Job, role: Role) -> Stage | None:
    """The one that does this, by the model's roles or by the name of a function; None where none is named.

    Raises:
        CannotRun: it cannot be read.
    """
    if path := job.roles.parts.get(role):
        package = await asyncio.to_thread(read_package, Path(path))
        return Stage(job, package.main, path=Path(path), name=None)
    function = next((function for function in job.package.functions if function.name == role), None)
    return Stage(job, function, path=None, name=role) if function else None


def model_itself(job: Job) -> Stage:
    """The package that was asked for, at the function that was; raises as `Job.interface` does."""
    return Stage(job, job.interface, path=None, name=job.function)
