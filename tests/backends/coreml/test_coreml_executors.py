"""Which executor runs a model, and which are held."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.children import MACHINE, asked, child

from mmai.backends.coreml import executors
from mmai.backends.coreml.apple import executor as apple
from mmai.backends.coreml.executors import Executors, chosen
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.setup import Setup
from mmai.errors import CannotRun, ProviderError
from mmai.values.execution import Execution

TESTS = Path(__file__).parents[2]


def test_apples_executor_cannot_be_asked_for_where_there_is_no_core_ml() -> None:
    with pytest.raises(CannotRun, match="the executor `apple` cannot run here: Core ML needs macOS"):
        chosen("apple", platform="linux")


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_the_reference_runs_everywhere_and_needs_no_reason_where_it_was_asked_for(platform: str) -> None:
    assert chosen("reference", platform=platform) == ("reference", None)


def test_a_choice_left_open_says_why_it_is_not_apples() -> None:
    assert chosen("auto", platform="linux") == ("reference", "Core ML needs macOS")


def test_a_mac_without_coremltools_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "find_spec", lambda _: None)
    assert chosen("auto", platform="darwin") == ("reference", "the package `coremltools` is not installed")
    monkeypatch.setattr(executors, "find_spec", lambda _: object())
    assert chosen("auto", platform="darwin") == ("apple", None)


def test_a_model_whose_worker_died_is_loaded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(apple, "this_machine", lambda: MACHINE)
    package = child(tmp_path, "exits_at_predict")

    async def work() -> None:
        held = Executors(Setup(cache_dir=tmp_path / "cache"))
        wanted: dict[str, Any] = {"executor": "apple", "units": "all", "function": None}
        first, now = await held.open(package, **wanted)
        again, now_again = await held.open(package, **wanted)
        assert (now, now_again) == (True, False)
        assert again is first
        with pytest.raises(ProviderError):
            await first.predict({"x": np.zeros(2, np.float32)})
        assert held.loaded() == []
        second, now = await held.open(package, **wanted)
        assert now
        assert second is not first
        assert [one.name for one in held.loaded()] == ["exits_at_predict"]
        await held.aclose()

    asyncio.run(work())
    assert asked(package) == ["compile", "load", "plan", "predict", "load"]


def test_what_went_wrong_while_loading_is_told_once_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(apple, "this_machine", lambda: MACHINE)
    (tmp_path / "cache").write_text("a file where the folder should be")

    async def work() -> Execution | None:
        held, meter = Executors(Setup(cache_dir=tmp_path / "cache")), Meter()
        for name in ("fine", "prints_at_predict"):
            executor, now = await held.open(child(tmp_path, name), executor="apple", units="all", function=None)
            meter.loaded(executor, now=now)
        await held.aclose()
        return meter.execution(reason=None, function=None)

    execution = asyncio.run(work())
    assert execution is not None
    (note,) = execution.notes
    assert note.startswith("the compiled model is not kept for the next time: ")
