"""On a terminal: what is drawn, what is not, and what is left behind."""

import re
import subprocess

import pytest
from command import Mmai
from fakes.ollama import FakeOllama
from fakes.wall import SILENCE, Gate
from screen import Screen

LLAMA = ("run", "-m", "ollama:llama3.2:3b")
MARKDOWN = "# Title\n\nSome **bold** words and `code`.\n\n- one\n- two\n"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]")
"""Every control sequence but colour."""


def test_markdown_is_rendered(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams(MARKDOWN)
    with Screen(on, *LLAMA, "hi") as screen:
        assert screen.end() == 0
        assert "**" not in screen.text
        assert "# Title" not in screen.text
        assert "bold" in screen.text
        assert COLOUR.search(screen.text)


def test_raw_is_as_it_came(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams(*MARKDOWN.splitlines(keepends=True))
    with Screen(on, *LLAMA, "--raw", "hi") as screen:
        assert screen.end() == 0
        assert screen.text.replace("\r\n", "\n") == MARKDOWN


def test_a_pipe_is_as_it_came_while_words_go_to_the_terminal(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams(MARKDOWN)
    with Screen(on, "run", "what is 2+2?", stdout=subprocess.PIPE) as screen:
        assert screen.process.stdout is not None
        assert screen.process.stdout.read().decode() == MARKDOWN
        assert screen.end() == 0
        assert "ollama:" in screen.text
        assert "Title" not in screen.text


@pytest.mark.parametrize(
    ("options", "env"),
    [(("--no-color",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"})],
    ids=["option", "NO_COLOR", "dumb"],
)
@pytest.mark.parametrize("words", [(*LLAMA, "hi"), ("discover",), ("models", "show", "qwen3:8b"), ("models", "show", "nope")])
def test_colour_can_be_refused(
    on: Mmai, ollama: FakeOllama, words: tuple[str, ...], options: tuple[str, ...], env: dict[str, str]
) -> None:
    ollama.streams(MARKDOWN)
    on("discover")
    with Screen(on, *words, *options, env=env) as screen:
        screen.end()
        assert screen.text
        assert not re.search(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|4[0-7])m", screen.text)


def test_a_dumb_terminal_gets_no_control_sequence_at_all(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams(MARKDOWN)
    for words in ((*LLAMA, "hi"), ("discover",), ("status",)):
        with Screen(on, *words, env={"TERM": "dumb"}) as screen:
            assert screen.end() == 0
            assert "\x1b" not in screen.text


def test_colour_is_there_unless_refused(on: Mmai) -> None:
    for words in (("discover",), ("status",), ("models", "show", "nope")):
        with Screen(on, *words) as screen:
            screen.end()
            assert COLOUR.search(screen.text)


@pytest.mark.parametrize("options", [(), ("--raw",), ("--no-stream",)])
def test_a_model_cannot_drive_the_terminal(on: Mmai, ollama: FakeOllama, options: tuple[str, ...]) -> None:
    ollama.streams("be", "\x1b]0;ti", "tle\x07fore \x1b[2J\x1b[1;1Hmid\x1b", "[31mdle \x9b5n\x08\x00after\rend\n")
    with Screen(on, *LLAMA, *options, "hi") as screen:
        assert screen.end() == 0
        for harm in ("\x1b]", "\x07", "\x1b[2J", "\x1b[1;1H", "\x1b[31m", "\x9b", "\x08", "\x00", "title"):
            assert harm not in screen.text
        shown = CONTROL.sub("", COLOUR.sub("", screen.text))
        for word in ("before", "middle", "after"):
            assert word in shown


def test_thinking_cannot_drive_the_terminal_either(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("4", thinking=["two \x1b]0;ti", "tle\x07and two\x1b[2J"])
    with Screen(on, "run", "-m", "ollama:qwen3:8b", "hi") as screen:
        assert screen.end() == 0
        assert "\x1b]" not in screen.text
        assert "\x1b[2J" not in screen.text
        assert "two and two" in COLOUR.sub("", screen.text)


def test_a_servers_own_words_cannot_drive_the_terminal(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(500, {"error": "sorry \x1b]0;title\x07"})
    ollama.add("evil\x1b[2J:1b")
    with Screen(on, *LLAMA, "hi") as screen:
        assert screen.end() == 8
        assert "\x1b]" not in screen.text
    with Screen(on, "discover") as screen:
        assert screen.end() == 0
        assert "\x1b[2J" not in screen.text


def test_a_pipe_gets_every_byte(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("a\x1b[31mb\x07")
    assert on(*LLAMA, "hi").stdout == "a\x1b[31mb\x07\n"


def test_a_sign_of_life_turns_while_waiting_and_is_cleared(on: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams(gate, "Hello")
    with Screen(on, *LLAMA, "hi", stdout=subprocess.PIPE) as screen:
        screen.until("ollama:llama3.2:3b")
        gate.open()
        assert screen.end() == 0
        assert screen.process.stdout is not None
        assert screen.process.stdout.read() == b"Hello\n"
        assert screen.text.endswith("\r\x1b[2K")


@pytest.mark.parametrize("options", [("-q",), ("--json",), ("-o", "jsonl")])
def test_no_sign_of_life_where_nobody_wants_one(on: Mmai, ollama: FakeOllama, options: tuple[str, ...]) -> None:
    with Screen(on, *LLAMA, *options, "hi", stdout=subprocess.PIPE) as screen:
        assert screen.end() == 0
        assert screen.text == ""


@pytest.mark.parametrize("pieces", [(SILENCE,), ("Hel", SILENCE), ("# Hel\n\nlo **wor", SILENCE)])
def test_ctrl_c_leaves_the_terminal_as_it_was(on: Mmai, ollama: FakeOllama, pieces: tuple[object, ...]) -> None:
    ollama.streams(*pieces, done=False)  # type: ignore[arg-type]
    with Screen(on, *LLAMA, "hi") as screen:
        screen.until("Hel" if len(pieces) > 1 else "llama3.2:3b")
        screen.press("\x03")
        assert screen.end() == 130
        assert screen.settings == screen.before
        assert screen.text.rfind("\x1b[?25l") <= screen.text.rfind("\x1b[?25h")
        assert "Traceback" not in screen.text
        assert "interrupted" in screen.text.splitlines()[-1]
    ollama.journal.wait_hangups()


def test_no_prompt_on_a_terminal_is_a_usage_error(on: Mmai, ollama: FakeOllama) -> None:
    with Screen(on, *LLAMA) as screen:
        assert screen.end() == 2
        assert "there is no prompt" in screen.text
    assert ollama.journal.paths == []


def test_a_dash_reads_the_terminal_until_ctrl_d(on: Mmai, ollama: FakeOllama) -> None:
    with Screen(on, *LLAMA, "-") as screen:
        screen.press("two\nlines\n\x04")
        assert screen.end() == 0
    assert ollama.journal.of("/api/chat")[0].json["messages"] == [{"role": "user", "content": "two\nlines"}]


def test_a_prompt_that_was_typed_does_not_wait_for_the_terminal(on: Mmai) -> None:
    with Screen(on, *LLAMA, "hi") as screen:
        assert screen.end() == 0
        assert "Hello there" in screen.text


def test_a_table_fits_the_screen(on: Mmai, ollama: FakeOllama) -> None:
    ollama.add("hf.co/somebody/a-model-with-a-very-long-name-GGUF:Q4_K_M")
    with Screen(on, "discover") as screen:
        assert screen.end() == 0
        for line in screen.text.splitlines():
            assert len(COLOUR.sub("", line)) <= 80
