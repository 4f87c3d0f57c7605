"""The adapter: models in files as cards, and requests as the tasks they are run for."""

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from mmai.backends.base import Backend, RetryAdvice, advise
from mmai.backends.coreml import tasks
from mmai.backends.coreml.cards import accepts, card_of
from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.executors import Executors, chosen
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.library import Library
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.setup import UNITS, Setup
from mmai.errors import CannotRun, MmaiError, NoEligibleModel, UnknownModel, UsageError
from mmai.values.endpoint import Endpoint
from mmai.values.event import DroppedEvent, Event, ExecutionEvent, FinishedEvent
from mmai.values.execution import Execution
from mmai.values.health import Health, Loaded
from mmai.values.model import ModelCard
from mmai.values.package import Package, RoleTask
from mmai.values.preview import Preview
from mmai.values.request import Request, TensorPart

NO_SUCH_OPTION = "a model in a file has none"

DROPPED = ("temperature", "stop", "seed", "think", "keep_alive")
"""Options of models that generate text."""


def open_backend(endpoint: Endpoint) -> Backend:
    """The models under the endpoint's folders. Nothing is read until something is asked."""
    return CoreMLBackend(endpoint)


class CoreMLBackend:
    """The models under some folders, loaded when they are first asked and held until the adapter is closed."""

    endpoint: str | None = None

    def __init__(self, endpoint: Endpoint) -> None:
        self.provider = endpoint.provider
        self._endpoint = endpoint
        self._setup = Setup.of(endpoint.options)
        self._library = Library(self._setup)
        self._executors = Executors(self._setup)

    async def list_models(self) -> Sequence[ModelCard]:
        """Every model that is found; one that cannot be read is a card with its `problem`."""
        return [card_of(found, endpoint=self._endpoint) for found in self._library.scan()]

    def assume(self, name: str) -> ModelCard:
        """A model by its name under the folders, or by a path that is there.

        Raises:
            UnknownModel: there is none.
        """
        return card_of(self._library.find(name, provider=self.provider), endpoint=self._endpoint)

    def inspect(self, model: ModelCard) -> Package:
        """Everything its files say, read anew.

        Raises:
            UnknownModel: it is gone.
            CannotRun: it cannot be read.
        """
        return self._library.read(model)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """What the model's task takes. One whose files are not known, or were damaged when it was found, is looked at now."""
        if model.package is None or model.problem:
            try:
                model = self.assume(model.name)
            except UnknownModel as error:
                return error.message
        return model.problem or accepts(model, request)

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """What would be run how; nothing is sent anywhere, and options are held to what the task reads."""
        executor, reason = chosen(request.options.executor or self._setup.executor, platform=sys.platform)
        package = self.inspect(model)
        task = accepted_task(package, request)
        tasks.demand_known(task, request.options.extra, model=str(model.ref))
        units = self._units(request)
        body = {
            "path": package.path,
            "task": task,
            "executor": executor,
            "reason": reason,
            "compute_units": units if executor == "apple" else None,
            "options": request.options.extra,
        }
        return Preview(body=body)

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """Run the model for what it is there for.

        Raises:
            NoEligibleModel: see `can_handle`.
            CannotRun: its files are damaged, or no executor takes it.
            UsageError: what was handed in does not fit the model.
            TimedOut, ProviderError: while loading or predicting.
        """
        if reason := self.can_handle(model, request):
            raise CannotRun(reason) if model.problem else NoEligibleModel(reason)
        package = self.inspect(model)
        task = accepted_task(package, request)
        tasks.demand_known(task, request.options.extra, model=str(model.ref))
        name, why = chosen(request.options.executor or self._setup.executor, platform=sys.platform)
        units = self._units(request)
        meter = Meter()

        async def open_part(part: Path | None, function: str | None) -> Executor:
            wanted = package if part is None else self._library.read_path(part)
            executor, now = await self._executors.open(wanted, executor=name, units=units, function=function)
            meter.loaded(executor, now=now)
            return executor

        job = Job(ref=model.ref, package=package, request=request, open=open_part, meter=meter)
        yield ExecutionEvent(
            Execution(executor=name, reason=why, compute_units=units if name == "apple" else None, function=job.function)
        )
        for option in DROPPED:
            if getattr(request.options, option) not in (None, ()):
                yield DroppedEvent(option, NO_SUCH_OPTION)
        async with aclosing(tasks.run(task, job)) as events:
            async for event in events:
                yield event
        execution = meter.execution(reason=why, function=job.function)
        yield FinishedEvent(reason=meter.reason, usage=meter.usage, execution=execution)

    async def health_check(self) -> Health:
        """The folders are there or they are not; a machine without Core ML is no failure."""
        return self._library.health()

    def advise(self, error: MmaiError) -> RetryAdvice:
        """Nothing here fails by chance, so the general rule says enough."""
        return advise(error)

    async def ensure_ready(self, model: ModelCard, *, timeout_s: float, keep_alive: float | str | None = None) -> Loaded:
        """Load the model as `Resident` promises."""
        package = self.inspect(model)
        name, _ = chosen(self._setup.executor, platform=sys.platform)
        executor, _ = await self._executors.open(
            package, executor=name, units=self._setup.compute_units, function=None, timeout_s=timeout_s
        )
        return Loaded(name=model.name, size_bytes=model.size_bytes, load_ms=executor.report.load_ms)

    async def loaded(self) -> Sequence[Loaded]:
        """What this process holds; other processes hold their own."""
        return self._executors.loaded()

    async def unload(self, model: ModelCard) -> None:
        """Let it go."""
        if model.package is not None:
            await self._executors.close(Path(model.package.path))

    async def aclose(self) -> None:
        """Let every model go."""
        await self._executors.aclose()

    def _units(self, request: Request) -> str:
        units = request.options.extra.get("compute_units", self._setup.compute_units)
        if units not in UNITS:
            raise UsageError(
                f"`compute_units` is one of {', '.join(UNITS)}, not `{units}`", hint="mmai run -O compute_units=all"
            )
        return str(units)


def accepted_task(package: Package, request: Request) -> RoleTask:
    """What the package is run for: its own task, or plain tensors where those were handed in."""
    tensors = any(isinstance(part, TensorPart) for message in request.messages for part in message.parts)
    return "tensors" if tensors else package.roles.task
