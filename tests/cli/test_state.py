"""State on disk: many at once, damage, and places that cannot be written. None of it costs an answer."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import FakeOllama
from fakes.wall import CLOSE, SILENCE

LLAMA = ("run", "-m", "ollama:llama3.2:3b", "hi")
KEY = "sk-live-0123456789abcdef"


def rows(mmai: Mmai, columns: str = "status, text") -> list[tuple[object, ...]]:
    with sqlite3.connect(mmai.home / "mmai" / "history.db") as connection:
        found = connection.execute(f"SELECT {columns} FROM runs ORDER BY id").fetchall()
    connection.close()
    return found


def finished(processes: list[subprocess.Popen[bytes]]) -> list[tuple[int, bytes, bytes]]:
    """Exit code and outputs of each."""
    outputs = [process.communicate(timeout=4 * PATIENCE_S) for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


@pytest.fixture
def registry(on: Mmai) -> Path:
    """A registry after one discovery."""
    on("discover", "-q")
    return on.home / "mmai" / "registry.json"


def test_fifty_runs_at_once_on_a_fresh_home_leave_fifty_rows(on: Mmai) -> None:
    results = finished([on.start(*LLAMA) for _ in range(50)])
    assert results == [(0, b"Hello there\n", b"")] * 50
    assert rows(on) == [("ok", "Hello there")] * 50


def test_twenty_discoveries_at_once_leave_one_whole_registry(on: Mmai, ollama: FakeOllama) -> None:
    for code, _, stderr in finished([on.start("discover") for _ in range(20)]):
        assert code == 0
        assert b"warning" not in stderr
    document = json.loads((on.home / "mmai" / "registry.json").read_bytes())
    assert document["generation"] == 20
    assert {f"ollama:{name}" for name in ollama.models} <= document["models"].keys()


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\x00garbage" * 99, lambda data: b"[]"]
)
def test_a_damaged_registry_costs_one_warning(on: Mmai, registry: Path, damage: Callable[[bytes], bytes]) -> None:
    registry.write_bytes(damage(registry.read_bytes()))
    for words in (("models",), ("select", "what is 2+2?"), ("models", "show", "qwen3:8b")):
        result = on(*words)
        assert (result.exit_code, result.stdout == "") == (0, False)
        assert result.stderr.count("warning: ") == 1
        assert "registry.json" in result.stderr
    assert on("discover").exit_code == 0
    assert on("models").stderr == ""


def test_a_registry_replaced_all_the_time_is_read_whole(on: Mmai, registry: Path) -> None:
    document = json.loads(registry.read_bytes())
    done = threading.Event()

    def replace() -> None:
        while not done.is_set():
            document["generation"] += 1
            other = registry.with_name("other")
            other.write_text(json.dumps(document))
            other.replace(registry)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for words in (("models", "--json"), ("select", "what is 2+2?", "--json")) * 4:
            result = on(*words)
            assert (result.exit_code, result.json["warnings"]) == (0, [])
    finally:
        done.set()
        writer.join()


def test_a_discovery_killed_at_any_moment_leaves_a_registry_that_can_be_read(
    on: Mmai, registry: Path, ollama: FakeOllama
) -> None:
    chance = random.Random(7)
    for number in range(25):
        ollama.add(f"extra-{number}:1b")
        process = on.start("discover", "-q")
        killer = threading.Timer(chance.uniform(0.05, 0.35), process.kill)
        killer.start()
        process.communicate(timeout=PATIENCE_S)
        killer.cancel()
        assert "ollama:qwen3:8b" in json.loads(registry.read_bytes())["models"]
    assert on("discover", "-q").stderr == ""
    result = on("models", "--json")
    assert "ollama:extra-24:1b" in {model["model"] for model in result.json["data"]["models"]}
    assert result.json["warnings"] == []
    left = {file.name for file in registry.parent.iterdir()}
    assert left <= {
        "registry.json",
        "registry.json.bak",
        "registry.json.lock",
        "history.db",
        "history.db-wal",
        "history.db-shm",
    }


@pytest.fixture(params=["a file where the folder should be", "a folder below a file", "a folder of /proc"])
def unwritable(request: pytest.FixtureRequest, on: Mmai) -> Mmai:
    """The command with a home in which nothing can be kept, whoever runs it: root can write where modes forbid it."""
    blocked = on.home / "blocked"
    blocked.write_text("")
    match request.param:
        case "a folder of /proc":
            if not os.path.isdir("/proc/self"):
                pytest.skip("there is no /proc here")
            on.env["MMAI_HOME"] = "/proc/mmai"
        case "a folder below a file":
            on.env["MMAI_HOME"] = str(blocked / "deep" / "mmai")
        case _:
            on.env["MMAI_HOME"] = str(blocked)
    return on


def test_a_home_that_cannot_be_written_costs_one_warning_and_no_answer(unwritable: Mmai) -> None:
    result = unwritable(*LLAMA)
    assert (result.exit_code, result.stdout) == (0, "Hello there\n")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("warning: no history is kept in ")


def test_discover_and_an_automatic_choice_need_no_home_either(unwritable: Mmai) -> None:
    result = unwritable("discover", "--json")
    assert result.exit_code == 0
    assert "ollama:qwen3:8b" in {model["model"] for model in result.json["data"]["models"]}
    assert len(result.json["warnings"]) == 1
    result = unwritable("run", "what is 2+2?", "--json")
    assert (result.exit_code, result.json["data"]["text"]) == (0, "Hello there")


def test_a_full_disk_costs_a_warning_and_no_answer(on: Mmai) -> None:
    script = "ulimit -f 0; trap '' XFSZ; exec \"$@\""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *on.command, *LLAMA],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=on.env,
        cwd=on.cwd,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (0, b"Hello there\n")
    assert done.stderr.count(b"warning: ") == 1


def test_without_home_the_command_still_answers(on: Mmai) -> None:
    for name in ("HOME", "MMAI_HOME"):
        del on.env[name]
    on.env["XDG_CONFIG_HOME"] = on.env["XDG_DATA_HOME"] = str(on.home / "xdg")
    assert on(*LLAMA) == (0, "Hello there\n", "")


@pytest.mark.parametrize("content", [b"no database" * 200, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_history_is_put_aside_with_one_warning(on: Mmai, content: bytes) -> None:
    database = on.home / "mmai" / "history.db"
    database.parent.mkdir()
    database.write_bytes(content)
    result = on(*LLAMA)
    assert (result.exit_code, result.stdout) == (0, "Hello there\n")
    assert result.stderr.count("warning: ") == 1
    assert rows(on) == [("ok", "Hello there")]
    assert content in [file.read_bytes() for file in database.parent.iterdir()]
    assert on(*LLAMA).stderr == ""


def test_no_log_leaves_no_row(on: Mmai) -> None:
    on(*LLAMA, "--no-log")
    assert not (on.home / "mmai" / "history.db").exists()
    on(*LLAMA)
    on(*LLAMA, "--no-log")
    assert len(rows(on)) == 1


def test_an_interrupted_run_is_kept_with_its_text(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE, done=False)
    process = on.start(*LLAMA)
    assert process.stdout is not None
    assert process.stdout.read(3) == b"Hel"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert rows(on) == [("cancelled", "Hel")]


def test_an_interrupted_run_has_its_envelope(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE, done=False)
    process = on.start(*LLAMA, "--json")
    ollama.journal.wait_requests()
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert json.loads(stdout)["error"] == {"code": "interrupted", "exit_code": 130, "message": "interrupted", "hint": None}


def test_a_cut_run_is_kept_with_its_text(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", CLOSE, done=False)
    on(*LLAMA)
    assert rows(on, "status, text, error_code") == [("incomplete", "Hel", "incomplete")]


def test_a_failed_run_is_kept_with_its_reason(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"})
    on(*LLAMA)
    assert rows(on, "status, text, error_code") == [("error", "", "provider")]


def test_a_killed_run_leaves_a_trace(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE, done=False)
    process = on.start(*LLAMA)
    assert process.stdout is not None
    process.stdout.read(3)
    process.kill()
    process.communicate()
    assert rows(on, "status, prompt") == [("running", "hi")]
    assert on(*LLAMA[:-1], "again", "--timeout", "0.3").exit_code in (6, 9)


@pytest.fixture
def keyed(on: Mmai, ollama: FakeOllama) -> Iterator[Mmai]:
    """A key in the settings, for a server that wants one."""
    del on.env["OLLAMA_HOST"]
    on.configure(f"backends:\n  ollama:\n    endpoints: [{ollama.url}]\n    api_key: {KEY}\n")
    yield on


def test_a_key_is_sent_and_found_nowhere(keyed: Mmai, ollama: FakeOllama) -> None:
    said: list[str] = []
    for words in (
        ("discover", "--json"),
        ("status",),
        LLAMA,
        (*LLAMA, "--json"),
        (*LLAMA, "--dry-run"),
        ("config", "show", "--json"),
    ):
        said += keyed(*words)[1:]
    ollama.answers(401, {"error": f"bad key {KEY}"})
    said += keyed(*LLAMA, "--json", env={"MMAI_DEBUG": "1"})[1:]
    assert any(KEY in seen.headers.get("authorization", "") for seen in ollama.journal.requests)
    assert not any(KEY in text for text in said)
    for file in (keyed.home / "mmai").iterdir():
        assert file.name == "config.yaml" or KEY.encode() not in file.read_bytes()
