"""`mmai run --batch` when things go wrong: no prompt is lost, none that is answered is asked again, and no file is harmed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pytest
from command import PATIENCE_S, Mmai, Result
from fakes.ollama import Answer, FakeOllama, usual_models
from fakes.wall import RESET, SILENCE, Gate, Script, Seen, whole
from hypothesis import strategies as st

from mmai import files
from mmai.cli.many import WINDOW
from mmai.engine.many_out import AnswersFile

MODEL = "ollama:llama3.2:3b"
BATCH = ("run", "-m", MODEL, "--batch", "in.jsonl")
TO_FILE = (*BATCH, "--out", "out.jsonl")


def prompt_of(seen: Seen) -> str:
    return str(seen.json["messages"][-1]["content"])


class Echo:
    """Answers every prompt with itself; what stands in `instead` is said to a prompt in its place, and `held` ones wait."""

    def __init__(self, ollama: FakeOllama) -> None:
        self.ollama = ollama
        self.instead: Callable[[str, int], Script | None] = lambda prompt, times: None
        self._times: Counter[str] = Counter()
        ollama.when(lambda seen: seen.path == "/api/chat", self._say)

    def _say(self, seen: Seen) -> Script:
        prompt = prompt_of(seen)
        self._times[prompt] += 1
        script = self.instead(prompt, self._times[prompt])
        return Answer([f"re: {prompt}"]).script(seen) if script is None else script

    @property
    def asked(self) -> Counter[str]:
        """How often each prompt came."""
        return Counter(map(prompt_of, self.ollama.journal.of("/api/chat")))


@pytest.fixture
def echo(ollama: FakeOllama) -> Echo:
    return Echo(ollama)


def rows(mmai: Mmai, count: int) -> list[str]:
    """`in.jsonl` with so many prompts; what they are."""
    prompts = [f"prompt {number}" for number in range(count)]
    (mmai.home / "in.jsonl").write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts))
    return prompts


def out(mmai: Mmai) -> list[Any]:
    """Every line of `out.jsonl`, each of which must be whole."""
    text = (mmai.home / "out.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def texts(mmai: Mmai) -> list[str]:
    """The texts in `out.jsonl` by index, where each index must stand once."""
    lines = sorted(out(mmai), key=lambda line: line["index"])
    assert [line["index"] for line in lines] == list(range(len(lines)))
    return [line["text"] for line in lines]


def echoes(prompts: Sequence[str]) -> list[str]:
    return [f"re: {prompt}" for prompt in prompts]


def wait_for(happened: Callable[[], bool], what: str) -> None:
    """Look again and again, until it did."""
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until, f"waited in vain for {what}"
        threading.Event().wait(0.002)


def wait_lines(mmai: Mmai, count: int) -> None:
    path = mmai.home / "out.jsonl"
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, f"{count} lines in {path}")


def ended(process: subprocess.Popen[bytes]) -> Result:
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    return Result(process.returncode, stdout.decode(), stderr.decode())


def hold_from(echo: Echo, prompts: Sequence[str]) -> Gate:
    """These wait at the gate."""
    gate, held = Gate(), frozenset(prompts)

    def instead(prompt: str, times: int) -> Script | None:
        return behind(gate, prompt) if prompt in held else None

    echo.instead = instead
    return gate


def behind(gate: Gate, prompt: str) -> Script:
    yield gate
    yield whole(200, {"message": {"role": "assistant", "content": f"re: {prompt}"}, "done": True, "done_reason": "stop"})


# Killed


def test_after_kill_9_only_what_was_under_way_is_asked_twice(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 100)
    gate = hold_from(echo, prompts[60:])
    process = on.start(*TO_FILE, "-j", "4")
    wait_lines(on, 60)
    ollama.journal.wait_requests(64)
    process.kill()
    ended(process)
    assert len(out(on)) == 60
    gate.open()
    assert on(*TO_FILE, "-j", "4").exit_code == 0
    assert texts(on) == echoes(prompts)
    twice = sorted(prompt for prompt, times in echo.asked.items() if times > 1)
    assert twice == sorted(prompts[60:64])
    assert echo.asked.total() == 104


def test_killed_again_and_again_it_still_comes_to_the_end(on: Mmai, echo: Echo) -> None:
    prompts, kills = rows(on, 400), 0
    for goal in range(60, 360, 60):
        process = on.start(*TO_FILE, "-j", "8")
        wait_lines(on, goal)
        process.kill()
        ended(process)
        kills += 1
    assert on(*TO_FILE, "-j", "8").exit_code == 0
    assert texts(on) == echoes(prompts)
    # Of each life, no more than the eight calls at a time, and those that are answered but not written yet.
    assert echo.asked.total() <= 400 + kills * 16


def test_what_a_killed_one_left_is_put_in_order_too(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 40)
    gate = hold_from(echo, prompts[:2])
    process = on.start(*TO_FILE, "--ordered", "-j", "4")
    wait_lines(on, 38)
    process.kill()
    ended(process)
    gate.open()
    assert on(*TO_FILE, "--ordered", "-j", "4").exit_code == 0
    assert [line["text"] for line in out(on)] == echoes(prompts)


def test_a_finished_batch_is_not_asked_again(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 5)
    assert on(*TO_FILE).exit_code == 0
    before = (on.home / "out.jsonl").read_bytes()
    result = on(*TO_FILE)
    assert result.exit_code == 0
    assert echo.asked == Counter(prompts)
    assert (on.home / "out.jsonl").read_bytes() == before


@pytest.mark.parametrize("left", [1, 9, 40, -2, -1])
def test_a_torn_last_line_is_asked_again(on: Mmai, echo: Echo, left: int) -> None:
    prompts = rows(on, 5)
    on(*TO_FILE, "-j", "1")
    path = on.home / "out.jsonl"
    whole_lines, last = path.read_bytes().splitlines(keepends=True)[:-1], path.read_bytes().splitlines(keepends=True)[-1]
    path.write_bytes(b"".join(whole_lines) + last[:left])
    assert on(*TO_FILE).exit_code == 0
    assert texts(on) == echoes(prompts)
    assert echo.asked[prompts[4]] <= 2
    assert echo.asked.total() == 5 + echo.asked[prompts[4]] - 1


def test_rows_added_to_the_file_are_all_that_is_asked(on: Mmai, echo: Echo) -> None:
    rows(on, 3)
    on(*TO_FILE)
    prompts = rows(on, 5)
    assert on(*TO_FILE).exit_code == 0
    assert echo.asked == Counter(prompts)
    assert texts(on) == echoes(prompts)


def an_answer(index: int) -> bytes:
    """One line of a file of answers."""
    line = {"id": None, "index": index, "text": "é", "error": None, "key": f"{index + 1:016x}"}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@hypothesis.given(st.integers(0, 8), st.data())
def test_wherever_a_file_of_answers_is_cut_the_whole_ones_stay(count: int, data: st.DataObject) -> None:
    # Without the command, which takes a second: every place of a cut is a case of its own.
    text = b"".join(map(an_answer, range(count)))
    cut = text[: data.draw(st.integers(0, len(text)))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        path.write_bytes(cut)
        with AnswersFile(path) as file:
            there = cut.count(b"\n")
            assert [file.has(index, index + 1) for index in range(count)] == [index < there for index in range(count)]
            file.add(an_answer(there))
        assert path.read_bytes() == b"".join(map(an_answer, range(there + 1)))


# Files that are not ours


@pytest.mark.parametrize(
    "content",
    [
        b"my diary, a page of which has no line end",
        b"my diary\n",
        b'{"id": 1, "precious": true}',
        b'{"id": 1, "precious": true}\n',
        b"\x89PNG\r\n\x1a\n\0\0\0",
        b'{"id":1,"precious":true}',
        b'[{"index": 0}]',
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(on: Mmai, echo: Echo, content: bytes) -> None:
    rows(on, 3)
    path = on.home / "out.jsonl"
    path.write_bytes(content)
    result = on(*TO_FILE)
    assert path.read_bytes() == content
    assert result.exit_code == 2
    assert "`out.jsonl`" in result.stderr
    assert "--out" in result.stderr
    assert echo.asked.total() == 0


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_prompts_are_never_written_over(on: Mmai, echo: Echo, end: str) -> None:
    text = '{"prompt": "a", "id": 1}' + end
    (on.home / "in.jsonl").write_text(text)
    result = on(*BATCH, "--out", "in.jsonl")
    assert (on.home / "in.jsonl").read_text() == text
    assert result.exit_code == 2
    assert echo.asked.total() == 0


@pytest.mark.parametrize(
    "change",
    [("-s", "Be brief."), ("-m", "ollama:qwen3:8b"), ("-t", "0.5"), ("--max-tokens", "7")],
    ids=lambda change: change[0],
)
def test_answers_to_another_question_are_not_mixed_with_these(on: Mmai, echo: Echo, change: tuple[str, ...]) -> None:
    rows(on, 3)
    assert on(*TO_FILE).exit_code == 0
    before = (on.home / "out.jsonl").read_bytes()
    result = on(*TO_FILE, *change)
    assert result.exit_code == 2
    assert "`out.jsonl` holds other answers" in result.stderr
    assert (on.home / "out.jsonl").read_bytes() == before
    assert echo.asked.total() == 3


def test_a_prompt_that_changed_is_noticed(on: Mmai, echo: Echo) -> None:
    rows(on, 3)
    on(*TO_FILE)
    (on.home / "in.jsonl").write_text('"prompt 0"\n"another"\n"prompt 2"\n')
    assert on(*TO_FILE).exit_code == 2
    assert echo.asked["another"] == 0


def test_the_mode_of_the_file_stays_when_failed_rows_are_asked_again(on: Mmai, echo: Echo) -> None:
    rows(on, 3)
    echo.instead = lambda prompt, times: [whole(400, {"error": "no"})] if prompt == "prompt 1" else None
    assert on(*TO_FILE).exit_code == 8
    path = on.home / "out.jsonl"
    path.chmod(0o600)
    echo.instead = lambda prompt, times: None
    assert on(*TO_FILE, "--ordered").exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_keeps_pointing_where_it_did(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 3)
    (on.home / "real.jsonl").touch()
    (on.home / "out.jsonl").symlink_to("real.jsonl")
    echo.instead = lambda prompt, times: [whole(400, {"error": "no"})] if (prompt, times) == ("prompt 1", 1) else None
    on(*TO_FILE)
    assert on(*TO_FILE, "--ordered").exit_code == 0
    assert (on.home / "out.jsonl").is_symlink()
    assert texts(on) == echoes(prompts)


def test_a_folder_is_no_place_for_answers(on: Mmai, echo: Echo) -> None:
    rows(on, 1)
    result = on(*BATCH, "--out", ".")
    assert result.exit_code == 2
    assert echo.asked.total() == 0


@pytest.mark.parametrize("place", ["/dev/full", "/dev/null", "pipe"])
def test_what_is_no_file_does_not_hang(on: Mmai, echo: Echo, place: str) -> None:
    rows(on, 1)
    os.mkfifo(on.home / "pipe")
    if place.startswith("/") and not Path(place).exists():
        pytest.skip(f"there is no {place} here")
    result = on(*BATCH, "--out", place)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert echo.asked.total() == 0


# Two at once


def test_a_second_one_on_the_same_file_is_refused(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 6)
    gate = hold_from(echo, prompts[3:])
    first = on.start(*TO_FILE, "-j", "2")
    wait_lines(on, 3)
    second = on(*TO_FILE, "-j", "2")
    assert second.exit_code == 2
    assert "another `mmai run --batch` is writing to `out.jsonl`" in second.stderr
    gate.open()
    assert ended(first).exit_code == 0
    assert echo.asked == Counter(prompts)
    assert texts(on) == echoes(prompts)


def test_of_many_that_begin_at_once_none_asks_what_another_asked(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 30)
    for _ in range(3):
        # Failed rows are taken away as each begins, which puts another file in place of this one.
        echo.instead = lambda prompt, times: [whole(400, {"error": "no"})] if prompt == "prompt 7" else None
        on(*TO_FILE)
        echo.instead = lambda prompt, times: None
        results = [ended(process) for process in [on.start(*TO_FILE) for _ in range(4)]]
        assert {result.exit_code for result in results} <= {0, 2}
        assert 0 in {result.exit_code for result in results}
        assert texts(on) == echoes(prompts)
        assert echo.asked["prompt 7"] == 2
        assert {times for prompt, times in echo.asked.items() if prompt != "prompt 7"} == {1}
        (on.home / "out.jsonl").unlink()
        echo.ollama.journal.requests.clear()


def test_a_file_that_is_replaced_while_it_is_opened_is_not_written_into_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reaches inside: between opening and locking a file there is no other place to stand.
    path = tmp_path / "out.jsonl"
    path.touch()
    lock = files.try_lock

    def replaced_first(descriptor: int) -> bool:
        if not path.stat().st_size:
            files.replace(path, an_answer(0))
        return lock(descriptor)

    monkeypatch.setattr(files, "try_lock", replaced_first)
    with AnswersFile(path) as file:
        assert file.has(0, 1)
        file.add(an_answer(1))
    assert path.read_bytes() == an_answer(0) + an_answer(1)


# Full


def limited(mmai: Mmai, kilobytes: int, *args: str) -> Result:
    """With no file larger than that."""
    script = (
        "import os, resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes} * 1024, {kilobytes} * 1024))\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *mmai.command, *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=mmai.env,
        cwd=mmai.cwd,
        timeout=PATIENCE_S,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("log", [(), ("--no-log",)], ids=["history", "no history"])
def test_a_full_disk_stops_with_whole_lines_and_is_gone_on_with(on: Mmai, echo: Echo, log: tuple[str, ...]) -> None:
    prompts = rows(on, 400)
    result = limited(on, 70, *TO_FILE, "-j", "4", *log)
    assert result.exit_code == 1
    assert "cannot write `out.jsonl`: File too large" in result.stderr
    assert "Traceback" not in result.stderr
    there = len(out(on))
    assert 0 < there < 400
    # All that was begun is what stands there, what was under way, and what was answered when there was no room left.
    assert echo.asked.total() <= there + 9
    assert on(*TO_FILE, *log).exit_code == 0
    assert texts(on) == echoes(prompts)


def test_without_room_for_a_second_copy_the_answers_are_there_but_not_in_order(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 400)
    on(*TO_FILE, "--no-log")
    path = on.home / "out.jsonl"
    backwards = b"".join(reversed(path.read_bytes().splitlines(keepends=True)))
    path.write_bytes(backwards)
    result = limited(on, 70, *TO_FILE, "--ordered", "--no-log")
    assert result.exit_code == 1
    assert "`out.jsonl` cannot be sorted: File too large" in result.stderr
    assert path.read_bytes() == backwards
    assert not list(on.home.glob(".out.jsonl.*"))
    assert on(*TO_FILE, "--ordered").exit_code == 0
    assert [line["text"] for line in out(on)] == echoes(prompts)


# Interrupted


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_batch_keeps_what_is_answered_and_says_how_to_go_on(
    on: Mmai, echo: Echo, ollama: FakeOllama, number: signal.Signals, exit_code: int
) -> None:
    prompts = rows(on, 20)
    gate = hold_from(echo, prompts[12:])
    process = on.start(*TO_FILE, "-j", "4")
    wait_lines(on, 12)
    ollama.journal.wait_requests(16)
    process.send_signal(number)
    result = ended(process)
    assert result.exit_code == exit_code
    assert "12 rows answered in out.jsonl; the same command goes on from there" in result.stderr
    assert "Traceback" not in result.stderr
    ollama.journal.wait_hangups(4)
    assert sorted(line["index"] for line in out(on)) == list(range(12))
    gate.open()
    assert on(*TO_FILE).exit_code == 0
    assert texts(on) == echoes(prompts)


def test_ctrl_c_while_standard_input_says_nothing(on: Mmai, echo: Echo) -> None:
    process = on.start("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b'{"prompt": "a"}\n')
    process.stdin.flush()
    wait_lines(on, 1)
    process.send_signal(signal.SIGINT)
    # Nobody closes the pipe: it ends all the same.
    assert process.wait(PATIENCE_S) == 130
    result = ended(process)
    assert "Fatal" not in result.stderr
    assert "Traceback" not in result.stderr
    assert texts(on) == ["re: a"]


def test_ctrl_c_while_much_is_read_is_quiet(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 2000)
    hold_from(echo, prompts[20:])
    with (on.home / "in.jsonl").open("rb") as handle:
        process = on.start("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", "-j", "4", stdin=handle.fileno())
        wait_lines(on, 20)
        process.send_signal(signal.SIGINT)
        result = ended(process)
    assert result.exit_code == 130
    for bad in ("Traceback", "Fatal", "never awaited", "Exception in thread"):
        assert bad not in result.stderr
    assert texts(on) == echoes(prompts[:20])


def test_a_reader_that_leaves_ends_it(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    rows(on, 500)
    process = on.start(*BATCH, "-j", "4")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 141
    assert first["text"].startswith("re: prompt ")
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert echo.asked.total() < 500


# Servers


@pytest.mark.parametrize("headers", [{"Retry-After": "0"}, {"retry-after-ms": "20"}], ids=["now", "soon"])
def test_a_storm_of_429_fails_no_row(on: Mmai, echo: Echo, headers: dict[str, str]) -> None:
    prompts = rows(on, 60)
    echo.instead = lambda prompt, times: [whole(429, {"error": "slow down"}, headers)] if times == 1 else None
    result = on(*TO_FILE, "-j", "8")
    assert result.exit_code == 0, result.stderr
    assert texts(on) == echoes(prompts)
    assert set(echo.asked.values()) == {2}
    assert {tuple(attempt["class"] for attempt in line["attempts"]) for line in out(on)} == {("rate_limited", None)}


def test_a_storm_of_429_that_says_no_time_fails_no_row(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 60)
    ollama.answers(429, {"error": "slow down"}, path="/api/chat", times=10)
    result = on(*TO_FILE, "-j", "8")
    assert result.exit_code == 0, result.stderr
    assert texts(on) == echoes(prompts)
    assert echo.asked.total() == 70


def test_a_server_that_says_429_for_ever_is_not_asked_as_fast_as_it_answers(on: Mmai, echo: Echo) -> None:
    rows(on, 4)
    echo.instead = lambda prompt, times: [whole(429, {"error": "slow down"}, {"Retry-After": "0"})]
    result = on(*TO_FILE, "-j", "2", "--timeout", "1")
    assert result.exit_code == 5
    assert echo.asked.total() < 100


def test_a_server_that_dies_and_comes_back_gets_the_rest(on: Mmai) -> None:
    prompts = rows(on, 60)
    with FakeOllama(*usual_models()) as first:
        echo = Echo(first)
        on.env["OLLAMA_HOST"] = first.url
        hold_from(echo, prompts[30:])
        process = on.start(*TO_FILE, "-j", "4")
        wait_lines(on, 30)
        first.journal.wait_requests(34)
        port = first.port
    with FakeOllama(*usual_models(), port=port) as second:
        again = Echo(second)
        ended(process)
        assert on(*TO_FILE, "-j", "4").exit_code == 0
        assert texts(on) == echoes(prompts)
        assert set(again.asked) == set(prompts[30:])


def test_a_dead_server_is_not_asked_for_every_row(on: Mmai, nowhere: str) -> None:
    rows(on, 300)
    on.env["OLLAMA_HOST"] = nowhere
    result = on(*TO_FILE, "-j", "4", "--timeout", "1")
    assert result.exit_code == 7
    assert "Traceback" not in result.stderr
    assert {line["error"]["code"] for line in out(on)} == {"cannot_connect"}


def test_each_fault_stands_in_its_row_and_no_other(on: Mmai, echo: Echo) -> None:
    faults: dict[str, tuple[Script, str]] = {
        "prompt 3": ([whole(400, {"error": "never"})], "invalid_request"),
        "prompt 8": ([whole(200, b"<html>hello</html>")], "protocol"),
        "prompt 11": ([RESET], "cannot_connect"),
    }
    prompts = rows(on, 20)
    echo.instead = lambda prompt, times: faults[prompt][0] if prompt in faults else None
    result = on(*TO_FILE, "-j", "4")
    assert result.exit_code != 0
    lines = {line["index"]: line for line in out(on)}
    assert sorted(lines) == list(range(20))
    failed = {f"prompt {index}" for index, line in lines.items() if line["error"]}
    assert failed == set(faults)
    echo.instead = lambda prompt, times: None
    assert on(*TO_FILE).exit_code == 0
    assert texts(on) == echoes(prompts)
    answered = {prompt for prompt in prompts if prompt not in faults}
    assert {echo.asked[prompt] for prompt in answered} == {1}


def test_a_row_that_hangs_holds_up_no_other(on: Mmai, echo: Echo) -> None:
    rows(on, 40)
    echo.instead = lambda prompt, times: [SILENCE] if prompt == "prompt 0" else None
    result = on(*TO_FILE, "-j", "4", "--timeout", "1")
    assert result.exit_code == 6
    lines = {line["index"]: line for line in out(on)}
    assert [index for index, line in lines.items() if line["error"]] == [0]
    assert lines[0]["error"]["code"] == "timeout"


def test_what_came_before_a_cut_stays_beside_its_error(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 3)
    cut = Answer(["half a", RESET])

    def say(seen: Seen) -> Script:
        return cut.script(seen)

    echo.ollama.when(lambda seen: seen.path == "/api/chat" and prompt_of(seen) == "prompt 1", say, times=1)
    assert on(*TO_FILE).exit_code == 9
    line = next(line for line in out(on) if line["index"] == 1)
    assert (line["text"], line["error"]["code"]) == ("half a", "incomplete")
    assert on(*TO_FILE).exit_code == 0
    assert texts(on) == echoes(prompts)


# Many


def test_five_thousand_rows_share_a_few_connections(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 5000)
    process = on.start(*TO_FILE, "-j", "8", "--ordered")
    wait_lines(on, 1000)
    early = open_files(process.pid)
    wait_lines(on, 4500)
    late = open_files(process.pid)
    result = ended(process)
    assert result.exit_code == 0
    assert [line["text"] for line in out(on)] == echoes(prompts)
    assert echo.asked == Counter(prompts)
    assert ollama.journal.connections <= 10
    assert late <= early + 2


def test_in_order_on_standard_output_no_more_than_a_window_waits_for_one_row(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    prompts = rows(on, 1300)
    gate = hold_from(echo, prompts[:1])
    process = on.start(*BATCH, "--ordered", "-j", "4")
    ollama.journal.wait_requests(WINDOW)
    assert set(echo.asked) == set(prompts[:WINDOW])
    gate.open()
    result = ended(process)
    assert result.exit_code == 0
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == echoes(prompts)
    assert echo.asked == Counter(prompts)


def open_files(pid: int) -> int:
    """How many descriptors a process has; 0 where the system does not tell."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def test_prompts_are_asked_as_they_come_and_not_read_ahead_without_end(on: Mmai, echo: Echo, ollama: FakeOllama) -> None:
    hold_from(echo, [f"prompt {number}" for number in range(4)])
    process = on.start("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", "-j", "4", stdin=subprocess.PIPE)
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    line = json.dumps({"prompt": "p", "own": "x" * 100_000}).encode() + b"\n"
    first = b"".join(json.dumps({"prompt": f"prompt {number}"}).encode() + b"\n" for number in range(4))
    os.write(process.stdin.fileno(), first)
    ollama.journal.wait_requests(4)
    taken = taken_until_full(process.stdin.fileno(), line)
    process.kill()
    process.stdin.close()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    assert taken < 100 * len(line)


def taken_until_full(descriptor: int, line: bytes) -> int:
    """How many bytes are taken by a pipe whose reader has stopped reading."""
    taken, quiet = 0, 0
    while quiet < 100 and taken < 200 * len(line):
        try:
            # Whole lines do not matter: whoever reads them never comes to the end of one.
            taken += os.write(descriptor, line[taken % len(line) :])
            quiet = 0
        except BlockingIOError:
            quiet += 1
            threading.Event().wait(0.005)
    return taken


# Tables


def table(mmai: Mmai, content: bytes, *more: str, template: str = "{city}") -> Result:
    (mmai.home / "in.csv").write_bytes(content)
    return mmai("run", "-m", MODEL, template, "--batch", "in.csv", "--out", "out.jsonl", "-j", "1", *more)


@pytest.mark.parametrize(
    ("content", "cities"),
    [
        (b"city\nBonn\nKiel\n", ["Bonn", "Kiel"]),
        (b"\xef\xbb\xbfcity\r\nBonn\r\nKiel", ["Bonn", "Kiel"]),
        (b'\xef\xbb\xbf"city"\nBonn\n', ["Bonn"]),
        (b'city,n\n"Bonn, Kiel",1\n"a ""b"" c",2\n', ["Bonn, Kiel", 'a "b" c']),
        (b'city\n"two\nlines"\n"and\r\nthree"\n', ["two\nlines", "and\r\nthree"]),
        (b"city\n\nBonn\n\n\nKiel\n\n", ["Bonn", "Kiel"]),
        (b"city\rBonn\rKiel\r", ["Bonn", "Kiel"]),
        ("city\nKöln\n北京\n".encode(), ["Köln", "北京"]),
        (b"city,other\nBonn,\n", ["Bonn"]),
        (b'city\n"{not a place}"\n', ["{not a place}"]),
        (b"city\n" + b"x" * 200_000 + b"\n", ["x" * 200_000]),
        ("city\na\u2028b\n".encode(), ["a\u2028b"]),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, bytes) else "",
)
def test_a_table_is_read_as_spreadsheets_write_it(on: Mmai, echo: Echo, content: bytes, cities: list[str]) -> None:
    result = table(on, content)
    assert result.exit_code == 0, result.stderr
    assert [prompt_of(seen) for seen in echo.ollama.journal.of("/api/chat")] == cities
    assert [line["index"] for line in out(on)] == list(range(len(cities)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "`in.csv`"),
        (b"city\n", "no prompts in `in.csv`"),
        (b"city,city\nBonn,Kiel\n", "`in.csv` needs a first line that names each column once"),
        (b"city\nBonn\nKiel,1\n", "line 3 of `in.csv` has 2 cells, and its header 1"),
        (b"city,n\nBonn,1\nKiel\n", "line 3 of `in.csv` has 1 cells, and its header 2"),
        (b"town\nBonn\n", "has no field `city`; its fields are `town`"),
        (b'city\nBonn\n"Kiel\n', "of `in.csv` is no CSV"),
        ("city\nKöln\n".encode("latin-1"), "`in.csv` is no UTF-8"),
        ("city\nBonn\n".encode("utf-16"), "`in.csv` is no UTF-8"),
        (b"city,text\nBonn,1\n", "has a field `text`"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, bytes) else "",
)
def test_a_table_that_is_none_is_refused_before_anything_is_sent(on: Mmai, echo: Echo, content: bytes, said: str) -> None:
    result = table(on, content)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert echo.asked.total() == 0


def test_a_late_line_without_the_field_stops_it_before_the_first_is_sent(on: Mmai, echo: Echo) -> None:
    lines = [json.dumps({"city": f"city {number}"}) for number in range(2000)] + ['{"town": "Bonn"}']
    (on.home / "in.jsonl").write_text("\n".join(lines))
    result = on("run", "-m", MODEL, "The river of {city}?", "--batch", "in.jsonl", "--out", "out.jsonl")
    assert result.exit_code == 2
    assert "line 2001 of `in.jsonl` has no field `city`; its fields are `town`" in result.stderr
    assert echo.asked.total() == 0
    assert not (on.home / "out.jsonl").exists()


def test_a_bad_line_of_a_stream_leaves_what_is_answered(on: Mmai, echo: Echo) -> None:
    result = on("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", "-j", "1", stdin=b'"a"\n"b"\n{bad\n"c"\n')
    assert result.exit_code == 2
    assert "line 3 of `standard input` is not JSON" in result.stderr
    assert "Traceback" not in result.stderr
    assert echo.asked["c"] == 0
    assert set(texts(on)) <= {"re: a", "re: b"}


def test_the_same_prompt_twice_is_two_rows(on: Mmai, echo: Echo) -> None:
    (on.home / "in.jsonl").write_text('"a"\n"a"\n')
    assert on(*TO_FILE).exit_code == 0
    assert texts(on) == ["re: a", "re: a"]
    assert on(*TO_FILE).exit_code == 0
    assert echo.asked == Counter({"a": 2})


def test_standard_input_is_gone_on_with_too(on: Mmai, echo: Echo) -> None:
    lines = b'"a"\n"b"\n"c"\n'
    first = on("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", stdin=lines[:8])
    again = on("run", "-m", MODEL, "--batch", "-", "--out", "out.jsonl", stdin=lines)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert texts(on) == ["re: a", "re: b", "re: c"]
    assert echo.asked == Counter("abc")


# What the reading and writing of a shell can do


def test_ctrl_c_while_a_named_pipe_says_nothing(on: Mmai, echo: Echo) -> None:
    os.mkfifo(on.home / "pipe.jsonl")
    process = on.start("run", "-m", MODEL, "--batch", "pipe.jsonl", "--out", "out.jsonl")
    with (on.home / "pipe.jsonl").open("wb", buffering=0) as pipe:
        pipe.write(b'"a"\n')
        wait_lines(on, 1)
        process.send_signal(signal.SIGINT)
        result = ended(process)
    assert result.exit_code == 130
    assert "Traceback" not in result.stderr
    assert texts(on) == ["re: a"]


def shell(mmai: Mmai, script: str, *args: str) -> Result:
    """`"$@"` of the script is the command."""
    done = subprocess.run(
        ["sh", "-c", script, "sh", *mmai.command, *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=mmai.env,
        cwd=mmai.cwd,
        timeout=PATIENCE_S,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_closed_standard_input_holds_no_prompts(on: Mmai, echo: Echo) -> None:
    result = shell(on, 'exec "$@" <&-', "run", "-m", MODEL, "--batch", "-")
    assert result.exit_code == 2
    assert "standard input" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_standard_output_ends_it(on: Mmai, echo: Echo) -> None:
    rows(on, 200)
    result = shell(on, '"$@" > /dev/full', *BATCH, "-j", "2")
    assert result.exit_code == 1
    assert "standard output" in result.stderr
    assert "No space left on device" in result.stderr
    assert echo.asked.total() < 20


def test_answers_do_not_need_a_standard_error(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 20)
    result = shell(on, '"$@" 2>&-', *TO_FILE)
    assert result.exit_code == 0
    assert texts(on) == echoes(prompts)


def test_more_calls_at_a_time_than_descriptors_lose_no_row(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 300)
    result = shell(on, 'ulimit -n 64; exec "$@"', *TO_FILE, "-j", "200")
    assert result.exit_code == 0, result.stderr
    assert "this shell allows 64 open files" in result.stderr
    assert texts(on) == echoes(prompts)


def test_half_a_character_in_an_answer_harms_no_other_row(on: Mmai, echo: Echo) -> None:
    prompts = rows(on, 10)
    half = b'{"message":{"role":"assistant","content":"\\ud83d"},"done":true,"done_reason":"stop"}\n'
    echo.instead = lambda prompt, times: [whole(200, half)] if prompt == "prompt 4" else None
    on(*TO_FILE, "-j", "1")
    lines = {line["index"]: line for line in out(on)}
    assert sorted(lines) == list(range(10))
    assert [lines[index]["text"] for index in range(10) if index != 4] == echoes([p for p in prompts if p != "prompt 4"])


def test_what_a_killed_one_had_begun_to_rewrite_is_taken_away(on: Mmai, echo: Echo) -> None:
    rows(on, 2)
    (on.home / ".out.jsonl.0123456789ab.tmp").write_text("half a copy")
    assert on(*TO_FILE).exit_code == 0
    assert not list(on.home.glob(".out.jsonl.*"))


def test_a_new_file_is_as_readable_as_the_shell_would_make_it(on: Mmai, echo: Echo) -> None:
    rows(on, 1)
    assert shell(on, 'umask 077; exec "$@"', *TO_FILE).exit_code == 0
    assert (on.home / "out.jsonl").stat().st_mode & 0o777 == 0o600
