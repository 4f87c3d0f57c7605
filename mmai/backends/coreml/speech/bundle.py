"""The models a recording goes through: packages of a bundle, or functions of one package."""

import asyncio
from pathlib import Path
from typing import Literal

from msgspec import Struct

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.tasks.job import Job
from mmai.values.package import Function

Role = Literal["mel", "encoder", "decoder"]


class Stage(Struct, frozen=True):
    """One of them, loaded."""

    executor: Executor
    function: Function
    """What goes in and comes out."""


async def stage(job: Job, role: Role) -> Stage | None:
    """The one that does this, by the model's roles or by the name of a function; None where none is named.

    Raises:
        CannotRun, TimedOut, ProviderError: it could not be read or loaded.
    """
    if path := job.roles.parts.get(role):
        package = await asyncio.to_thread(read_package, Path(path))
        return Stage(await job.open(Path(path), None), package.main)
    function = next((function for function in job.package.functions if function.name == role), None)
    return Stage(await job.open(None, role), function) if function else None


async def model_itself(job: Job) -> Stage:
    """The package that was asked for, at the function that was; raises as `stage` does."""
    named = (function for function in job.package.functions if function.name == job.function)
    return Stage(await job.open(None, job.function), next(named, job.package.main))
