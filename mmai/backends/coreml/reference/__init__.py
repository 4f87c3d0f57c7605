"""mmai's own executor of ML Programs: NumPy on any system, exact, slow, and no measure of how fast Core ML is."""

import time
from collections.abc import Callable
from pathlib import Path

from mmai.backends.coreml.executor import Executor, LoadReport
from mmai.backends.coreml.reference.chain import Chain
from mmai.backends.coreml.reference.coverage import coverage
from mmai.backends.coreml.reference.executor import ReferenceExecutor, named
from mmai.backends.coreml.reference.loading import load
from mmai.backends.coreml.reference.threads import in_thread, share_no_product
from mmai.values.package import Package

__all__ = ["coverage", "open_reference"]


async def open_reference(package: Package, *, function: str | None) -> Executor:
    """One function of a model, ready to be asked; None is the default function.

    Raises:
        UsageError: it has no such function.
        CannotRun: it is no ML Program, has an operation that is not run here, or its files are damaged.
        ProviderError: there is not enough memory.
    """
    share_no_product()
    started = time.perf_counter()
    model = Path(package.path).stem

    def work(stopped: Callable[[], bool]) -> Chain:
        return load(package, function, stopped)

    with named(model):
        chain = await in_thread(work)
    return ReferenceExecutor(chain, model=model, report=LoadReport(load_ms=(time.perf_counter() - started) * 1000))
