"""`mmai chat`: one question after another, on a terminal and from a pipe."""

import pytest
from command import Mmai
from fakes.ollama import FakeOllama
from fakes.wall import Gate
from screen import Screen

EDITING = "\x1b[?2004h"
"""What the editor tells the terminal when it waits for a message."""

QWEN = ("chat", "-m", "ollama:qwen3:8b")


def sent(server: FakeOllama) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in server.journal.of("/api/chat")[-1].json["messages"]]


def test_every_line_of_a_pipe_is_a_question(talking: Mmai, ollama: FakeOllama) -> None:
    result = talking(*QWEN, "-s", "Be brief.", stdin=b"one\n\ntwo\n//three\n")
    assert (result.exit_code, result.stdout) == (0, "2: one\n4: two\n6: /three\n")
    assert sent(ollama)[:2] == [("system", "Be brief."), ("user", "one")]


def test_the_model_changes_and_what_was_said_goes_along(talking: Mmai, ollama: FakeOllama) -> None:
    result = talking(*QWEN, stdin=b"one\n/model ollama:gemma3:4b\ntwo\n/model\n")
    assert result.stdout == "1: one\n3: two\n"
    assert [seen.json["model"] for seen in ollama.journal.of("/api/chat")] == ["qwen3:8b", "gemma3:4b"]
    assert "model: ollama:gemma3:4b" in result.stderr


def test_commands_say_what_they_did(talking: Mmai, ollama: FakeOllama) -> None:
    (talking.home / "notes.txt").write_text("a fact")
    lines = b"/attach notes.txt\nwhat is it?\n/usage\n/system Be kind.\nnow?\n/save talk.md\n/save talk.md\n/clear\nanew\n/exit\nnever\n"
    result = talking(*QWEN, stdin=lines)
    assert result.stdout == "1: a fact\n\nwhat is it?\n4: now?\n2: anew\n"
    assert "1 file goes with the next message" in result.stderr
    assert "1 answer · 3 in, 2 out · $0" in result.stderr
    assert "`talk.md` is there already" in result.stderr
    assert (talking.home / "talk.md").read_text().startswith("# a fact what is it?\n")
    assert sent(ollama) == [("system", "Be kind."), ("user", "anew")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/modle x", "there is no `/modle`: perhaps `/model`"),
        ("/model nobody:x", "nobody"),
        ("/attach nothing.txt", "nothing.txt"),
        ("/attach", "nothing is attached"),
        ("/save", "nothing to save"),
        ("/retry", "nothing was sent yet"),
    ],
)
def test_a_command_that_cannot_be_done_is_said_and_the_chat_goes_on(talking: Mmai, line: str, said: str) -> None:
    result = talking(*QWEN, stdin=f"{line}\nafter\n".encode())
    assert said in result.stderr
    assert result.stdout == "1: after\n"
    assert result.exit_code != 0


def test_a_failure_is_shown_and_can_be_tried_again(talking: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(400, {"error": "no such luck"}, path="/api/chat", times=1)
    result = talking(*QWEN, stdin=b"one\n/retry\n")
    assert result.stdout == "1: one\n"
    assert "no such luck" in result.stderr
    assert result.exit_code == 8


def test_it_is_gone_on_with_later_by_chat_and_by_run(talking: Mmai) -> None:
    talking(*QWEN, stdin=b"one\ntwo\n")
    assert talking("chat", "-c", stdin=b"three\n").stdout == "5: three\n"
    assert talking("run", "-c", "four").stdout == "7: four\n"
    assert talking("history", "list", "--json").json["data"]["conversations"][0]["turns"] == 4


def test_without_a_log_it_still_knows_what_was_said(talking: Mmai) -> None:
    assert talking(*QWEN, "--no-log", stdin=b"one\ntwo\n").stdout == "1: one\n3: two\n"
    assert not (talking.home / "mmai" / "history.db").exists()


def test_a_terminal_has_an_editor_and_control_d_leaves(talking: Mmai, ollama: FakeOllama) -> None:
    with Screen(talking, *QWEN, "--raw") as screen:
        screen.until(EDITING)
        screen.press("first line\\\r")
        screen.press("second line\r")
        screen.until("1: first line")
        screen.until(EDITING, times=2)
        screen.press("\x04")
        assert screen.end() == 0
    assert sent(ollama) == [("user", "first line\nsecond line")]
    inputs = talking.home / "mmai" / "chat-inputs"
    assert "first line" in inputs.read_text()
    assert inputs.stat().st_mode & 0o777 == 0o600


def test_what_is_pasted_is_not_sent_line_by_line(talking: Mmai, ollama: FakeOllama) -> None:
    with Screen(talking, *QWEN, "--raw") as screen:
        screen.until(EDITING)
        screen.press("\x1b[200~one\ntwo\nthree\x1b[201~")
        screen.until("three")
        assert not ollama.journal.of("/api/chat")
        screen.press("\r")
        screen.until(EDITING, times=2)
        screen.press("\x04")
        assert screen.end() == 0
    assert sent(ollama) == [("user", "one\ntwo\nthree")]


def test_control_c_stops_an_answer_and_keeps_it(talking: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams("Once upon", gate, " a time", times=1)
    with Screen(talking, *QWEN, "--raw") as screen:
        screen.until(EDITING)
        screen.press("a story\r")
        screen.until("Once upon")
        screen.press("\x03")
        screen.until("stopped; what came of the answer is kept")
        ollama.journal.wait_hangups()
        gate.open()
        screen.until(EDITING, times=2)
        screen.press("go on\r")
        screen.until(EDITING, times=3)
        screen.press("\x04")
        assert screen.end() == 0
    assert sent(ollama)[1] == ("assistant", "Once upon [this answer was cut off here]")


def test_control_c_at_the_prompt_says_how_to_leave(talking: Mmai) -> None:
    with Screen(talking, *QWEN) as screen:
        screen.until(EDITING)
        screen.press("half a thou")
        screen.until("half a thou")
        screen.press("\x03")
        screen.until("Ctrl-D leaves")
        screen.until(EDITING, times=2)
        screen.press("\x04")
        assert screen.end() == 0


def test_a_message_that_could_not_be_sent_takes_no_other_turn_with_it(talking: Mmai, ollama: FakeOllama) -> None:
    lines = b"one\n/model ollama:nobody:1b\ntwo\n/model ollama:qwen3:8b\n/retry\n"
    result = talking(*QWEN, stdin=lines)
    assert sent(ollama)[0] == ("user", "one")
    assert sent(ollama)[-1] == ("user", "two")
    assert result.stdout.endswith("3: two\n")


def test_a_block_between_three_quotes_is_sent_as_it_is(talking: Mmai, ollama: FakeOllama) -> None:
    with Screen(talking, *QWEN, "--raw") as screen:
        screen.until(EDITING)
        screen.press('"""\r/exit \\\rdone\r"""\r')
        screen.until(EDITING, times=2)
        screen.press("\x04")
        assert screen.end() == 0
    assert sent(ollama)[0][1].startswith("/exit")
    assert sent(ollama)[0][1].endswith("done")
