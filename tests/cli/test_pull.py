"""`mmai pull`: progress for whoever looks, success only when it is one, and going on after a break."""

import json
import signal
from typing import Any

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import FakeOllama, Layer
from fakes.wall import CHUNKED, CLOSE, LAST_CHUNK, Gate, chunk, head
from screen import Screen

WEIGHTS, TEMPLATE = Layer("sha256:" + "ab" * 32, 270_000_000), Layer("sha256:" + "cd" * 32, 1_000)


@pytest.fixture
def library(on: Mmai, ollama: FakeOllama) -> Mmai:
    """The command beside a server whose library has `smollm2:135m`, of two files."""
    ollama.library.models["smollm2:135m"] = (WEIGHTS, TEMPLATE)
    return on


def pulling(*lines: dict[str, Any]) -> list[bytes]:
    return [head(200, CHUNKED), *(chunk(json.dumps(line).encode() + b"\n") for line in lines)]


def test_in_a_pipe_progress_is_plain_lines_on_stderr(library: Mmai) -> None:
    result = library("pull", "ollama:smollm2:135m")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "\x1b" not in result.stderr
    assert "\r" not in result.stderr
    lines = result.stderr.splitlines()
    assert lines[0] == "pulling manifest"
    assert "abababababab 270 MB done" in lines
    assert "cdcdcdcdcdcd 1 kB done" in lines
    assert lines[-1] == "ollama:smollm2:135m is ready: mmai run -m ollama:smollm2:135m PROMPT"


def test_a_pulled_model_is_known_and_answers(library: Mmai) -> None:
    library("pull", "smollm2:135m")
    assert library("models", "show", "smollm2", "--json").json["data"]["size_bytes"] == 270_001_000
    assert library("run", "-m", "smollm2:135m", "hi").stdout == "Hello there\n"


def test_on_a_terminal_each_file_has_a_bar(library: Mmai) -> None:
    with Screen(library, "pull", "smollm2:135m") as screen:
        assert screen.end() == 0
        last = screen.text.split("pulling manifest")[-1]
        for name in ("abababababab", "cdcdcdcdcdcd"):
            assert name in last
        assert "━" in last
        assert "270.0/270.0 MB" in last
        assert "is ready" in last
        assert screen.settings == screen.before


def test_a_dumb_terminal_gets_lines(library: Mmai) -> None:
    with Screen(library, "pull", "smollm2:135m", env={"TERM": "dumb"}) as screen:
        assert screen.end() == 0
        assert "\x1b" not in screen.text
        assert "abababababab 270 MB done" in screen.text


def test_quiet_says_nothing(library: Mmai, ollama: FakeOllama) -> None:
    assert library("pull", "-q", "smollm2:135m") == (0, "", "")
    assert "smollm2:135m" in ollama.models


def test_json_is_the_card(library: Mmai) -> None:
    result = library("pull", "smollm2:135m", "--json")
    assert (result.json["command"], result.json["status"]) == ("pull", "ok")
    assert result.json["data"]["model"] == "ollama:smollm2:135m"
    assert result.json["data"]["size_bytes"] == 270_001_000


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("smollm2:135m", "smollm2:135m"),
        ("ollama:smollm2:135m", "smollm2:135m"),
        ("hf.co/user/model:Q4_K_M", "hf.co/user/model:Q4_K_M"),
        ("ollama:hf.co/user/model:Q4_K_M", "hf.co/user/model:Q4_K_M"),
        ("glm-4.6:cloud", "glm-4.6:cloud"),
    ],
)
def test_the_name_reaches_the_server_as_it_is(library: Mmai, ollama: FakeOllama, typed: str, asked: str) -> None:
    ollama.library.models[asked] = (TEMPLATE,)
    result = library("pull", typed, "--json")
    assert ollama.journal.of("/api/pull")[0].model == asked
    assert result.json["data"]["model"] == f"ollama:{asked}"


def test_a_name_without_a_tag_is_the_latest(library: Mmai, ollama: FakeOllama) -> None:
    ollama.library.models["tiny:latest"] = (TEMPLATE,)
    assert library("pull", "tiny", "--json").json["data"]["model"] == "ollama:tiny:latest"


def test_what_is_there_already_is_no_error(library: Mmai, ollama: FakeOllama) -> None:
    library("pull", "smollm2:135m")
    assert library("pull", "smollm2:135m").exit_code == 0
    assert len(ollama.journal.of("/api/pull")) == 2


def test_an_unknown_model_ends_with_three(library: Mmai) -> None:
    result = library("pull", "nope", "--json")
    assert result.exit_code == 3
    assert (result.json["error"]["code"], result.json["error"]["exit_code"]) == ("unknown_model", 3)
    assert "`nope`" in result.json["error"]["message"]


@pytest.mark.parametrize("name", ["", "ollama:", " "])
def test_an_empty_name_is_not_sent(library: Mmai, ollama: FakeOllama, name: str) -> None:
    assert library("pull", name).exit_code == 2
    assert ollama.journal.paths == []


def test_a_provider_without_downloads_says_so(library: Mmai) -> None:
    result = library("pull", "builtin:textrank")
    assert result.exit_code == 2
    assert "`builtin` has nothing to download" in result.stderr


def test_a_server_that_is_down(mmai: Mmai) -> None:
    result = mmai("pull", "smollm2:135m")
    assert result.exit_code == 7
    assert "hint: ollama serve" in result.stderr


def test_an_error_in_the_middle_is_a_failure(library: Mmai, ollama: FakeOllama) -> None:
    file = {"status": "pulling", "digest": WEIGHTS.digest, "total": 100}
    lines = pulling({"status": "pulling manifest"}, {**file, "completed": 50}, {"error": "no space left on device"})
    ollama.says(*lines, LAST_CHUNK, path="/api/pull")
    result = library("pull", "smollm2:135m")
    assert result.exit_code == 8
    assert "no space left on device" in result.stderr
    assert "is ready" not in result.stderr


@pytest.mark.parametrize("end", [LAST_CHUNK, CLOSE])
def test_an_end_without_success_is_incomplete(library: Mmai, ollama: FakeOllama, end: Any) -> None:
    ollama.says(*pulling({"status": "pulling manifest"}, {"status": "writing manifest"}), end, path="/api/pull")
    result = library("pull", "smollm2:135m")
    assert result.exit_code == 9
    assert "is ready" not in result.stderr


def test_interrupted_it_goes_on_from_there(library: Mmai, ollama: FakeOllama) -> None:
    ollama.library.pauses[4] = Gate()
    process = library.start("pull", "smollm2:135m")
    ollama.library.pauses[4].wait_reached()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    ollama.journal.wait_hangups()
    assert "smollm2:135m" not in ollama.models
    there = ollama.library.completed[WEIGHTS.digest]
    assert 0 < there < WEIGHTS.size_bytes
    ollama.library.pauses.clear()
    assert library("pull", "smollm2:135m").exit_code == 0
    assert ollama.library.completed[WEIGHTS.digest] == WEIGHTS.size_bytes
    assert "smollm2:135m" in ollama.models


def test_ctrl_c_leaves_the_terminal_as_it_was(library: Mmai, ollama: FakeOllama) -> None:
    ollama.library.pauses[4] = Gate()
    with Screen(library, "pull", "smollm2:135m") as screen:
        ollama.library.pauses[4].wait_reached()
        screen.until("abababababab")
        screen.press("\x03")
        assert screen.end() == 130
        assert screen.settings == screen.before
        hidden, shown = screen.text.rfind("\x1b[?25l"), screen.text.rfind("\x1b[?25h")
        assert hidden < shown or hidden == -1
