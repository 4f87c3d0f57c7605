"""Which executor runs a model, and the models that are loaded."""

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.setup import Setup
from mmai.errors import CannotRun
from mmai.values.execution import ExecutorChoice, ExecutorName
from mmai.values.health import Loaded
from mmai.values.package import Package

Key = tuple[str, str, ExecutorName, str]
"""Path, function, executor and compute units."""


def chosen(choice: ExecutorChoice, *, platform: str) -> tuple[ExecutorName, str | None]:
    """The executor a choice comes to, and why, where nobody named it.

    Raises:
        CannotRun: Apple's was asked for by name, and it is not to be had here.
    """
    if choice == "reference":
        return "reference", None
    lacks = _apple_lacks(platform)
    if lacks is None:
        return "apple", None
    if choice == "apple":
        raise CannotRun(f"the executor `apple` cannot run here: {lacks}", hint="mmai run --executor reference")
    return "reference", lacks


def _apple_lacks(platform: str) -> str | None:
    if platform != "darwin":
        return "Core ML needs macOS"
    return None if find_spec("coremltools") else "the package `coremltools` is not installed"


class Executors:
    """Models held ready, each loaded once however many ask for it at the same time."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._open: dict[Key, Executor] = {}
        self._locks: dict[Key, asyncio.Lock] = {}

    async def open(
        self, package: Package, *, executor: ExecutorName, units: str, function: str | None, timeout_s: float | None = None
    ) -> tuple[Executor, bool]:
        """The model, ready to be asked; and whether it was loaded just now.

        Raises:
            UsageError: it has no such function.
            CannotRun: the executor does not take it.
            TimedOut, ProviderError: it could not be loaded.
        """
        key = (package.path, function or package.main.name, executor, units if executor == "apple" else "")
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key in self._open and self._open[key].alive:
                return self._open[key], False
            if key in self._open:
                await self._open.pop(key).aclose()
            self._open[key] = await self._load(package, executor, units, function, timeout_s or self._setup.load_timeout_s)
            return self._open[key], True

    async def _load(
        self, package: Package, executor: ExecutorName, units: str, function: str | None, timeout_s: float
    ) -> Executor:
        if executor == "apple":
            from mmai.backends.coreml.apple.executor import open_apple  # noqa: PLC0415 - a Mac's only

            return await open_apple(package, function=function, units=units, setup=self._setup, load_timeout_s=timeout_s)
        from mmai.backends.coreml.reference import open_reference  # noqa: PLC0415 - numpy costs 50 ms

        return await open_reference(package, function=function)

    def loaded(self) -> Sequence[Loaded]:
        """What is held, by the name of its file."""
        return [
            Loaded(name=Path(path).stem, load_ms=executor.report.load_ms)
            for (path, *_), executor in self._open.items()
            if executor.alive
        ]

    async def close(self, path: Path) -> None:
        """Let every form of one model go."""
        for key in [key for key in self._open if Path(key[0]) == path]:
            await self._open.pop(key).aclose()

    async def aclose(self) -> None:
        """Let every model go."""
        while self._open:
            await self._open.popitem()[1].aclose()
