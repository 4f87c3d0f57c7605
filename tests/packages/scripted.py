"""An executor that gives what a test tells it to, and requests on their way through it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmai.backends.coreml import tasks
from mmai.backends.coreml.executor import Executor, LoadReport, Prediction
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.meter import Meter
from mmai.values.event import Event
from mmai.values.execution import ExecutorName
from mmai.values.model import ModelRef
from mmai.values.package import ArrayFormat, Feature, Function, ImageFormat, Package, Roles, RoleTask
from mmai.values.request import Message, Options, Part, Request

Outputs = Mapping[str, Any]


class Scripted:
    """`Executor` as the protocol has it. `asked` keeps what was handed in, `states` which state it was with, `held` those there are."""

    name: ExecutorName = "reference"
    compute_units: str | None = None
    report = LoadReport(load_ms=1.0)

    def __init__(self, answer: Outputs | Callable[[Mapping[str, Any]], Outputs]) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.states: list[int | None] = []
        self.held: set[int] = set()
        self.alive = True
        self._answer = answer
        self._begun = 0

    async def predict(self, feeds: Mapping[str, Any], *, state: int | None = None) -> Prediction:
        assert state is None or state in self.held
        self.asked.append(dict(feeds))
        self.states.append(state)
        return Prediction(outputs=dict(self._answer(feeds) if callable(self._answer) else self._answer))

    async def new_state(self) -> int:
        self._begun += 1
        self.held.add(self._begun)
        return self._begun

    def drop_state(self, state: int) -> None:
        self.held.discard(state)

    async def aclose(self) -> None:
        self.alive = False


def image_input(name: str = "image", *, size: tuple[int, int] = (32, 32), **format: Any) -> Feature:
    """A picture of a width and a height, in RGB unless told otherwise."""
    return Feature(name=name, kind="image", image=ImageFormat(width=size[0], height=size[1], **({"color": "rgb"} | format)))


def array_input(name: str, *shape: int, dtype: str | None = "float32", **more: Any) -> Feature:
    """An array; `more` is of the feature, or of its format."""
    own = {key: more.pop(key) for key in ("shapes", "ranges", "default") if key in more}
    return Feature(name=name, kind="array", array=ArrayFormat(dtype=dtype, shape=shape, **own), **more)


def a_package(*functions: Function, inputs: Sequence[Feature] = (), roles: Roles | None = None, **more: Any) -> Package:
    """A model in a file that is nowhere."""
    return Package(
        path="/nowhere/Model.mlpackage",
        format="mlpackage",
        type="mlProgram",
        spec_version=7,
        functions=functions or (Function(name="main", inputs=tuple(inputs)),),
        roles=roles or Roles(),
        **more,
    )


def a_job(executor: Executor, package: Package, *parts: Part, **options: Any) -> Job:
    """A request of those parts; `options` are those of `-O`."""

    async def open_part(part: Path | None, function: str | None) -> Executor:
        return executor

    request = Request(messages=(Message("user", parts),), options=Options(extra=options))
    return Job(ref=ModelRef("coreml", "Model"), package=package, request=request, open=open_part, meter=Meter())


def ran(task: RoleTask, job: Job) -> list[Event]:
    """All that comes of a task."""

    async def gather() -> list[Event]:
        return [event async for event in tasks.run(task, job)]

    return asyncio.run(gather())
