"""Apple's Core ML, by way of coremltools, in a process of its own for each model. Written for macOS; see `machine.py`."""

from asyncio import to_thread
from pathlib import Path

from mmai.backends.coreml.apple.cache import Cache
from mmai.backends.coreml.apple.content import Hashed, content_hash
from mmai.backends.coreml.apple.executor import AppleExecutor
from mmai.backends.coreml.apple.ledger import Ledger
from mmai.backends.coreml.apple.machine import Machine, this_machine
from mmai.backends.coreml.apple.messages import Planned
from mmai.backends.coreml.apple.opening import Opening, Wanted
from mmai.backends.coreml.apple.quarantine import Quarantine
from mmai.backends.coreml.apple.store import Store
from mmai.backends.coreml.executor import Executor, entry_point
from mmai.backends.coreml.setup import Setup
from mmai.values.package import Package


async def open_apple(
    package: Package,
    *,
    function: str | None,
    units: str,
    setup: Setup,
    load_timeout_s: float,
    machine: Machine | None = None,
) -> Executor:
    """One function of a model, ready to be asked; None is the default function.

    Args:
        units: one of those in `setup.py`.
        machine: None is this one.

    Raises:
        UsageError: it has no such function.
        CannotRun: there is no Core ML here, the system is too old for the model, or it is in quarantine.
        TimedOut: it was not loaded in time.
        ProviderError: it could not be loaded, or brought the worker down.
    """
    machine = machine or this_machine()
    folder = setup.cache_dir
    wanted = Wanted(
        package=package, function=entry_point(package, function), units=units, engine=machine.engine, timeout_s=load_timeout_s
    )
    sha256 = await to_thread(content_hash, package, Ledger(folder / "hashes.json", Hashed))
    quarantine = Quarantine(folder, sha256=sha256, os_build=machine.os_build)
    quarantine.refuse(units, timeout_s=load_timeout_s)
    cache = Cache(folder, key=machine.key, limit_bytes=setup.cache_limit_bytes)
    opening = Opening(
        wanted,
        store=Store(cache, sha256=sha256, source=str(Path(package.path))),
        quarantine=quarantine,
        plans=Ledger(folder / "plans.json", Planned),
        plan_key=f"{sha256} {machine.key} {units} {wanted.function.name}",
    )
    worker, report, resources = await opening.run()
    return AppleExecutor(
        worker, wanted, report=report, timeout_s=setup.predict_timeout_s, quarantine=quarantine, resources=resources
    )
