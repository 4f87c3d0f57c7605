"""A model that brought a worker down, or hung, is not loaded the same way again; told by real children."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from packages.children import MACHINE, asked, child

from mmai.backends.coreml.apple.executor import open_apple
from mmai.backends.coreml.setup import Setup
from mmai.errors import CannotRun, MmaiError, ProviderError, TimedOut
from mmai.values.package import Package

TESTS = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def load(package: Package, cache: Path, *, units: str = "all", timeout_s: float = 30.0, build: str = "24F74") -> None:
    async def work() -> None:
        executor = await open_apple(
            package,
            function=None,
            units=units,
            setup=Setup(cache_dir=cache),
            load_timeout_s=timeout_s,
            machine=replace(MACHINE, os_build=build),
        )
        await executor.aclose()

    asyncio.run(work())


def failure(kind: type[MmaiError], package: Package, cache: Path, **how: Any) -> MmaiError:
    with pytest.raises(kind) as caught:
        load(package, cache, **how)
    return caught.value


def rows(cache: Path) -> dict[str, Any]:
    return dict(json.loads((cache / "quarantine.json").read_text())["rows"])


def test_a_model_that_aborted_is_refused_the_next_time_with_what_and_when(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_load")
    failure(ProviderError, package, tmp_path)
    at = next(iter(rows(tmp_path).values()))["at"][:16].replace("T", " ")
    error = failure(CannotRun, package, tmp_path)
    assert error.message == (
        f"`aborts_at_load` ended its worker (SIGABRT) while it was loaded with `compute_units=all` on {at} UTC,"
        f" and is not loaded so again on this macOS; delete `{tmp_path}/quarantine.json` to try all the same"
    )
    assert error.hint == "mmai run -O compute_units=cpu_and_gpu"
    assert asked(package) == ["compile", "load"]


def test_each_set_of_units_is_an_incident_of_its_own_and_the_hint_offers_the_next(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_load")
    for units in ("cpu_and_gpu", "all"):
        assert failure(ProviderError, package, tmp_path, units=units).hint == "mmai run -O compute_units=cpu_only"
    assert failure(CannotRun, package, tmp_path).hint == "mmai run -O compute_units=cpu_only"
    failure(ProviderError, package, tmp_path, units="cpu_only")
    assert failure(CannotRun, package, tmp_path).hint == "mmai run --executor reference"


def test_another_macos_tries_again(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_load")
    failure(ProviderError, package, tmp_path)
    failure(ProviderError, package, tmp_path, build="25A1")


def test_the_incident_goes_with_the_content_and_not_with_the_place(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_load")
    failure(ProviderError, package, tmp_path)
    moved = Path(package.path).rename(tmp_path / "moved.mlpackage")
    failure(CannotRun, replace(package, path=str(moved)), tmp_path)
    (moved / "Data" / "model").write_text("another")
    load(replace(package, path=str(moved)), tmp_path)


def test_deleting_the_file_lifts_it(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_load")
    failure(ProviderError, package, tmp_path)
    (tmp_path / "quarantine.json").unlink()
    failure(ProviderError, package, tmp_path)


def test_a_file_that_cannot_be_read_is_no_quarantine(tmp_path: Path) -> None:
    package = child(tmp_path, "fine")
    (tmp_path / "quarantine.json").write_text('{"version": 1, "rows": {"half')
    load(package, tmp_path)


def test_a_model_that_hung_is_tried_again_only_with_more_time(tmp_path: Path) -> None:
    package = child(tmp_path, "hangs_at_load")
    failure(TimedOut, package, tmp_path, timeout_s=0.5)
    error = failure(CannotRun, package, tmp_path, timeout_s=0.5)
    assert "`hangs_at_load` did not come up in time" in error.message
    assert error.message.endswith("or give it longer with `backends.coreml.load_timeout_ms`")
    failure(TimedOut, package, tmp_path, timeout_s=0.6)
    failure(CannotRun, package, tmp_path, timeout_s=0.6)


@pytest.mark.parametrize("does", ["is_killed_at_load", "exits_at_load", "raises_at_load", "writes_junk_at_load"])
def test_what_may_go_well_the_next_time_is_no_incident(tmp_path: Path, does: str) -> None:
    failure(ProviderError, child(tmp_path, does), tmp_path)
    assert not (tmp_path / "quarantine.json").exists()


def test_a_death_while_predicting_is_no_incident(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_predict")
    load(package, tmp_path)
    load(package, tmp_path)
    assert not (tmp_path / "quarantine.json").exists()


def test_a_plan_that_brings_the_worker_down_is_not_asked_for_again_and_harms_nothing(tmp_path: Path) -> None:
    package = child(tmp_path, "aborts_at_plan")
    load(package, tmp_path)
    load(package, tmp_path)
    assert asked(package) == ["compile", "load", "plan", "load", "load"]
    assert not (tmp_path / "quarantine.json").exists()
