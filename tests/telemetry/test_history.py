"""The history keeps every run, from any number of processes, and never fails one."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders import Warnings
from hypothesis import given
from hypothesis import strategies as st

from mmai.telemetry import database
from mmai.telemetry.history import History
from mmai.telemetry.ids import new_id
from mmai.values.event import ServerTimings, Usage
from mmai.values.execution import Execution, ExecutorName, TensorShape
from mmai.values.model import Profile
from mmai.values.record import Attempt, RunRecord, Timings

BIG = "x" * 60_000


def a_run(**fields: Any) -> RunRecord:
    now = fields.setdefault("started_at", time.time())
    fields.setdefault("status", "ok")
    return RunRecord(**({"id": new_id(now), "prompt": "hi"} | fields))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def history(path: Path, warnings: Warnings) -> Iterator[History]:
    with closing(History(path, warn=warnings)) as history:
        yield history


FULL = a_run(
    status="incomplete",
    prompt="sum it",
    system="be brief",
    text="It is",
    model="ollama:gemma3:4b",
    task="summarization",
    automatic=True,
    finish_reason="length",
    error_code="incomplete",
    usage=Usage(input_tokens=9, output_tokens=4, cached_tokens=0, reasoning_tokens=1, estimated=True),
    cost_usd=0.0,
    timings=Timings(startup_ms=90.5, ttft_ms=12.25, total_ms=80.0),
    server=ServerTimings(load_ms=1.0, prompt_ms=2.0, decode_ms=3.0, total_ms=6.5, decode_tokens_per_second=33.0),
    attempts=(
        Attempt(model="openai:a", endpoint="https://x", failure="rate_limited", message="slow down", status=429, ms=3.5),
        Attempt(model="ollama:gemma3:4b", ms=80.0),
    ),
)


def test_a_run_is_read_back_whole(history: History) -> None:
    history.start(a_run(id=FULL.id, started_at=FULL.started_at, status="running"))
    history.finish(FULL)
    assert history.get(FULL.id) == FULL
    assert history.recent() == [FULL]


def test_a_run_is_kept_before_its_end(history: History, path: Path) -> None:
    run = a_run(status="running")
    history.start(run)
    with closing(History(path, warn=pytest.fail)) as other:
        assert other.get(run.id) == run


def test_the_end_of_a_run_is_kept_though_its_start_was_not(history: History) -> None:
    history.finish(FULL)
    history.finish(FULL)
    assert history.recent() == [FULL]


def test_the_newest_runs_come_first(history: History) -> None:
    runs = [a_run(started_at=float(second)) for second in range(5)]
    for run in runs:
        history.finish(run)
    assert history.recent(2) == [runs[4], runs[3]]


def test_an_unknown_run_is_none(history: History, warnings: Warnings) -> None:
    assert history.get("nothing") is None
    assert warnings == []


def test_the_folder_and_every_file_in_it_are_private(history: History, path: Path) -> None:
    history.start(a_run())
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert modes == {"history.db": "0o600", "history.db-wal": "0o600", "history.db-shm": "0o600"}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_very_long_text_is_cut(history: History) -> None:
    run = a_run(prompt="p" * 1_500_000)
    history.finish(run)
    kept = history.get(run.id)
    assert kept is not None
    assert kept.prompt == "p" * 1_000_000


def test_an_argument_that_was_no_utf8_is_kept_readable(history: History, warnings: Warnings) -> None:
    run = a_run(prompt=os.fsdecode(b"caf\xe9"))
    history.start(run)
    kept = history.get(run.id)
    assert kept is not None
    assert kept.prompt == "caf?"
    assert warnings == []


def test_a_run_whose_process_was_killed_reads_as_incomplete(history: History, path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from mmai.telemetry.history import History
from mmai.values.record import RunRecord
history = History(Path(sys.argv[1]), warn=print)
history.start(RunRecord(id="1", started_at=float(sys.argv[2]), status="running", prompt="hi"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script, path, str(time.time())], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    (run,) = history.recent()
    assert (run.status, run.error_code) == ("incomplete", "interrupted")
    history.finish(a_run(id="1"))
    assert [run.status for run in history.recent()] == ["ok"]


def test_a_run_of_days_ago_is_over_whatever_process_has_its_number(history: History) -> None:
    history.start(a_run(status="running", started_at=time.time() - 200_000))
    assert [run.status for run in history.recent()] == ["incomplete"]


STARTS = """
import sys, time
from pathlib import Path
from mmai.telemetry.history import History
from mmai.telemetry.ids import new_id
from mmai.values.record import Attempt, RunRecord
def run(status):
    return RunRecord(id=name, started_at=now, status=status, prompt="hi", model="a:b", attempts=(Attempt(model="a:b", ms=1.0),))
history = History(Path(sys.argv[1]), warn=lambda sentence: print(sentence, file=sys.stderr))
print("ready", flush=True)
sys.stdin.readline()
now = time.time()
name = new_id(now)
history.start(run("running"))
history.finish(run("ok"))
history.close()
"""


def at_once(count: int, path: Path) -> list[bytes]:
    """What as many processes said on stderr, each of which kept one run, all let go at the same moment."""
    command = [sys.executable, "-c", STARTS, str(path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[1] for process in processes]


def test_fifty_processes_at_once_on_a_fresh_home_keep_fifty_runs(history: History, path: Path) -> None:
    assert at_once(50, path) == [b""] * 50
    assert [run.status for run in history.recent(100)] == ["ok"] * 50


def test_a_lock_while_the_database_is_made_is_waited_for(
    history: History, path: Path, warnings: Warnings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(time, "sleep", lambda _: other.rollback())
        history.finish(FULL)
    assert history.recent() == [FULL]
    assert warnings == []


def test_processes_that_find_a_damaged_database_at_once_set_it_aside_once(history: History, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 1000)
    said = b"".join(at_once(12, path))
    assert said.count(b"\n") == said.count(b"is damaged") == 1
    assert len(history.recent(100)) == 12
    (aside,) = path.parent.glob("history.db.damaged-*")
    assert aside.read_bytes() == b"not a database " * 1000


def test_a_damaged_database_is_set_aside_with_one_warning(history: History, path: Path, warnings: Warnings) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 1000)
    history.start(FULL)
    history.finish(FULL)
    (aside,) = path.parent.glob("history.db.damaged-*")
    assert warnings == [f"`{path}` is damaged (file is not a database): a new history is begun, and the old one is `{aside}`"]
    assert history.recent() == [FULL]


def test_damage_inside_a_database_is_found(history: History, path: Path, warnings: Warnings) -> None:
    for _ in range(50):
        history.finish(a_run(text=BIG))
    history.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    history.finish(FULL)
    assert len(warnings) == 1
    (aside,) = path.parent.glob("history.db.damaged-*[0-9]")
    assert aside.stat().st_size == size
    assert history.recent() == [FULL]


def test_a_folder_in_the_way_costs_one_warning_and_nothing_else(history: History, path: Path, warnings: Warnings) -> None:
    path.mkdir(parents=True)
    history.start(FULL)
    history.finish(FULL)
    assert history.recent() == []
    assert history.profiles(since=0) == {}
    assert warnings == [f"no history is kept in `{path}`: Is a directory"]


def test_a_file_where_the_folder_should_be_costs_one_warning(history: History, path: Path, warnings: Warnings) -> None:
    path.parent.touch()
    history.start(FULL)
    history.finish(FULL)
    assert len(warnings) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_costs_one_warning(history: History, path: Path, warnings: Warnings) -> None:
    path.parent.mkdir(mode=0o500)
    history.start(FULL)
    history.finish(FULL)
    assert len(warnings) == 1


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from mmai.telemetry.history import History
from mmai.values.record import RunRecord
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
history = History(Path(sys.argv[1]), warn=print)
for number in range(20):
    run = RunRecord(id=f"full-{number}", started_at=1.0, status="ok", prompt="x" * 50_000)
    history.start(run)
    history.finish(run)
history.close()
"""


@pytest.mark.parametrize("limit", [0, 20_000, 300_000])
def test_a_full_disk_costs_one_warning_and_no_run_kept_before(history: History, path: Path, limit: int) -> None:
    history.finish(FULL)
    history.close()
    command = [sys.executable, "-c", FULL_DISK, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == done.stdout.count("no history is kept") == 1
    assert FULL in history.recent(100)


def test_the_database_of_a_newer_mmai_is_left_alone(history: History, path: Path, warnings: Warnings) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    history.start(FULL)
    assert len(warnings) == 1
    assert "version 99, from a newer mmai" in warnings[0]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


def answered(model: str, **fields: Any) -> RunRecord:
    timings = Timings(ttft_ms=fields.pop("ttft_ms", None), total_ms=fields.pop("total_ms", None))
    return a_run(model=model, timings=timings, **fields)


def failed(model: str, failure: str, **fields: Any) -> RunRecord:
    return a_run(status="error", error_code=failure, attempts=(Attempt(model=model, failure=failure, ms=1.0),), **fields)


def test_medians_are_of_what_was_seen(history: History) -> None:
    for ttft_ms in (900.0, 100.0, 120.0):
        usage = Usage(output_tokens=11)
        history.finish(answered("a:b", ttft_ms=ttft_ms, total_ms=ttft_ms + 200, usage=usage, started_at=ttft_ms))
    assert history.profiles(since=0) == {"a:b": Profile(ttft_ms=120.0, tokens_per_second=50.0, runs=3, updated_at=900.0)}


def test_the_server_knows_its_speed_best(history: History) -> None:
    server = ServerTimings(decode_tokens_per_second=33.0)
    history.finish(answered("a:b", ttft_ms=1.0, total_ms=2.0, usage=Usage(output_tokens=500), server=server))
    assert history.profiles(since=0)["a:b"].tokens_per_second == 33.0


def test_the_time_of_a_failed_attempt_does_not_slow_the_model_that_answered(history: History) -> None:
    attempts = (Attempt(model="a:slow", failure="timeout", ms=60_000.0), Attempt(model="a:b", ms=300.0))
    usage = Usage(output_tokens=21)
    history.finish(answered("a:b", ttft_ms=100.0, total_ms=60_300.0, usage=usage, attempts=attempts))
    profiles = history.profiles(since=0)
    assert (profiles["a:b"].tokens_per_second, profiles["a:b"].failures) == (100.0, 0)
    assert (profiles["a:slow"].runs, profiles["a:slow"].failures) == (0, 1)


def test_a_model_that_generates_no_tokens_has_a_latency_instead(history: History) -> None:
    history.finish(answered("builtin:embed", total_ms=5.0))
    profile = history.profiles(since=0)["builtin:embed"]
    assert (profile.latency_ms, profile.tokens_per_second, profile.ttft_ms) == (5.0, None, None)


def in_a_file(executor: ExecutorName, **fields: Any) -> RunRecord:
    """A run of a model in a file, whose answer came after 40 ms of its 90."""
    return a_run(
        model="coreml:Model",
        usage=Usage(output_tokens=100, estimated=True),
        timings=Timings(ttft_ms=40.0, total_ms=100.0),
        attempts=(Attempt(model="coreml:Model", ms=90.0, executor=executor),),
        execution=Execution(
            executor=executor,
            memory_bytes=12_000_000 if executor == "apple" else None,
            predict_ms=30.5,
            placement={"cpu": 0.25, "neural_engine": 0.75},
            inputs=(TensorShape("image", "uint8", (32, 32, 3)),),
        ),
        **fields,
    )


def test_how_a_model_in_a_file_was_run_is_read_back_whole(history: History) -> None:
    record = in_a_file("apple")
    history.finish(record)
    assert history.get(record.id) == record


def test_runs_of_the_reference_executor_leave_a_model_unknown(history: History) -> None:
    history.finish(in_a_file("reference"))
    history.finish(
        a_run(
            status="error",
            model="coreml:Model",
            attempts=(Attempt(model="coreml:Model", failure="provider", ms=3.0, executor="reference"),),
        )
    )
    assert history.profiles(since=0.0) == {}


def test_runs_of_apples_executor_have_a_latency_and_their_memory(history: History) -> None:
    history.finish(in_a_file("apple"))
    (profile,) = history.profiles(since=0.0).values()
    assert (profile.latency_ms, profile.memory_bytes, profile.runs) == (90.0, 12_000_000, 1)
    assert profile.ttft_ms is profile.tokens_per_second is None


def test_a_failure_of_apples_executor_counts(history: History) -> None:
    attempt = Attempt(model="coreml:Model", failure="timeout", ms=3.0, executor="apple")
    history.finish(a_run(status="error", model="coreml:Model", attempts=(attempt,)))
    assert history.profiles(since=0.0)["coreml:Model"].failures == 1


def test_a_history_from_before_models_in_files_is_taken_over(history: History, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for migration in database.MIGRATIONS[:2]:
            migration(connection)
        connection.execute("PRAGMA user_version = 2")
        connection.execute(
            "INSERT INTO runs (id, started_at, status, pid, model, automatic, usage_estimated, timings_total_ms, prompt, system, text)"
            " VALUES ('1', 5.0, 'ok', 1, 'ollama:a', 0, 0, 12.0, 'hi', '', 'ho')"
        )
        connection.commit()

    assert [record.execution for record in history.recent()] == [None]
    assert history.profiles(since=0.0)["ollama:a"].runs == 1


def test_one_token_says_nothing_of_speed(history: History) -> None:
    history.finish(answered("a:b", ttft_ms=100.0, total_ms=100.1, usage=Usage(output_tokens=1)))
    assert history.profiles(since=0)["a:b"].tokens_per_second is None


def test_only_a_models_own_faults_are_counted(history: History) -> None:
    for failure in ("provider", "protocol", "timeout", "cannot_connect", "incomplete", "schema_mismatch"):
        history.finish(failed("a:faulty", failure))
    for failure in ("auth", "usage", "rate_limited", "quota", "invalid_request", "context_length_exceeded", "interrupted"):
        history.finish(failed("a:blameless", failure))
    history.finish(failed("a:blameless", "incomplete", finish_reason="length"))
    profiles = history.profiles(since=0)
    assert list(profiles) == ["a:faulty"]
    assert profiles["a:faulty"].failures == 6


def test_what_is_older_than_asked_for_is_left_out(history: History) -> None:
    history.finish(answered("a:old", started_at=10.0))
    history.finish(failed("a:old", "provider", started_at=10.0))
    history.finish(answered("a:new", started_at=20.0))
    assert list(history.profiles(since=20.0)) == ["a:new"]


@given(st.floats(0, 2**40), st.floats(0, 2**40))
def test_ids_sort_by_time(one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    if int(earlier * 1000) != int(later * 1000):
        assert new_id(earlier) < new_id(later)


def test_ids_of_one_moment_differ_behind_the_moment() -> None:
    ids = {new_id(1469918176.385) for _ in range(1000)}
    assert len(ids) == 1000
    # Source: the example of github.com/ulid/spec for this moment, 01ARYZ6S41TSV4RRFFQ69G5FAV.
    assert {(len(each), each[:10]) for each in ids} == {(26, "01ARYZ6S41")}


def test_what_was_spent_is_what_runs_since_a_moment_cost(history: History) -> None:
    for started_at, cost_usd in ((100.0, 8.0), (200.0, 0.25), (300.0, 0.5), (300.0, None), (300.0, 0.0)):
        history.finish(a_run(started_at=started_at, cost_usd=cost_usd))
    assert history.spent_usd(since=200.0) == 0.75
    assert history.spent_usd(since=301.0) == 0.0


def test_what_was_spent_is_unknown_where_the_history_cannot_be_read(history: History, path: Path, warnings: Warnings) -> None:
    path.mkdir(parents=True)
    assert history.spent_usd(since=0.0) is None
    assert history.spent_usd(since=0.0) is None
    assert len(warnings) == 1
    assert "no budget is held" in warnings[0]
