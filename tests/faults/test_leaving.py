"""Who leaves, and who reads slowly: the call upstream ends with its reader, nobody is blamed for it, and nobody is hurried."""

import os
import signal
import subprocess
import time

import pytest
from command import PATIENCE_S, Result
from fakes.fault_wall import ANSWER, CUT, LONG, FaultWall
from fakes.wall import WAIT_S
from scene import Scene, Started

HOUR_MS = 3_600_000
PAIR = ("--fallback", "spare:ok")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(autouse=True)
def _patient(scene: Scene) -> None:
    scene.configure(first_token_timeout_ms=HOUR_MS, stall_timeout_ms=HOUR_MS)


def begun(scene: Scene, wall: FaultWall, *args: str) -> Started:
    """A run whose call has arrived."""
    run = scene.start(*args)
    wall.journal.wait_requests()
    return run


@pytest.mark.parametrize(("number", "exit_code"), SIGNALS)
@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_before_the_first_word(scene: Scene, wall: FaultWall, provider: str, number: int, exit_code: int) -> None:
    run = begun(scene, wall, "-m", f"{provider}:silent", *PAIR)
    run.process.send_signal(number)
    ran = run.ended()
    assert (ran.exit_code, ran.stdout, ran.row.status) == (exit_code, "", "cancelled")
    assert wall.hung_up(wall.tried[0])


@pytest.mark.parametrize(("number", "exit_code"), SIGNALS)
@pytest.mark.parametrize("more", [(), ("--no-stream",), ("--json",)])
def test_in_the_answer(scene: Scene, wall: FaultWall, number: int, exit_code: int, more: tuple[str, ...]) -> None:
    run = scene.start("-m", "wall:drip", *PAIR, *more)
    if more:
        wall.gate.wait_reached()
        time.sleep(0.2)  # What is not shown cannot be waited for; without it this is the test above.
    else:
        run.read(len(CUT.rstrip()))
    run.process.send_signal(number)
    ran = run.ended()
    assert (ran.exit_code, ran.row.status, ran.calls) == (exit_code, "cancelled", ("wall:drip",))
    assert CUT.startswith(ran.row.text) if more else ran.row.text == CUT
    wall.journal.wait_hangups()


def test_while_a_limit_is_waited_for(scene: Scene, wall: FaultWall) -> None:
    wall.faults["429-always"] = lambda call: call.limits(Retry_After="30")
    run = scene.start("-m", "wall:429-always")
    assert run.line().startswith("wall:429-always failed")
    run.process.send_signal(signal.SIGINT)
    ran = run.ended()
    assert (ran.exit_code, ran.calls) == (130, ("wall:429-always",))


def test_whoever_leaves_does_not_blame_the_server(scene: Scene, wall: FaultWall) -> None:
    for number in range(3):
        run = scene.start("-m", "wall:silent", *PAIR)
        wall.journal.wait_requests(number + 1)
        run.process.send_signal(signal.SIGINT)
        run.ended()
    wall.faults["silent"] = wall.faults["ok"]
    assert scene("-m", "wall:silent", *PAIR).calls == ("wall:silent",)


def test_a_reader_that_leaves_ends_the_call(scene: Scene, wall: FaultWall) -> None:
    run = scene.start("-m", "wall:flood", *PAIR)
    run.read(1000)
    run.leave()
    ran = run.ended()
    assert (ran.exit_code, ran.row.status, ran.calls) == (141, "cancelled", ("wall:flood",))
    assert wall.hung_up(wall.tried[0])


def test_a_reader_that_left_before_the_first_word_is_noticed_with_it(scene: Scene, wall: FaultWall) -> None:
    run = scene.start("-m", "wall:drip", *PAIR)
    run.leave()
    assert run.ended().exit_code == 141
    assert wall.hung_up(wall.tried[0])


def test_a_call_that_is_cancelled_is_an_attempt_too(scene: Scene, wall: FaultWall) -> None:
    run = begun(scene, wall, "-m", "wall:silent")
    run.process.send_signal(signal.SIGINT)
    assert [attempt.model for attempt in run.ended().row.attempts] == ["wall:silent"]


def test_a_killed_run_leaves_nothing_that_hinders_the_next(scene: Scene, wall: FaultWall) -> None:
    run = begun(scene, wall, "-m", "wall:drip", *PAIR)
    run.read(20)
    run.process.kill()
    assert run.ended().exit_code == -signal.SIGKILL
    assert scene("-m", "wall:ok", *PAIR).calls == ("wall:ok",)


def test_a_reader_that_pauses_for_longer_than_a_stall_gets_everything(scene: Scene) -> None:
    scene.configure(stall_timeout_ms=100)
    run = scene.start("-m", "wall:long")
    run.read(100)
    time.sleep(0.4)  # The pause itself: four times as long as a server may stall.
    ran = run.ended()
    assert (ran.exit_code, ran.row.text, ran.stdout) == (0, LONG, LONG + "\n")


def test_a_reader_that_reads_a_little_at_a_time_gets_every_byte(scene: Scene) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*scene.mmai.command, "run", "-m", "wall:ok", "go"], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
        env=scene.mmai.env, cwd=scene.mmai.cwd,
    )  # fmt: skip
    os.close(writer)
    text = b""
    while data := os.read(reader, 7):
        text += data
    os.close(reader)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert Result(process.returncode, text.decode(), stderr.decode())[:2] == (0, ANSWER + "\n")


def test_a_server_waits_for_a_reader_that_does_not_read(scene: Scene, wall: FaultWall) -> None:
    run = scene.start("-m", "wall:flood")
    run.read(1)
    said, until = -1, time.monotonic() + WAIT_S
    while (now := wall.tried[0].chunks) != said and time.monotonic() < until:
        said = now
        time.sleep(0.3)
    assert wall.tried[0].chunks == said, "the server was never made to wait"
    run.leave()
    assert run.ended().exit_code == 141
