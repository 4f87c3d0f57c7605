"""Disks that are full, homes that are none and descriptors that are used up: the answer does not need them, and breakers do without."""

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command import PATIENCE_S, Mmai, Result
from fakes.fault_wall import ANSWER, CUT, FaultWall
from scene import Scene

PAIR = ("--fallback", "spare:ok")


def limited(mmai: Mmai, limit: Callable[[], None], *args: str) -> Result:
    """A run under limits of its own."""
    done = subprocess.run(
        [*mmai.command, "run", "go", *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=mmai.env,
        cwd=mmai.cwd,
        timeout=PATIENCE_S,
        preexec_fn=limit,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def few_descriptors(count: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


@pytest.mark.parametrize(
    ("fault", "exit_code", "stdout", "calls"),
    [
        ("ok", 0, ANSWER, 1),
        ("503", 0, ANSWER, 3),
        ("429-tomorrow", 0, ANSWER, 2),
        ("cut", 9, CUT, 1),
        ("silent", 0, ANSWER, 2),
    ],
)
@pytest.mark.parametrize("kept_before", [False, True])
def test_a_full_disk_changes_nothing_but_a_warning(
    scene: Scene, wall: FaultWall, spare: FaultWall, fault: str, exit_code: int, stdout: str, calls: int, kept_before: bool
) -> None:
    if kept_before:
        scene("-m", "spare:ok")
        spare.tried.clear()
    result = limited(scene.mmai, full_disk, "-m", f"wall:{fault}", *PAIR)
    assert (result.exit_code, result.stdout) == (exit_code, stdout + "\n")
    assert "history" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(wall.tried) + len(spare.tried) == calls
    scene.wait_closed()


def test_a_home_that_is_no_folder_changes_nothing_but_a_warning(scene: Scene, wall: FaultWall, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = tmp_path / "mmai" / "config.yaml"
    env = {"MMAI_HOME": str(tmp_path / "file" / "home"), "MMAI_CONFIG": str(settings)}
    result = scene.mmai("run", "go", "-m", "wall:503", *PAIR, env=env)
    assert (result.exit_code, result.stdout) == (0, ANSWER + "\n")
    assert wall.calls["503"] == 2


@pytest.mark.parametrize("count", range(6, 14))
def test_however_few_descriptors_there_are_it_ends_with_an_answer_or_a_sentence(scene: Scene, count: int) -> None:
    scene("-m", "spare:ok")  # Whatever is prepared at the first time is there.
    result = limited(scene.mmai, few_descriptors(count), "-m", "wall:ok")
    if "_close_self_pipe" in result.stderr or "importlib._bootstrap" in result.stderr:
        pytest.skip("Python itself needs more")
    assert (result.exit_code == 0) == (result.stdout == ANSWER + "\n")
    assert "Traceback" not in result.stderr
    scene.wait_closed()
