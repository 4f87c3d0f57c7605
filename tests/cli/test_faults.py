"""`mmai run` against a server that does not work: one sentence, the right exit code, nothing lost, no hang."""

import json
import signal
import socket
import subprocess
import threading

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import FakeOllama
from fakes.wall import CLOSE, RESET, SILENCE, Gate, Step, chunk, head, whole

LLAMA = ("run", "-m", "ollama:llama3.2:3b")


def text_line(text: str) -> bytes:
    return b'{"model":"m","message":{"role":"assistant","content":"%s"},"done":false}\n' % text.encode()


def one_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 1, stderr
    return lines[0]


def test_refused(mmai: Mmai, nowhere: str) -> None:
    result = mmai(*LLAMA, "hi")
    assert (result.exit_code, result.stdout) == (7, "")
    assert nowhere.removeprefix("http://") in result.stderr
    assert "hint: " in result.stderr


def test_accepts_and_never_answers(on: Mmai, ollama: FakeOllama) -> None:
    ollama.says(SILENCE)
    result = on(*LLAMA, "--timeout", "0.5", "hi")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "0.5 s" in one_line(result.stderr)
    ollama.journal.wait_hangups()


def test_a_listener_that_never_accepts(mmai: Mmai) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        result = mmai(*LLAMA, "--timeout", "0.5", "hi", env={"OLLAMA_HOST": f"127.0.0.1:{listener.getsockname()[1]}"})
    assert result.exit_code == 6


def test_unknown_model(on: Mmai) -> None:
    result = on("run", "-m", "ollama:nope:1b", "hi")
    assert result.exit_code == 3
    assert "mmai pull ollama:nope:1b" in result.stderr


@pytest.mark.parametrize(("status", "exit_code"), [(400, 8), (401, 4), (403, 4), (429, 5), (500, 8), (503, 8)])
def test_a_status_has_its_exit_code(on: Mmai, ollama: FakeOllama, status: int, exit_code: int) -> None:
    ollama.answers(status, {"error": "no such luck"})
    result = on(*LLAMA, "hi")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert "no such luck" in result.stderr


def test_500_once_is_tried_again(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(500, {"error": "hiccup"}, times=1)
    ollama.streams("fine")
    result = on(*LLAMA, "hi", "--json")
    assert result.json["data"]["text"] == "fine"
    assert [attempt["status"] for attempt in result.json["data"]["attempts"]] == [500, None]


def test_a_persistent_500_is_called_twice_at_most(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(500, {"error": "broken"})
    on(*LLAMA, "hi")
    assert len(ollama.journal.of("/api/chat")) == 2


@pytest.mark.parametrize("cut", [CLOSE, RESET])
def test_cut_mid_answer_keeps_the_text_and_says_so(on: Mmai, ollama: FakeOllama, cut: Step) -> None:
    gate = Gate()
    ollama.streams("Hel", gate, cut, done=False)
    process = on.start(*LLAMA, "hi")
    assert process.stdout is not None
    assert process.stdout.read(3) == b"Hel"
    gate.open()
    rest, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest) == (9, b"\n")
    assert stderr.startswith(b"error: ")


def test_an_end_without_done_is_incomplete(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", done=False)
    result = on(*LLAMA, "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")


def test_stalled(on: Mmai, ollama: FakeOllama) -> None:
    on.configure("backends:\n  ollama:\n    timeout_ms: 300\n")
    ollama.streams("Hel", SILENCE, done=False)
    result = on(*LLAMA, "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")


def test_a_malformed_line_is_skipped_and_counted(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", b"{nonsense}\n", "lo")
    assert on(*LLAMA, "hi")[:2] == (0, "Hello\n")


def test_a_line_of_a_mebibyte(on: Mmai, ollama: FakeOllama) -> None:
    long = "x" * (1 << 20)
    ollama.streams(long)
    assert on(*LLAMA, "hi").stdout == long + "\n"


def test_utf8_split_across_packets(on: Mmai, ollama: FakeOllama) -> None:
    line = text_line("né€😀")
    pieces = [chunk(line[i : i + 1]) for i in range(len(line))]
    ollama.says(
        head(200, {"Transfer-Encoding": "chunked"}), *pieces, chunk(b'{"done":true,"done_reason":"stop"}\n') + b"0\r\n\r\n"
    )
    assert on(*LLAMA, "hi")[:2] == (0, "né€😀\n")


def test_an_error_line_after_tokens(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", b'{"error":"out of memory"}\n', done=False)
    result = on(*LLAMA, "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")
    assert "out of memory" in result.stderr


def test_a_slow_drip_is_not_a_stall(on: Mmai, ollama: FakeOllama) -> None:
    gates = [Gate() for _ in range(5)]
    ollama.streams(*[piece for gate, letter in zip(gates, "drips", strict=True) for piece in (gate, letter)])
    process = on.start(*LLAMA, "hi")
    assert process.stdout is not None
    for gate, letter in zip(gates, b"drips", strict=True):
        gate.open()
        assert process.stdout.read(1)[0] == letter
    # Not communicate(): it reads past the buffer, where the last byte may already be.
    assert process.stdout.read() == b"\n"
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b'{"error":"down"}'])
def test_a_200_that_is_no_answer_is_a_failure(on: Mmai, ollama: FakeOllama, body: bytes) -> None:
    ollama.says(whole(200, body))
    result = on(*LLAMA, "hi")
    assert result.exit_code in (8, 9)
    assert result.stdout == ""


def test_a_token_limit_ends_with_nine(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Once upon", done_reason="length")
    result = on(*LLAMA, "--max-tokens", "2", "hi")
    assert (result.exit_code, result.stdout) == (9, "Once upon\n")


def test_failures_are_an_envelope_too(mmai: Mmai) -> None:
    result = mmai(*LLAMA, "hi", "--json")
    assert result.json["status"] == "error"
    assert result.json["error"]["code"] == "cannot_connect"
    assert result.json["error"]["exit_code"] == result.exit_code == 7
    assert result.json["data"]["attempts"][0]["class"] == "cannot_connect"


def test_fallback_answers_and_says_why(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"}, model="llama3.2:3b")
    ollama.streams("Hello", model="qwen3:8b")
    result = on(*LLAMA, "--fallback", "ollama:qwen3:8b", "hi")
    assert (result.exit_code, result.stdout) == (0, "Hello\n")
    assert "ollama:llama3.2:3b" in result.stderr
    assert "ollama:qwen3:8b" in result.stderr


def test_a_named_model_is_never_replaced_without_being_told(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "busy"}, model="llama3.2:3b")
    on(*LLAMA, "hi")
    assert {seen.model for seen in ollama.journal.of("/api/chat")} == {"llama3.2:3b"}


def test_nothing_is_spliced_after_the_first_token(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", CLOSE, done=False, model="llama3.2:3b")
    result = on(*LLAMA, "--fallback", "ollama:qwen3:8b", "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")


def test_an_automatic_choice_falls_back_before_the_first_token(on: Mmai, ollama: FakeOllama) -> None:
    choice = on("select", "what is 2+2?").stdout.strip().removeprefix("ollama:")
    ollama.answers(500, {"error": "broken"}, model=choice)
    result = on("run", "what is 2+2?")
    assert result.exit_code == 0
    assert choice in result.stderr


def test_interrupt_keeps_the_partial_text(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE, done=False)
    process = on.start(*LLAMA, "hi")
    assert process.stdout is not None
    assert process.stdout.read(3) == b"Hel"
    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest) == (130, b"\n")
    assert b"Traceback" not in stderr
    ollama.journal.wait_hangups()


def test_terminate_ends_with_143(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE, done=False)
    process = on.start(*LLAMA, "hi")
    assert process.stdout is not None
    process.stdout.read(3)
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143


def test_a_reader_that_leaves_cancels_the_call_in_silence(on: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams("one\n", gate, *["more\n"] * 200, SILENCE, done=False)
    process = on.start(*LLAMA, "hi")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"one\n"
    process.stdout.close()
    gate.open()
    assert process.wait(PATIENCE_S) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
    ollama.journal.wait_hangups()


def test_a_full_disk_under_stdout_is_said(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hello")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*on.command, *LLAMA, "hi"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=on.env,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_stdin_closed(on: Mmai) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&-', *on.command, *LLAMA, "hi"], capture_output=True, env=on.env, timeout=PATIENCE_S
    )
    assert done.returncode == 0


def test_stdin_silent_is_hinted_at_and_given_up(on: Mmai, ollama: FakeOllama) -> None:
    process = on.start(*LLAMA, "--stdin-timeout", "2.2", "hi", stdin=subprocess.PIPE)
    assert process.stderr is not None
    assert b"waiting for standard input" in process.stderr.readline()
    assert process.wait(PATIENCE_S) == 2
    process.communicate()
    assert ollama.journal.paths == []


def test_stdin_ignored(on: Mmai) -> None:
    process = on.start(*LLAMA, "-I", "hi", stdin=subprocess.PIPE)
    assert process.wait(PATIENCE_S) == 0
    process.communicate()


def test_stdin_that_is_slow_is_waited_for(on: Mmai, ollama: FakeOllama) -> None:
    process = on.start(*LLAMA, "sum", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"one ")
    process.stdin.flush()
    threading.Timer(0.05, lambda: process.stdin and (process.stdin.write(b"two"), process.stdin.close())).start()
    assert process.wait(PATIENCE_S) == 0
    assert ollama.journal.of("/api/chat")[0].json["messages"][0]["content"] == "one two\n\nsum"
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


def test_stdin_empty_with_a_prompt_is_nothing(on: Mmai) -> None:
    assert on(*LLAMA, "hi", stdin=b"").exit_code == 0


def test_stdin_empty_without_a_prompt_sends_nothing(on: Mmai, ollama: FakeOllama) -> None:
    assert on(*LLAMA, stdin=b"").exit_code == 2
    assert ollama.journal.paths == []


def test_stdin_binary_is_named(on: Mmai) -> None:
    result = on(*LLAMA, "hi", stdin=b"\x00\xff\xfe\x01")
    assert result.exit_code == 2
    assert "standard input" in result.stderr


def test_the_loop_of_a_script_keeps_its_own_stdin(on: Mmai) -> None:
    script = 'while read -r line; do "$0" run -q -I -m ollama:llama3.2:3b "$line"; done'
    done = subprocess.run(
        ["sh", "-c", script, *on.command], input=b"one\ntwo\nthree\n", capture_output=True, env=on.env, timeout=PATIENCE_S
    )
    assert done.stdout == b"Hello there\n" * 3


def test_interrupt_is_an_envelope_with_the_partial_text(on: Mmai, ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams("Hel", gate, SILENCE, done=False)
    process = on.start(*LLAMA, "hi", "--json")
    gate.wait_reached()
    gate.open()
    # The text is on its way; a run that was interrupted before it came would have an empty one.
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    answer = json.loads(stdout)
    assert process.returncode == 130
    assert (answer["status"], answer["error"]["code"], answer["error"]["exit_code"]) == ("error", "interrupted", 130)
    assert answer["data"]["text"] in ("Hel", "")


def test_a_prompt_that_is_no_text_is_named(on: Mmai, ollama: FakeOllama) -> None:
    done = subprocess.run([*on.command, *LLAMA, b"caf\xe9"], stdin=subprocess.DEVNULL, capture_output=True, env=on.env)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: the prompt is not UTF-8 text: it has byte 0xe9")
    assert ollama.journal.paths == []


def test_ctrl_c_while_the_command_line_is_still_loaded_has_no_traceback(mmai: Mmai) -> None:
    # In place of typer, which is imported first and takes longest.
    (mmai.home / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    result = mmai("--help", env={"PYTHONPATH": str(mmai.home)})
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "error: interrupted\n")
