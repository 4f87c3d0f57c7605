"""The fault wall: what the user sees of each fault, what the server saw, and what is never lost.

Every run is the real command. After each, whatever it did: nobody was asked more often than the rules allow, no truncated answer
was called whole, and every connection is closed.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from command import PATIENCE_S, Mmai, Result
from fakes.fault_wall import ANSWER, FAULTS, WORDS, FaultWall

SETTINGS = """
backends:
  wall:
    kind: openai
    endpoint: {url}
    api_key: key-one-0123456789
    first_token_timeout_ms: 300
    stall_timeout_ms: 300
    models:
      - {{name: ok, context_window: 128000}}
      - {{name: context, context_window: 8}}
      - {{name: small, context_window: 4}}
"""
TRIED_AGAIN = 2
"""Most calls of one route by one run."""


@pytest.fixture
def wall() -> Iterator[FaultWall]:
    with FaultWall() as server:
        yield server


@pytest.fixture
def asked(mmai: Mmai, wall: FaultWall) -> Iterator[Mmai]:
    """The command beside the wall; the invariants are looked at when it has run."""
    mmai.configure(SETTINGS.format(url=wall.base_url))
    yield mmai
    wall.gate.open()
    wall.journal.wait_all_closed()


def run(mmai: Mmai, wall: FaultWall, fault: str, *more: str) -> tuple[Result, Any]:
    """One run with `--json`: what it gave, and the data in it."""
    before = wall.calls.copy()
    result = mmai("run", "-m", f"wall:{fault}", "go", "--json", *more)
    envelope = json.loads(result.stdout)
    data = envelope["data"]
    sent = wall.calls - before
    assert all(count <= TRIED_AGAIN for count in sent.values()), sent
    assert sent.total() == len(data.get("attempts", []))
    assert (result.exit_code == 0) == (envelope["status"] == "ok")
    if envelope["status"] == "ok" and not fault.startswith(("split", "crlf", "multi")):
        assert data["text"].split() == ANSWER.split()
    assert "Traceback" not in result.stderr
    assert "key-one" not in result.stdout + result.stderr
    return result, data


class Row(NamedTuple):
    """One fault and what comes of it."""

    exit_code: int
    """Alone."""
    calls: int = 1
    elsewhere: bool = True
    """With a fallback, the fallback answers."""
    calls_beside: int | None = None
    text: str = ""
    code: str | None = None


CUT = "".join(WORDS[:40])

TABLE = {
    "ok": Row(0, elsewhere=False, text=ANSWER),
    "silent": Row(6, code="timeout"),
    "headers-then-silence": Row(6, code="timeout"),
    "pings-then-silence": Row(6, code="timeout"),
    "cut": Row(9, elsewhere=False, text=CUT, code="incomplete"),
    "reset-in-stream": Row(9, elsewhere=False, text=CUT, code="incomplete"),
    "stall": Row(9, elsewhere=False, text=CUT, code="incomplete"),
    "429-always": Row(5, 2, calls_beside=1, code="rate_limited"),
    "429-once-ms": Row(0, 2, calls_beside=1, text=ANSWER),
    "429-once-0": Row(0, 2, calls_beside=1, text=ANSWER),
    "429-once-garbage": Row(0, 2, calls_beside=1, text=ANSWER),
    "429-once-past": Row(0, 2, calls_beside=1, text=ANSWER),
    "429-tomorrow": Row(5, code="rate_limited"),
    "quota": Row(5, code="quota"),
    "500-once": Row(0, 2, elsewhere=False, text=ANSWER),
    "503": Row(8, 2, code="provider"),
    "reset": Row(7, 2, code="cannot_connect"),
    "reset-in-head": Row(7, 2, code="cannot_connect"),
    "bad-json-twice": Row(9, elsewhere=False, text="".join(WORDS[:30]), code="incomplete"),
    "comments": Row(0, elsewhere=False, text=ANSWER),
    "no-done": Row(0, elsewhere=False, text=ANSWER),
    "no-done-no-finish": Row(9, elsewhere=False, text=ANSWER, code="incomplete"),
    "done-twice": Row(0, elsewhere=False, text=ANSWER),
    "bytes-after": Row(0, elsewhere=False, text=ANSWER),
    "200-error": Row(8, code="provider", calls=2),
    "200-html": Row(8, code="protocol"),
    "200-empty": Row(8, code="protocol"),
    "200-short": Row(9, code="incomplete"),
    "200-gzip": Row(8, code="protocol"),
    "error-in-stream": Row(9, elsewhere=False, text=CUT, code="incomplete"),
    "error-at-once-in-stream": Row(8, 2, code="provider"),
    "filter": Row(9, elsewhere=False, text="I ", code="incomplete"),
    "invalid": Row(8, elsewhere=False, code="invalid_request"),
    "gone": Row(3, code="unknown_model"),
    "403": Row(4, code="auth", elsewhere=False),
    "401": Row(4, code="auth", elsewhere=False),
}


@pytest.mark.parametrize("fault", TABLE)
def test_alone(asked: Mmai, wall: FaultWall, fault: str) -> None:
    row = TABLE[fault]
    result, data = run(asked, wall, fault)
    assert (result.exit_code, wall.calls[fault]) == (row.exit_code, row.calls), result.stderr
    text = data.get("text", "")
    # A reset may overtake what was sent before it.
    assert row.text.startswith(text) if fault == "reset-in-stream" else text == row.text
    if row.code:
        assert json.loads(result.stdout)["error"]["code"] == row.code


@pytest.mark.parametrize("fault", [fault for fault, row in TABLE.items() if fault != "ok"])
def test_with_somebody_else_to_ask(asked: Mmai, wall: FaultWall, fault: str) -> None:
    row = TABLE[fault]
    if fault in ("silent", "headers-then-silence", "pings-then-silence", "reset", "reset-in-head"):
        pytest.skip("of one host that is silent or resets, no other model is asked: see the test with a second host")
    result, data = run(asked, wall, fault, "--fallback", "wall:ok")
    assert wall.calls[fault] == (row.calls_beside or row.calls)
    assert wall.calls["ok"] == row.elsewhere
    text = data["text"]
    assert result.exit_code == (0 if row.elsewhere else row.exit_code), result.stderr
    expected = ANSWER if row.elsewhere else row.text
    assert expected.startswith(text) if fault == "reset-in-stream" else text == expected


@pytest.mark.parametrize("fault", ["silent", "headers-then-silence", "reset", "reset-in-head", "503", "401"])
def test_a_second_host_answers_at_once_and_is_remembered(asked: Mmai, wall: FaultWall, fault: str) -> None:
    with FaultWall() as other:
        settings = (
            SETTINGS.format(url=wall.base_url)
            + f"  spare: {{kind: openai, endpoint: '{other.base_url}', api_key: key-one-2}}\n"
        )
        asked.configure(settings)
        result, data = run_beside(asked, fault)
        assert (result.exit_code, data["text"]) == (0, ANSWER)
        calls = wall.calls[fault]
        assert calls <= TRIED_AGAIN
        again, data = run_beside(asked, fault)
        assert (again.exit_code, data["text"], wall.calls[fault]) == (0, ANSWER, calls)
        other.journal.wait_all_closed()


def run_beside(mmai: Mmai, fault: str) -> tuple[Result, Any]:
    result = mmai("run", "-m", f"wall:{fault}", "--fallback", "spare:ok", "go", "--json")
    return result, json.loads(result.stdout)["data"]


@pytest.mark.parametrize("fault", ["split-utf8", "crlf", "multi-line-data"])
def test_however_the_bytes_come_the_text_is_whole(asked: Mmai, wall: FaultWall, fault: str) -> None:
    result, data = run(asked, wall, fault)
    expected = {"split-utf8": "héllo wörld 日本 " + ANSWER, "crlf": ANSWER, "multi-line-data": "one"}
    assert (result.exit_code, data["text"]) == (0, expected[fault])


def test_one_piece_that_means_nothing_is_counted_and_skipped(asked: Mmai, wall: FaultWall) -> None:
    result = asked("run", "-m", "wall:bad-json-once", "go", "-v")
    assert "1 piece of the answer meant nothing" in result.stderr


def test_a_drip_is_no_stall_and_the_whole_call_has_an_end(asked: Mmai, wall: FaultWall) -> None:
    asked.configure(SETTINGS.format(url=wall.base_url).replace("stall_timeout_ms: 300", "total_timeout_ms: 700"))
    result, data = run(asked, wall, "drip")
    assert (result.exit_code, data["text"]) == (9, CUT)
    wall.journal.wait_hangups()


def test_a_longer_prompt_goes_to_a_wider_model_alone(asked: Mmai, wall: FaultWall) -> None:
    result, data = run(asked, wall, "context", "--fallback", "wall:small", "--fallback", "wall:ok")
    assert (result.exit_code, data["model"]) == (0, "wall:ok")
    assert (wall.calls["context"], wall.calls["small"]) == (1, 0)


def test_one_of_two_keys_that_is_refused_is_left_alone(asked: Mmai, wall: FaultWall) -> None:
    asked.configure(
        SETTINGS.format(url=wall.base_url).replace(
            "api_key: key-one-0123456789", "api_keys: [key-one-0123456789, key-two-0123456789]"
        )
    )
    for _ in range(6):
        result, data = run(asked, wall, "401-first-key")
        assert (result.exit_code, data["text"]) == (0, ANSWER)
    refused = [seen for seen in wall.attempts("401-first-key") if "key-one" in seen.headers["authorization"]]
    assert len(refused) <= 1


def test_a_cut_answer_begins_anew_only_where_that_is_wished(asked: Mmai, wall: FaultWall) -> None:
    result = asked("run", "-m", "wall:cut", "--fallback", "wall:ok", "--restart-on-cut", "go")
    assert (result.exit_code, result.stdout) == (0, ANSWER + "\n")
    assert "begins anew" in result.stderr


def test_attempts_of_a_minute_of_outage_are_few(asked: Mmai, wall: FaultWall) -> None:
    with FaultWall() as other:
        asked.configure(
            SETTINGS.format(url=wall.base_url)
            + f"  spare: {{kind: openai, endpoint: '{other.base_url}', api_key: key-one-2}}\n"
        )
        for _ in range(8):
            result, data = run_beside(asked, "503")
            assert (result.exit_code, data["text"]) == (0, ANSWER)
        assert wall.calls["503"] <= 4


def test_a_client_that_leaves_leaves_nobody_waiting(asked: Mmai, wall: FaultWall) -> None:
    process = asked.start("run", "-m", "wall:drip", "go")
    assert process.stdout is not None
    came = process.stdout.read(len(CUT) - 1)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, (came + stdout).decode().split()) == (130, CUT.split())
    wall.journal.wait_hangups()
    assert asked("history", "--json").json["data"]["conversations"][0]["turns"] == 1


def test_a_reader_that_leaves_ends_the_call(asked: Mmai, wall: FaultWall) -> None:
    process = asked.start("run", "-m", "wall:drip", "go")
    assert process.stdout is not None
    wall.gate.wait_reached()
    process.stdout.close()
    process.stdout = None
    wall.gate.open()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 141


def test_a_slow_reader_gets_every_byte(asked: Mmai, wall: FaultWall) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*asked.command, "run", "-m", "wall:ok", "go"], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
        env=asked.env, cwd=asked.cwd,
    )  # fmt: skip
    os.close(writer)
    text = b""
    while data := os.read(reader, 7):
        text += data
    os.close(reader)
    process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, text.decode()) == (0, ANSWER + "\n")


def test_the_clock_may_jump_back_an_hour(asked: Mmai, wall: FaultWall) -> None:
    import sqlite3

    with FaultWall() as other:
        asked.configure(
            SETTINGS.format(url=wall.base_url)
            + f"  spare: {{kind: openai, endpoint: '{other.base_url}', api_key: key-one-2}}\n"
        )
        run_beside(asked, "503")
        with sqlite3.connect(asked.home / "mmai" / "history.db") as history:
            history.execute(
                "UPDATE places SET changed_at = changed_at + 3600, state = replace(state, '\"open_until\":1', '\"open_until\":2')"
            )
        history.close()
        run_beside(asked, "503")
        assert wall.calls["503"] > 2  # A pause that far away is none.


def test_every_fault_is_asked_about() -> None:
    told = {*TABLE, "split-utf8", "crlf", "multi-line-data", "bad-json-once", "drip", "context", "401-first-key"}
    assert told == set(FAULTS)
