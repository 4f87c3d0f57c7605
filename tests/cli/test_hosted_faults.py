"""`mmai run` against each provider that fails: its exit code, one sentence without the key, and the text that came.

What follows every other failure is held in process by `tests/engine/test_failure_table.py`.
"""

from collections.abc import Iterator

import pytest
from command import Mmai
from fakes.wall import SILENCE, whole
from voices import KEY, VOICES, Fake, Voice


@pytest.fixture(params=list(VOICES))
def voice(request: pytest.FixtureRequest) -> Voice:
    return VOICES[request.param]


@pytest.fixture
def server(voice: Voice) -> Iterator[Fake]:
    with voice.fake() as server:
        yield server


@pytest.fixture
def at(mmai: Mmai, voice: Voice, server: Fake) -> Mmai:
    """The command, with the server for the provider."""
    mmai.env |= voice.at(server)
    if not voice.address:
        mmai.configure(voice.settings(server))
    return mmai


@pytest.mark.parametrize(
    ("failure", "exit_code", "code"),
    [
        (401, 4, "auth"),
        (429, 5, "rate_limited"),
        ("quota", 5, "quota"),
        (503, 8, "provider"),
        ("invalid", 8, "invalid_request"),
        ("context", 8, "context_length_exceeded"),
        ("unknown_model", 3, "unknown_model"),
    ],
)
def test_a_refusal_has_its_exit_code(
    at: Mmai, voice: Voice, server: Fake, failure: int | str, exit_code: int, code: str
) -> None:
    if failure in ("context", "unknown_model") and failure not in voice.failures:
        pytest.skip("its protocol has no words for that")
    said = voice.said(failure)
    server.answers(said.status, said.body)
    result = at("run", "-m", voice.ref, "hi", "--json")
    assert result.exit_code == exit_code
    assert result.json["status"] == "error"
    assert (result.json["error"]["code"], result.json["error"]["exit_code"]) == (code, exit_code)
    assert {attempt["class"] for attempt in result.json["data"]["attempts"]} == {code}
    assert KEY not in result.stdout + result.stderr


def test_silence_ends_with_six(at: Mmai, voice: Voice, server: Fake) -> None:
    server.says(SILENCE)
    result = at("run", "-m", voice.ref, "--timeout", "0.5", "hi")
    assert (result.exit_code, result.stdout) == (6, "")
    server.journal.wait_hangups()


def test_a_failure_after_the_first_word_keeps_the_text(at: Mmai, voice: Voice, server: Fake) -> None:
    server.streams("Hel", voice.failing, done=False)
    result = at("run", "-m", voice.ref, "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")
    assert result.stderr.startswith("error: the answer was cut: ")
    assert KEY not in result.stderr


def test_a_page_is_no_answer(at: Mmai, voice: Voice, server: Fake) -> None:
    server.says(whole(200, f"<html>{KEY}</html>", {"Content-Type": "text/html"}))
    result = at("run", "-m", voice.ref, "-v", "hi")
    assert (result.exit_code, result.stdout) == (8, "")
    assert KEY not in result.stderr


def test_another_provider_answers_and_the_failure_is_named(at: Mmai, voice: Voice, server: Fake) -> None:
    said = voice.said(401)
    server.answers(said.status, said.body)
    text = "One cat sat. Two cats ran. Three cats slept. Four cats ate. Five cats hid."
    result = at("run", "-m", voice.ref, "--fallback", "builtin:lead", text)
    assert (result.exit_code, result.stdout[:12]) == (0, "One cat sat.")
    assert voice.ref in result.stderr
    assert KEY not in result.stderr


def test_a_refusal_that_cost_nothing_has_no_figures(at: Mmai, voice: Voice, server: Fake) -> None:
    said = voice.said(401)
    server.answers(said.status, said.body)
    assert "unknown" not in at("run", "-m", voice.ref, "hi", "--usage").stderr


def test_how_long_to_wait_is_told(at: Mmai, voice: Voice, server: Fake) -> None:
    said = voice.said(429)
    server.answers(said.status, said.body, headers={"Retry-After": "3600"})
    result = at("run", "-m", voice.ref, "hi")
    assert result.exit_code == 5
    assert "; it asks to be left alone for 3600 s\n" in result.stderr
    assert len(server.journal.requests) == 1
