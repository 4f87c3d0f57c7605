"""Servers and commands that are killed, and many commands at once: one home, one history, one word on who is left alone."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from command import Result
from fakes.fault_wall import ANSWER, CUT, FAULTS, FaultWall
from scene import Ran, Scene

HOUR_MS = 3_600_000
PAIR = ("--fallback", "spare:ok")
CROWD = 8


def history_is_whole(scene: Scene) -> bool:
    with closing(sqlite3.connect(scene.mmai.home / "mmai" / "history.db")) as database:
        return bool(database.execute("PRAGMA integrity_check").fetchone() == ("ok",))


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_a_server_that_is_killed_in_an_answer_is_gone_and_then_back(scene: Scene, wall: FaultWall, provider: str) -> None:
    run = scene.start("-m", f"{provider}:drip", *PAIR)
    run.read(len(CUT.rstrip()))
    wall.close()
    cut = run.ended()
    assert (cut.exit_code, cut.row.text, cut.calls) == (9, CUT, (f"{provider}:drip",))
    del scene.walls["wall"]
    without = scene("-m", f"{provider}:ok", *PAIR)
    assert (without.classes[-1], without.text) == (None, ANSWER)
    assert set(without.classes[:-1]) == {"cannot_connect"}
    assert scene("-m", f"{provider}:ok", *PAIR).classes == [None]  # Nobody knocks again.
    with FaultWall(wall.port) as again:
        scene.walls["wall"] = again
        assert scene("-m", f"{provider}:ok").calls == (f"{provider}:ok",)  # With nobody else, it is asked all the same,
        assert scene("-m", f"{provider}:ok", *PAIR).calls == (f"{provider}:ok",)  # and known to be back.
        scene.wait_closed()
    scene.walls["wall"] = wall


def test_a_model_that_broke_down_behind_its_server_is_asked_once_more(scene: Scene, wall: FaultWall) -> None:
    wall.faults["ok"] = lambda call: call.first(call.refuses(500, "llama runner process has terminated: signal: killed"))
    ran = scene("-m", "wall-ollama:ok", *PAIR)
    assert (ran.calls, ran.text) == (("wall-ollama:ok", "wall-ollama:ok"), ANSWER)


def test_a_model_that_was_taken_away_is_left_for_another(scene: Scene) -> None:
    for expected in (("wall-ollama:gone", "spare:ok"), ("spare:ok",)):
        assert scene("-m", "wall-ollama:gone", *PAIR).calls == expected
    assert scene("-m", "wall-ollama:ok", *PAIR).calls == ("wall-ollama:ok",)  # The server has others.


def test_a_crowd_of_commands_on_a_new_home_loses_nothing(scene: Scene, wall: FaultWall, spare: FaultWall) -> None:
    def run(number: int) -> Result:
        fault = ("ok", "503", "500-once", "cut", "429-once-ms", "silent")[number % 6]
        return scene.mmai("run", "go", "-m", f"wall:{fault}+{number}", *PAIR)

    with ThreadPoolExecutor(CROWD) as pool:
        results = list(pool.map(run, range(24)))
    ends = {number: result.exit_code for number, result in enumerate(results)}
    assert ends == {number: 9 if number % 6 == 3 else 0 for number in range(24)}
    assert all(result.stdout == (CUT if number % 6 == 3 else ANSWER) + "\n" for number, result in enumerate(results))
    rows = scene.rows()
    assert len(rows) == 24
    assert sum(len(row.attempts) for row in rows) == len(wall.tried) + len(spare.tried)
    assert history_is_whole(scene)
    scene.wait_closed()


def test_when_a_host_comes_back_one_command_tries_it_out_and_the_crowd_goes_elsewhere(
    scene: Scene, wall: FaultWall, spare: FaultWall
) -> None:
    scene.configure(first_token_timeout_ms=HOUR_MS, stall_timeout_ms=HOUR_MS)
    scene("-m", "wall:503", *PAIR)
    wall.faults["503"] = FAULTS["drip"]
    scene.age(7)
    first = scene.start("-m", "wall:503", *PAIR)
    first.read(1)
    with ThreadPoolExecutor(CROWD) as pool:
        results = list(pool.map(lambda _: scene.mmai("run", "go", "-m", "wall:503", *PAIR), range(CROWD)))
    assert {(result.exit_code, result.stdout) for result in results} == {(0, ANSWER + "\n")}
    assert wall.calls["503"] == 3  # Two that failed, and the one that tries it out.
    wall.gate.open()
    ran = first.end()
    assert (ran.exit_code, ran.stdout) == (0, ANSWER + "\n")
    assert scene("-m", "wall:503", *PAIR).calls == ("wall:503",)


@pytest.mark.parametrize("words", [20, 60, 100, 200])
def test_a_command_killed_at_any_word_leaves_a_history_that_is_whole(scene: Scene, wall: FaultWall, words: int) -> None:
    run = scene.start("-m", "wall:drip", *PAIR)
    run.read(words)
    run.process.kill()
    assert run.ended().row.status == "running"
    assert history_is_whole(scene)
    ran: Ran = scene("-m", "wall:ok", *PAIR)
    assert (ran.calls, ran.text) == (("wall:ok",), ANSWER)


def test_a_history_that_somebody_else_holds_for_a_while_is_waited_for(scene: Scene) -> None:
    scene("-m", "wall:ok")
    with closing(sqlite3.connect(scene.mmai.home / "mmai" / "history.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        run = scene.start("-m", "wall:503", *PAIR)
        time.sleep(0.5)  # The while itself.
    ran = run.ended()
    assert (ran.exit_code, ran.row.text, ran.calls) == (0, ANSWER, ("wall:503", "wall:503", "spare:ok"))


@pytest.mark.parametrize(
    "state", ["", "{", "[]", '{"key": 3}', '{"key": "x", "open_until": 1e400}', '{"key":"x","failures":"many"}']
)
def test_what_is_kept_of_places_and_cannot_be_read_counts_as_nothing(scene: Scene, state: str) -> None:
    scene("-m", "wall:503", *PAIR)
    with closing(sqlite3.connect(scene.mmai.home / "mmai" / "history.db")) as database, database:
        database.execute("UPDATE places SET state = ?", (state,))
    ran = scene("-m", "wall:503", *PAIR)
    assert (ran.calls, ran.text) == (("wall:503", "wall:503", "spare:ok"), ANSWER)
