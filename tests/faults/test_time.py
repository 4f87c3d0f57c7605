"""Silence, drips and floods: whoever says nothing is left, whoever says something is heard, and every call has an end."""

import pytest
from fakes.fault_wall import ANSWER, CUT, WORDS, FaultWall
from scene import Scene

HOUR_MS = 3_600_000


@pytest.mark.parametrize("fault", ["silent", "headers-then-silence", "pings-then-silence", "pings-for-ever", "head-for-ever"])
def test_a_silent_host_is_left_for_another_and_not_called_by_the_next_run(scene: Scene, wall: FaultWall, fault: str) -> None:
    first = scene("-m", f"wall:{fault}", "--fallback", "spare:ok")
    assert (first.calls, first.classes) == ((f"wall:{fault}", "spare:ok"), ["timeout", None])
    assert wall.hung_up(wall.tried[0])
    assert scene("-m", f"wall:{fault}", "--fallback", "spare:ok").calls == ("spare:ok",)


def test_a_model_has_its_own_time(scene: Scene, wall: FaultWall) -> None:
    scene.configure(
        first_token_timeout_ms=HOUR_MS, models="[{name: silent, context_window: 8000, first_token_timeout_ms: 100}]"
    )
    assert "within 0.1 s" in scene("-m", "wall:silent").envelope["error"]["message"]


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_a_refusal_whose_words_never_come_is_a_refusal(scene: Scene, provider: str) -> None:
    scene.configure(first_token_timeout_ms=HOUR_MS, stall_timeout_ms=100)
    ran = scene("-m", f"{provider}:503-then-silence", "--fallback", "spare:ok")
    assert (ran.classes, ran.text) == (["provider", "provider", None], ANSWER)


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_a_drip_is_no_stall(scene: Scene, wall: FaultWall, provider: str) -> None:
    run = scene.start("-m", f"{provider}:drip")
    assert run.read(len(CUT)) == CUT
    wall.gate.open()
    assert run.ended().row.text == ANSWER


def test_a_drip_has_an_end_all_the_same(scene: Scene, wall: FaultWall) -> None:
    scene.configure(stall_timeout_ms=HOUR_MS, total_timeout_ms=500)
    ran = scene("-m", "wall:drip", "--fallback", "spare:ok")
    assert (ran.exit_code, ran.text, ran.calls) == (9, CUT, ("wall:drip",))
    assert wall.hung_up(wall.tried[0])


def test_signs_of_life_within_an_answer_do_not_make_it_last_for_ever(scene: Scene) -> None:
    scene.configure(total_timeout_ms=500)
    ran = scene("-m", "wall:words-then-pings", "--fallback", "spare:ok")
    assert (ran.exit_code, ran.text, ran.calls) == (9, CUT, ("wall:words-then-pings",))


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_words_without_end_end(scene: Scene, provider: str) -> None:
    scene.configure(total_timeout_ms=700)
    ran = scene("-m", f"{provider}:flood")
    assert (ran.exit_code, ran.classes) == (9, ["timeout"])
    assert set(ran.text.split()) == {WORDS[0].strip()}


def test_the_users_deadline_is_for_all_attempts_together(scene: Scene, spare: FaultWall) -> None:
    scene.configure(first_token_timeout_ms=HOUR_MS)
    ran = scene("-m", "wall:silent", "--fallback", "spare:silent", "--timeout", "0.6")
    assert (ran.exit_code, ran.classes, ran.calls) == (6, ["timeout", "timeout"], ("wall:silent", "spare:silent"))


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
def test_a_line_without_end_is_no_answer(scene: Scene, provider: str) -> None:
    scene.configure(first_token_timeout_ms=HOUR_MS, stall_timeout_ms=HOUR_MS)
    ran = scene("-m", f"{provider}:line-for-ever", "--fallback", "spare:ok")
    assert (ran.classes, ran.text) == (["protocol", None], ANSWER)
