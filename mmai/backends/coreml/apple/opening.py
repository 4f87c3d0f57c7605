"""From a model on disk to one that a worker holds: let through, compiled or found compiled, loaded, and asked for its plan."""

import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from mmai.backends.coreml.apple.cache import COMPILED
from mmai.backends.coreml.apple.failures import CRASHES, ended, load_failure, refusal
from mmai.backends.coreml.apple.feeds import modes
from mmai.backends.coreml.apple.ledger import Ledger
from mmai.backends.coreml.apple.messages import Compile, Compiled, Failed, Load, Loaded, Plan, Planned, Reply, Request
from mmai.backends.coreml.apple.process import Lost, Worker
from mmai.backends.coreml.apple.quarantine import Incident, Quarantine
from mmai.backends.coreml.apple.store import Store
from mmai.backends.coreml.executor import LoadReport
from mmai.errors import CallError, ProviderError
from mmai.values.package import Function, Package

R = TypeVar("R", bound=Reply)

PLAN_TIMEOUT_S = 60.0
"""For the plan, which nobody waits for gladly: without it the model runs as well."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which model, and how."""

    package: Package
    function: Function
    units: str
    engine: str
    timeout_s: float

    @property
    def model(self) -> str:
        """As it is called in sentences."""
        return Path(self.package.path).stem

    @property
    def function_name(self) -> str | None:
        """As Core ML wants it: only a model with several has names for them."""
        several = len(self.package.functions) > 1 or self.package.default_function is not None
        return self.function.name if several else None


class Opening:
    """One model on its way."""

    def __init__(self, wanted: Wanted, *, store: Store, quarantine: Quarantine, plans: Ledger[Planned], plan_key: str) -> None:
        self._wanted = wanted
        self._store = store
        self._quarantine = quarantine
        self._plans = plans
        self._plan_key = plan_key
        self._until = time.monotonic() + wanted.timeout_s

    async def run(self) -> tuple[Worker, LoadReport, AsyncExitStack]:
        """The worker, what it took, and what has to be closed in the end.

        Raises:
            CannotRun: this system does not take the model.
            TimedOut, ProviderError: it was not loaded.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._store.release)
            worker = await self._started(stack)
            path, compile_ms, load_ms = await self._loaded(worker)
            planned = self._plans.get(self._plan_key)
            if planned is None:
                planned = await self._planned(worker, path)
                self._plans.put(self._plan_key, planned)
                if not worker.alive:  # it did not survive the question, which is not asked again
                    worker = await self._started(stack)
                    path, _, load_ms = await self._loaded(worker)
            report = LoadReport(
                load_ms=load_ms, compile_ms=compile_ms, placement=planned.placement, notes=tuple(self._store.notes)
            )
            return worker, report, stack.pop_all()

    async def _started(self, stack: AsyncExitStack) -> Worker:
        try:
            worker = await Worker.start(self._wanted.engine, temporary=str(self._store.scratch))
        except OSError as exc:
            raise ProviderError(f"no worker could be started for `{self._wanted.model}`: {exc.strerror or exc}") from exc
        stack.push_async_callback(worker.close)
        return worker

    async def _loaded(self, worker: Worker) -> tuple[Path, float | None, float]:
        """Where the compiled model lies, and how long it took to compile and to load it, in milliseconds."""
        package = self._wanted.package
        if package.format == "mlmodelc":
            return Path(package.path), None, self._took(await self._load(worker, Path(package.path)))
        found = self._store.find()
        if found is not None:
            reply = await self._load(worker, found)
            if isinstance(reply, Loaded) or reply.never:
                return found, None, self._took(reply)
            self._store.drop()  # whole as it looks, it may be damaged
        compile_ms = await self._compiled(worker)
        path = self._store.keep()
        return path, compile_ms, self._took(await self._load(worker, path))

    async def _compiled(self, worker: Worker) -> float:
        package = self._wanted.package
        destination = str(self._store.scratch / COMPILED)
        request = Compile(source=package.path, destination=destination, spec_version=package.spec_version)
        reply = await self._ask(worker, request, Compiled)
        if isinstance(reply, Failed):
            raise refusal(reply, package, model=self._wanted.model)
        return reply.compile_ms

    async def _load(self, worker: Worker, path: Path) -> Loaded | Failed:
        wanted = self._wanted
        request = Load(
            path=str(path),
            units=wanted.units,
            function=wanted.function_name,
            spec_version=wanted.package.spec_version,
            modes=modes(wanted.function),
        )
        return await self._ask(worker, request, Loaded)

    def _took(self, reply: Loaded | Failed) -> float:
        if isinstance(reply, Failed):
            raise refusal(reply, self._wanted.package, model=self._wanted.model)
        return reply.load_ms

    async def _planned(self, worker: Worker, path: Path) -> Planned:
        request = Plan(path=str(path), units=self._wanted.units, function=self._wanted.function_name)
        try:
            reply, _ = await worker.ask(request, Planned, timeout_s=min(PLAN_TIMEOUT_S, self._left_s()))
        except Lost:
            return Planned(placement=None)
        return reply if isinstance(reply, Planned) else Planned(placement=None)

    async def _ask(self, worker: Worker, request: Request, expected: type[R]) -> R | Failed:
        try:
            reply, _ = await worker.ask(request, expected, timeout_s=self._left_s())
        except Lost as exc:
            raise self._lost(exc) from exc
        return reply

    def _left_s(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def _lost(self, lost: Lost) -> CallError:
        wanted = self._wanted
        if lost.how == "slow" or lost.signal in CRASHES:
            timeout_s = wanted.timeout_s if lost.how == "slow" else None
            incident = Incident(model=wanted.model, what=ended(lost), at=datetime.now(UTC), timeout_s=timeout_s)
            self._quarantine.add(wanted.units, incident)
        if lost.how == "died":
            self._store.drop()  # what it died of may be the file
        return load_failure(
            lost,
            model=wanted.model,
            units=wanted.units,
            timeout_s=wanted.timeout_s,
            way_out=self._quarantine.way_out(wanted.units),
        )
