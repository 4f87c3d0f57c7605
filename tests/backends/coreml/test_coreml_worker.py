"""Real processes that hold a model, and do to their parent what Core ML does: hang, abort, print, die. Core ML itself is not run."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.children import MACHINE, asked, child, processes, running

from mmai.backends.coreml.apple import frames
from mmai.backends.coreml.apple.executor import AppleExecutor, open_apple
from mmai.backends.coreml.apple.messages import Load, Order
from mmai.backends.coreml.setup import Setup
from mmai.errors import CallError, MmaiError, ProviderError, TimedOut, UsageError
from mmai.values.package import Package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the worker is a Mac's, and POSIX is near enough")

TESTS = Path(__file__).parents[2]
PATIENCE_S = 30.0

X = {"x": np.array([1.5, -3], np.float32)}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def setup_in(folder: Path, **changed: Any) -> Setup:
    return Setup(**{"cache_dir": folder / "cache", "predict_timeout_s": PATIENCE_S, **changed})


async def opened(package: Package, setup: Setup, *, units: str = "all", timeout_s: float = PATIENCE_S) -> AppleExecutor:
    executor = await open_apple(package, function=None, units=units, setup=setup, load_timeout_s=timeout_s, machine=MACHINE)
    assert isinstance(executor, AppleExecutor)
    return executor


def used(package: Package, setup: Setup, use: Callable[[AppleExecutor], Awaitable[Any]], **how: Any) -> Any:
    """What `use` gives for the model, which is closed afterwards; no process and no descriptor of it is left."""

    async def work() -> Any:
        executor = await opened(package, setup, **how)
        try:
            return await use(executor)
        finally:
            await executor.aclose()

    return without_trace(package, work)


def without_trace(package: Package, work: Callable[[], Awaitable[Any]]) -> Any:
    async def watched() -> Any:
        before = descriptors()
        try:
            return await work()
        finally:
            assert [pid for pid in processes(package) if running(pid)] == []
            assert descriptors() == before

    return asyncio.run(watched())


def descriptors() -> set[str]:
    return {name for name in os.listdir("/dev/fd") if os.path.exists(f"/dev/fd/{name}")}


def failure(package: Package, setup: Setup, kind: type[MmaiError], **how: Any) -> Any:
    """The error of loading the model and asking it once."""
    with pytest.raises(kind) as caught:
        used(package, setup, lambda executor: executor.predict(X), **how)
    return caught.value


def test_a_model_is_compiled_loaded_and_asked(tmp_path: Path) -> None:
    package = child(tmp_path, "fine")

    async def ask(executor: AppleExecutor) -> None:
        first, second = await executor.predict(X), await executor.predict({"x": np.zeros(2, np.float32)})
        assert (executor.name, executor.compute_units) == ("apple", "cpu_only")
        assert (executor.report.compile_ms, executor.report.load_ms) == (3.0, 2.0)
        assert executor.report.placement == {"neural_engine": 0.75, "cpu": 0.25}
        assert first.outputs["y"].dtype == np.float16  # type: ignore[union-attr]
        np.testing.assert_array_equal(first.outputs["y"], [3, -6])
        np.testing.assert_array_equal(second.outputs["y"], [0, 0])
        assert first.engine_ms == 0.5
        assert first.memory_bytes is not None
        assert 10_000_000 < first.memory_bytes < 1_000_000_000

    used(package, setup_in(tmp_path), ask, units="cpu_only")
    assert asked(package) == ["compile", "load", "plan", "predict", "predict"]


def test_predictions_asked_at_once_take_turns(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> list[float]:
        given = await asyncio.gather(*(executor.predict({"x": np.full(2, value, np.float32)}) for value in range(8)))
        return [float(each.outputs["y"][0]) for each in given]  # type: ignore[index]

    assert used(child(tmp_path, "fine"), setup_in(tmp_path), ask) == [2.0 * value for value in range(8)]


def test_states_are_kept_apart(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> list[float]:
        one, other = await executor.new_state(), await executor.new_state()
        given = [await executor.predict(X, state=state) for state in (one, one, other, one)]
        return [float(each.outputs["y"][0]) for each in given]  # type: ignore[index]

    assert used(child(tmp_path, "fine", stateful=True), setup_in(tmp_path), ask) == [3, 4, 3, 5]


def test_the_worker_lets_dropped_states_go_when_it_makes_the_next(tmp_path: Path) -> None:
    package = child(tmp_path, "fine", stateful=True)

    async def ask(executor: AppleExecutor) -> None:
        for _ in range(3):
            state = await executor.new_state()
            await executor.predict(X, state=state)
            executor.drop_state(state)
            executor.drop_state(state)
        with pytest.raises(UsageError, match="has no state"):
            await executor.predict(X, state=state)
        await executor.new_state()
        await executor.new_state()

    used(package, setup_in(tmp_path), ask)
    assert [entry for entry in asked(package) if entry.startswith("states")] == [*["states:1"] * 4, "states:2"]


def test_states_of_a_worker_that_died_can_be_dropped(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> None:
        state = await executor.new_state()
        with pytest.raises(ProviderError):
            await executor.predict(X, state=state)
        executor.drop_state(state)

    used(child(tmp_path, "aborts_at_predict", stateful=True), setup_in(tmp_path), ask)


def test_a_state_that_was_never_begun_is_refused_before_the_worker_is_asked(tmp_path: Path) -> None:
    package = child(tmp_path, "fine", stateful=True)

    async def ask(executor: AppleExecutor) -> None:
        for state in (None, 5):
            with pytest.raises(UsageError, match="state"):
                await executor.predict(X, state=state)

    used(package, setup_in(tmp_path), ask)
    assert "predict" not in asked(package)


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ({}, "the model needs `x`"),
        ({"x": X["x"], "z": X["x"]}, "no input `z`"),
        ({"x": np.zeros(3, np.float32)}, "`x` takes"),
        ({"x": np.array(["a", "b"])}, "`x` takes"),
    ],
)
def test_what_the_model_does_not_take_is_refused_before_the_worker_is_asked(
    tmp_path: Path, feeds: dict[str, Any], said: str
) -> None:
    package = child(tmp_path, "fine")

    async def ask(executor: AppleExecutor) -> None:
        with pytest.raises(UsageError, match=said):
            await executor.predict(feeds)
        assert executor.alive

    used(package, setup_in(tmp_path), ask)
    assert "predict" not in asked(package)


def test_words_on_standard_output_and_error_harm_nobody(tmp_path: Path) -> None:
    given = used(child(tmp_path, "prints_at_predict"), setup_in(tmp_path), lambda executor: executor.predict(X))
    np.testing.assert_array_equal(given.outputs["y"], [3, -6])


def test_a_slow_model_is_waited_for(tmp_path: Path) -> None:
    given = used(child(tmp_path, "takes_its_time_at_predict"), setup_in(tmp_path), lambda executor: executor.predict(X))
    np.testing.assert_array_equal(given.outputs["y"], [3, -6])


def test_a_load_that_hangs_is_killed_and_says_what_may_take_so_long(tmp_path: Path) -> None:
    error = failure(child(tmp_path, "hangs_at_load"), setup_in(tmp_path), TimedOut, timeout_s=1.0, units="neural_engine")
    assert error.phase == "load"
    assert error.message == (
        "`hangs_at_load` was not loaded with `compute_units=neural_engine` after 1 s; to specialize a model for the Neural Engine"
        " may take minutes the first time: `backends.coreml.load_timeout_ms` says how long it has"
    )
    assert error.hint == "mmai run -O compute_units=cpu_and_gpu"


def test_a_prediction_that_hangs_is_killed(tmp_path: Path) -> None:
    error = failure(child(tmp_path, "hangs_at_predict"), setup_in(tmp_path, predict_timeout_s=0.2), TimedOut)
    assert error.phase == "predict"
    assert "after 0.2 s, which is `backends.coreml.predict_timeout_ms`" in error.message


@pytest.mark.parametrize("when", ["at_load", "at_predict"])
def test_an_abort_is_named_with_the_units_and_the_last_words(tmp_path: Path, when: str) -> None:
    error = failure(child(tmp_path, f"aborts_{when}"), setup_in(tmp_path), ProviderError)
    doing = "loading" if when == "at_load" else "running"
    assert error.message == (
        f"the worker that was {doing} `aborts_{when}` with `compute_units=all` died of SIGABRT:"
        " MPSGraph: [31mfailed assertion `no such unit'"
    )
    assert error.hint == "mmai run -O compute_units=cpu_and_gpu"


def test_the_hint_after_the_last_units_is_the_executor_that_needs_none(tmp_path: Path) -> None:
    error = failure(child(tmp_path, "aborts_at_load"), setup_in(tmp_path), ProviderError, units="cpu_only")
    assert error.hint == "mmai run --executor reference"


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("is_killed_at_predict", "was ended by SIGKILL, as a system does that is short of memory"),
        ("exits_at_predict", "ended by itself with exit code 7"),
        ("is_cut_at_predict", "ended by itself"),
        ("writes_junk_at_predict", "wrote no answer: a message began with 45 73 70 72 65 73 73 6f"),
        ("announces_too_much_at_predict", "wrote no answer: a message began with 4d 4d 41 49 ff ff ff ff"),
        ("announces_a_huge_array_at_predict", "wrote no answer: `y` cannot be float32 of (1099511627776,)"),
        ("announces_an_object_at_predict", "wrote no answer: `y` cannot be object of (2,)"),
        ("says_the_wrong_thing", "wrote no answer: it said `StateMade` where `Predicted` was due"),
        ("gives_another_output", "wrote no answer: it gave ['z'], and the model has ['y']"),
    ],
)
def test_a_worker_that_gives_no_answer_is_told_of_and_gone(tmp_path: Path, does: str, said: str) -> None:
    error = failure(child(tmp_path, does), setup_in(tmp_path), ProviderError)
    assert error.message.startswith(f"the worker that was running `{does}` with `compute_units=all` ")
    assert said in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not hold a process to RLIMIT_AS")
def test_a_model_that_needs_more_memory_than_there_is_fails_and_the_worker_lives(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> None:
        with pytest.raises(ProviderError, match="there is not enough memory"):
            await executor.predict(X)
        assert executor.alive

    used(child(tmp_path, "needs_all_memory_at_predict"), setup_in(tmp_path), ask)


def test_what_the_framework_raises_is_told_and_the_worker_lives(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> None:
        with pytest.raises(ProviderError, match=r"`raises_at_predict` failed: RuntimeError: .*Error in declaring network"):
            await executor.predict(X)
        assert executor.alive

    used(child(tmp_path, "raises_at_predict"), setup_in(tmp_path), ask)


def test_a_worker_whose_engine_cannot_be_imported_says_so(tmp_path: Path) -> None:
    package = child(tmp_path, "fine")
    nowhere = type(MACHINE)(os_build="1", coremltools="9.0", engine="packages.nowhere")

    async def work() -> None:
        with pytest.raises(ProviderError, match=r"ModuleNotFoundError: No module named 'packages\.nowhere'"):
            await open_apple(package, function=None, units="all", setup=setup_in(tmp_path), load_timeout_s=30, machine=nowhere)

    without_trace(package, work)


def test_a_system_that_starts_no_more_processes_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: Any, **__: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    error = failure(child(tmp_path, "fine"), setup_in(tmp_path), ProviderError)
    assert error.message == "no worker could be started for `fine`: Resource temporarily unavailable"


def test_a_cancelled_prediction_ends_the_worker(tmp_path: Path) -> None:
    package = child(tmp_path, "hangs_at_predict")

    async def ask(executor: AppleExecutor) -> None:
        asking = asyncio.create_task(executor.predict(X))
        await until(lambda: "predict" in asked(package))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not executor.alive
        assert not running(processes(package)[-1])
        with pytest.raises(ProviderError, match="has to be loaded anew"):
            await executor.predict(X)

    used(package, setup_in(tmp_path), ask)


def test_a_cancelled_load_ends_the_worker_and_is_nobodys_fault(tmp_path: Path) -> None:
    package = child(tmp_path, "hangs_at_load")
    setup = setup_in(tmp_path)

    async def work() -> None:
        loading = asyncio.create_task(opened(package, setup))
        await until(lambda: "load" in asked(package))
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading

    without_trace(package, work)
    assert not (setup.cache_dir / "quarantine.json").exists()


def test_a_prediction_given_up_before_its_turn_leaves_the_others_alone(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> Any:
        first, second = (asyncio.create_task(executor.predict(X)) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        return await first

    given = used(child(tmp_path, "takes_its_time_at_predict"), setup_in(tmp_path), ask)
    np.testing.assert_array_equal(given.outputs["y"], [3, -6])


def test_ctrl_c_is_not_for_the_worker(tmp_path: Path) -> None:
    package = child(tmp_path, "fine")

    async def ask(executor: AppleExecutor) -> Any:
        os.kill(processes(package)[-1], signal.SIGINT)
        return await executor.predict(X)

    np.testing.assert_array_equal(used(package, setup_in(tmp_path), ask).outputs["y"], [3, -6])


def test_closing_twice_is_fine_and_asking_afterwards_is_an_error(tmp_path: Path) -> None:
    async def ask(executor: AppleExecutor) -> None:
        await executor.aclose()
        await executor.aclose()
        with pytest.raises(CallError):
            await executor.predict(X)

    used(child(tmp_path, "fine"), setup_in(tmp_path), ask)


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    setup = setup_in(tmp_path)
    used(child(tmp_path, "fine"), setup, lambda executor: executor.predict(X))
    failure(child(tmp_path, "aborts_at_load"), setup, ProviderError)
    assert list((setup.cache_dir / ".compiling").iterdir()) == []


def test_a_worker_whose_parent_was_killed_ends_by_itself(tmp_path: Path) -> None:
    package = child(tmp_path, "says_when_it_ends")
    script = f"""
import asyncio
from pathlib import Path
from packages.children import MACHINE, child
from mmai.backends.coreml.apple.executor import open_apple
from mmai.backends.coreml.setup import Setup

async def main():
    folder = Path({str(tmp_path)!r})
    await open_apple(child(folder, "says_when_it_ends"), function=None, units="all", setup=Setup(cache_dir=folder / "cache"),
                     load_timeout_s=30, machine=MACHINE)
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.kill()
    asyncio.run(until(Path(package.path).with_suffix(".ended").exists))


def test_a_worker_imports_nothing_that_only_its_parent_needs() -> None:
    """It is started for every load: asyncio, the settings and the adapter would take half of its 120 ms."""
    script = "import sys, mmai.backends.coreml.apple.engine, mmai.backends.coreml.apple.worker; print(*sys.modules)"
    imported = set(subprocess.check_output([sys.executable, "-c", script], text=True).split())
    assert "numpy" in imported
    assert imported.isdisjoint(
        {"asyncio", "PIL", "mmai.settings", "mmai.backends.coreml.adapter", "mmai.backends.coreml.reference"}
    )


def test_a_worker_that_hangs_when_nobody_is_left_to_kill_it_ends_by_an_alarm(tmp_path: Path) -> None:
    package = child(tmp_path, "hangs_at_load")
    compiled = tmp_path / "x.mlmodelc"
    compiled.mkdir()
    (compiled / "does.json").write_text(f'"{package.path}"')
    load = Load(path=str(compiled), units="all", function=None, spec_version=7, modes={})
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [
                sys.executable,
                "-m",
                "mmai.backends.coreml.apple.worker",
                str(theirs.fileno()),
                MACHINE.engine,
                str(tmp_path),
            ]
            worker = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        for piece in frames.frame(Order(request=load, timeout_s=-4.5)):  # less than its grace: the alarm comes in a second
            ours.sendall(piece)
        assert worker.wait(PATIENCE_S) == -signal.SIGALRM


async def until(there: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < end, "it never happened"
        await asyncio.sleep(0.01)
