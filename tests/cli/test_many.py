"""`mmai run --batch`: every prompt of a file, each answered once, whatever happens on the way."""

import json
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import METRICS, Answer, FakeOllama
from fakes.openai import FakeOpenAI
from fakes.wall import CLOSE, Gate, Script, Seen, Step

MODEL = ("run", "-m", "ollama:llama3.2:3b")


def prompts_of(server: FakeOllama) -> list[str]:
    return [seen.json["messages"][-1]["content"] for seen in server.journal.of("/api/chat")]


def said(seen: Seen, *pieces: str | Step, done: bool = True) -> Script:
    """One answer's script."""
    counts = {"prompt_eval_count": 3, "eval_count": 2}
    return Answer(pieces, (), (), {**METRICS, **counts}, "stop", done).script(seen)


def echoes(server: FakeOllama) -> None:
    """Every prompt is answered with itself."""
    server.when(lambda seen: seen.path == "/api/chat", lambda seen: said(seen, seen.json["messages"][-1]["content"]))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def many(on: Mmai, ollama: FakeOllama) -> Mmai:
    """A file of 30 prompts beside a server that echoes."""
    (on.home / "in.jsonl").write_text(
        "".join(json.dumps({"prompt": f"say {n}", "id": f"r{n}", "topic": n % 3}) + "\n" for n in range(30))
    )
    echoes(ollama)
    return on


def test_every_prompt_is_answered_once(many: Mmai, ollama: FakeOllama) -> None:
    result = many(*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl", "-j", "8")
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    rows = sorted(lines(many.home / "out.jsonl"), key=lambda row: row["index"])
    assert [(row["index"], row["id"], row["text"], row["topic"]) for row in rows] == [
        (n, f"r{n}", f"say {n}", n % 3) for n in range(30)
    ]
    assert {row["error"] for row in rows} == {None}
    assert sorted(prompts_of(ollama)) == sorted(f"say {n}" for n in range(30))
    assert "30 rows answered" in result.stderr


def test_in_order_into_a_file_and_onto_standard_output(many: Mmai) -> None:
    many(*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl", "-j", "8", "--ordered")
    assert [row["index"] for row in lines(many.home / "out.jsonl")] == list(range(30))
    result = many(*MODEL, "--batch", "in.jsonl", "-j", "8", "--ordered")
    assert [json.loads(line)["index"] for line in result.stdout.splitlines()] == list(range(30))


def test_a_template_takes_fields_of_a_table(on: Mmai, ollama: FakeOllama) -> None:
    (on.home / "cities.csv").write_bytes(b'\xef\xbb\xbfcity,land\r\nParis,"France, EU"\r\n"New\nYork",USA\r\n\r\n')
    echoes(ollama)
    result = on(*MODEL, "River of {city} ({land}) {{x}}", "--batch", "cities.csv", "--ordered")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["River of Paris (France, EU) {x}", "River of New\nYork (USA) {x}"]
    assert rows[0]["city"] == "Paris"


def test_a_prompt_a_line_from_a_pipe(on: Mmai, ollama: FakeOllama) -> None:
    echoes(ollama)
    result = on(*MODEL, "--batch", "-", "--ordered", stdin=b"one\n\ntwo\n")
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "prompt", "said"),
    [
        ("in.csv", "a,b\n1,2\n", "say {c}", "line 2 of `in.csv` has no field `c`; its fields are `a`, `b`"),
        ("in.csv", "a,b\n1\n", "say {a}", "line 2 of `in.csv` has 1 cells, and its header 2"),
        ("in.csv", 'a,b\n"1,2\n', "say {a}", "is no CSV"),
        ("in.csv", "a,a\n1,2\n", "say {a}", "names each column once"),
        ("in.jsonl", '{"prompt": "x"}\n{"prompt": 3}\n', "", "line 2 of `in.jsonl` cannot be taken"),
        ("in.jsonl", '{"prompt": "x"}\n{oops\n', "", "line 2 of `in.jsonl` is not JSON"),
        ("in.jsonl", "\n\n", "", "there are no prompts in `in.jsonl`"),
        ("in.txt", "x\n", "say {", "belongs to no field: write it twice"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    on: Mmai, ollama: FakeOllama, name: str, content: str, prompt: str, said: str
) -> None:
    (on.home / name).write_text(content)
    result = on(*MODEL, *([prompt] if prompt else []), "--batch", name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not ollama.journal.of("/api/chat")


def test_the_same_command_goes_on_where_it_was_killed(many: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.when(lambda seen: "say 20" in seen.body.decode(), lambda seen: [gate])
    command = (*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl", "-j", "2")
    process = many.start(*command)
    gate.wait_reached()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    gate.open()
    out = many.home / "out.jsonl"
    with out.open("ab") as file:
        file.write(b'{"index": 29, "key": "0123')  # as a kill in the middle of a write would leave it
    before = {row["index"] for row in lines_whole(out)}
    asked = len(prompts_of(ollama))
    echoes(ollama)
    result = many(*command)
    assert result.exit_code == 0, result.stderr
    assert sorted(row["index"] for row in lines(out)) == list(range(30))
    assert len(prompts_of(ollama)) - asked == 30 - len(before)
    assert f"{len(before)} kept" in result.stderr


def lines_whole(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_rows_that_failed_are_asked_again(many: Mmai, ollama: FakeOllama) -> None:
    ollama.when(lambda seen: b'"say 7"' in seen.body, lambda seen: said(seen, "part of it", CLOSE, done=False))
    command = (*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl")
    result = many(*command)
    assert result.exit_code == 9
    assert "1 of 30 rows failed" in result.stderr
    failed = next(row for row in lines(many.home / "out.jsonl") if row["index"] == 7)
    assert (failed["error"]["code"], failed["text"]) == ("incomplete", "part of it")
    echoes(ollama)
    again = many(*command)
    assert again.exit_code == 0
    assert "1 row answered, 29 kept" in again.stderr
    assert sorted(row["index"] for row in lines(many.home / "out.jsonl")) == list(range(30))


def test_answers_to_something_else_are_left_alone(many: Mmai, ollama: FakeOllama) -> None:
    command = ("--batch", "in.jsonl", "--out", "out.jsonl")
    many(*MODEL, *command)
    before = (many.home / "out.jsonl").read_bytes()
    other = many("run", "-m", "ollama:gemma3:4b", *command)
    assert other.exit_code == 2
    assert "to another prompt, or of another model" in other.stderr
    (many.home / "out.jsonl").write_text("my notes\n")
    notes = many(*MODEL, *command)
    assert notes.exit_code == 2
    assert "its line 1 is no answer" in notes.stderr
    assert (many.home / "out.jsonl").read_text() == "my notes\n"
    assert b"my notes" not in before


def test_two_at_once_do_not_share_a_file(many: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.when(lambda seen: b'"say 3"' in seen.body, lambda seen: [gate])
    command = (*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl")
    first = many.start(*command)
    gate.wait_reached()
    second = many(*command)
    assert second.exit_code == 2
    assert "another `mmai run --batch` is writing" in second.stderr
    first.kill()
    first.communicate(timeout=PATIENCE_S)
    gate.open()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_when_it_is_stopped_everything_that_is_done_is_there(many: Mmai, ollama: FakeOllama, number: int, code: int) -> None:
    gate = Gate()
    ollama.when(lambda seen: b'"say 12"' in seen.body, lambda seen: [gate])
    process = many.start(*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl", "-j", "1")
    gate.wait_reached()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert b"stopped: 12 rows answered in out.jsonl; the same command goes on from there" in stderr
    assert [row["index"] for row in lines(many.home / "out.jsonl")] == list(range(12))
    gate.open()


def test_the_price_of_all_rows_together_is_held(on: Mmai, openai: FakeOpenAI) -> None:
    (on.home / "in.txt").write_text("".join(f"say {n}\n" for n in range(50)))
    on.env |= {"OPENAI_API_KEY": "sk-many-0123456789", "OPENAI_BASE_URL": openai.base_url}
    openai.streams("well", usage=(1000, 1000))
    command = ("run", "-m", "openai:gpt-4.1-mini", "--batch", "in.txt", "--out", "out.jsonl", "-j", "1")
    result = on(*command, "--max-cost", "0.02")
    assert result.exit_code == 11
    assert "`--max-cost`" in result.stderr
    rows = lines(on.home / "out.jsonl")
    assert 1 < len(rows) < 50
    assert sum(row["cost_usd"] for row in rows) <= 0.02 + 1e-9
    assert len(openai.journal.requests) == len(rows)


def test_each_row_may_go_to_another_model(many: Mmai) -> None:
    many("discover")
    result = many("run", "--batch", "in.jsonl", "--ordered", "-j", "4")
    assert result.exit_code == 0, result.stderr
    assert {json.loads(line)["model"].partition(":")[0] for line in result.stdout.splitlines()} == {"ollama"}


def test_rows_are_runs_of_the_history_unless_they_are_not_to_be(many: Mmai) -> None:
    many(*MODEL, "--batch", "in.jsonl", "--out", "a.jsonl", "--no-log")
    assert not (many.home / "mmai" / "history.db").exists()
    many(*MODEL, "--batch", "in.jsonl", "--out", "b.jsonl")
    with sqlite3.connect(many.home / "mmai" / "history.db") as history:
        assert history.execute("SELECT count(*), count(DISTINCT prompt) FROM runs WHERE status = 'ok'").fetchone() == (30, 30)
    history.close()


def test_nothing_is_sent_to_see_what_would_be(many: Mmai, ollama: FakeOllama) -> None:
    result = many(*MODEL, "--batch", "in.jsonl", "--dry-run")
    assert result.exit_code == 0
    assert "tokens in, $0; the first goes to ollama:llama3.2:3b" in result.stdout
    assert not ollama.journal.of("/api/chat")


def test_a_reader_that_leaves_ends_it(many: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.when(lambda seen: b'"say 12"' in seen.body, lambda seen: [gate, *said(seen, "late")])
    process = many.start(*MODEL, "--batch", "in.jsonl", "-j", "1")
    assert process.stdout is not None
    process.stdout.readline()
    gate.wait_reached()
    process.stdout.close()
    process.stdout = None
    gate.open()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 141


def test_a_full_disk_tears_no_line(many: Mmai, ollama: FakeOllama) -> None:
    ollama.when(lambda seen: seen.path == "/api/chat", lambda seen: said(seen, "word " * 2000))
    script = f"ulimit -f 100; exec {many.command[0]} run -m ollama:llama3.2:3b --batch in.jsonl --out out.jsonl --no-log -j 1"
    done = subprocess.run(
        ["bash", "-c", script], env=many.env, cwd=many.cwd, capture_output=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 1, done.stderr
    assert b"cannot write `out.jsonl`: file too large; the same command goes on from here" in done.stderr.lower()
    kept = lines(many.home / "out.jsonl")
    assert 0 < len(kept) < 30
    assert many(*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl").exit_code == 0
    assert sorted(row["index"] for row in lines(many.home / "out.jsonl")) == list(range(30))


def test_a_server_that_asks_for_a_pause_gets_it_and_no_row_is_lost(many: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(429, {"error": "slow down"}, headers={"retry-after-ms": "30"}, path="/api/chat", times=12)
    result = many(*MODEL, "--batch", "in.jsonl", "--out", "out.jsonl", "-j", "4")
    assert result.exit_code == 0, result.stderr
    assert sorted(row["index"] for row in lines(many.home / "out.jsonl")) == list(range(30))


def test_as_many_at_a_time_as_was_said(many: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.when(lambda seen: seen.path == "/api/chat", lambda seen: [gate, *said(seen, "well")])
    process = many.start(*MODEL, "--batch", "in.jsonl", "-j", "5")
    ollama.journal.wait_requests(5)
    gate.wait_reached()
    assert len(ollama.journal.of("/api/chat")) == 5
    gate.open()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
