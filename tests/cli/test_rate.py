"""`mmai rate`, and what is learned from it."""

import json
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command import Mmai
from fakes.ollama import FakeOllama

from mmai.telemetry.history import History
from mmai.telemetry.ids import new_id
from mmai.values.record import RunRecord, RunStatus, Timings

LLAMA, QWEN = "ollama:llama3.2:3b", "ollama:qwen3:8b"


def ask(mmai: Mmai, prompt: str = "what is 17 * 23?", model: str = LLAMA) -> str:
    """The id of a run."""
    return str(mmai("run", "-m", model, prompt, "--json").json["data"]["id"])


def learned(mmai: Mmai) -> dict[str, Any]:
    outcomes = json.loads((mmai.home / "mmai" / "registry.json").read_text())["outcomes"]
    return {
        ref: {task: (round(tally["weight"], 3), round(tally["good"], 3)) for task, tally in tasks.items()}
        for ref, tasks in outcomes.items()
    }


def test_the_last_run_is_rated_and_named(on: Mmai) -> None:
    ask(on)
    result = on("rate", "good")
    assert result == (0, "", f'rated {LLAMA} 1.00 for math: "what is 17 * 23?"\n')
    assert learned(on) == {LLAMA: {"math": (1.0, 1.0)}}


@pytest.mark.parametrize(
    ("word", "value"), [("bad", 0.0), ("1", 0.0), ("2", 0.25), ("3", 0.5), ("4", 0.75), ("5", 1.0), ("Good", 1.0)]
)
def test_every_rating_has_its_value(on: Mmai, word: str, value: float) -> None:
    ask(on)
    assert on("rate", "last", word, "--json").json["data"]["rating"] == value


def test_a_run_is_named_by_its_id_or_the_beginning_of_it(on: Mmai) -> None:
    first, second = ask(on), ask(on, model=QWEN)
    shared = first[:4]  # some hours
    assert on("rate", first, "good", "--json").json["data"]["model"] == LLAMA
    assert on("rate", second[:-1].lower(), "bad", "--json").json["data"]["run"] == second
    result = on("rate", shared, "good")
    assert (result.exit_code, result.stdout) == (2, "")
    assert first in result.stderr
    assert second in result.stderr


def test_json_tells_which_run_was_rated_and_how_before(on: Mmai) -> None:
    run = ask(on)
    on("rate", "good")
    data = on("rate", "2", "--json").json["data"]
    assert data == {
        "run": run,
        "model": LLAMA,
        "task": "math",
        "prompt": "what is 17 * 23?",
        "rating": 0.25,
        "previous": 1.0,
    }
    assert on("rate", "bad", "-o", "csv").stdout.splitlines()[0] == "run,model,task,prompt,rating,previous"


def test_a_second_rating_replaces_the_first(on: Mmai) -> None:
    ask(on)
    on("rate", "good")
    assert on("rate", "bad").stderr == f'rated {LLAMA} 0.00 (1.00 before) for math: "what is 17 * 23?"\n'
    assert learned(on) == {LLAMA: {"math": (1.0, 0.0)}}


def test_a_rating_can_be_taken_back_once(on: Mmai) -> None:
    ask(on)
    on("rate", "good")
    assert on("rate", "--undo").stderr == f'took back the rating of {LLAMA} (1.00 before) for math: "what is 17 * 23?"\n'
    assert learned(on) == {}
    result = on("rate", "last", "--undo")
    assert result.exit_code == 2
    assert "has no rating to take back" in result.stderr


def test_the_task_can_be_said(on: Mmai) -> None:
    ask(on)
    on("rate", "good")
    assert on("rate", "good", "--task", "translation", "--json").json["data"]["task"] == "translation"
    assert learned(on) == {LLAMA: {"translation": (1.0, 1.0)}}


def test_a_long_prompt_is_named_by_its_beginning(on: Mmai) -> None:
    ask(on, prompt="word\n" * 100)
    prompt = on("rate", "good", "--json").json["data"]["prompt"]
    assert prompt.startswith("word word")
    assert len(prompt) <= 60


def refused(mmai: Mmai, *words: str) -> str:
    """The sentence a rating is refused with."""
    result = mmai("rate", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    error, hint = result.stderr.splitlines()
    assert hint.startswith("hint: mmai")
    return error.removeprefix("error: ")


def test_a_history_without_runs_has_none_to_rate(mmai: Mmai) -> None:
    assert refused(mmai, "good") == "the history has no run to rate"


def test_an_unknown_id_is_a_sentence(on: Mmai) -> None:
    ask(on)
    assert refused(on, "zzz", "good") == "the history has no run `zzz`"


def test_a_run_that_failed_is_not_rated(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(500)
    on("run", "-m", LLAMA, "hi")
    assert "cannot be rated: it failed" in refused(on, "good")


@pytest.mark.parametrize(
    ("status", "fields", "reason"),
    [
        ("cancelled", {}, "it was cancelled"),
        ("incomplete", {}, "its answer is not whole"),
        ("ok", {"model": None}, "no model is known of it"),
        ("ok", {"model": "builtin:textrank"}, "`builtin:textrank` is chosen only where no other model can be"),
        ("ok", {"fingerprint": None}, "it is a batch, or was made by an older mmai"),
    ],
)
def test_what_has_no_answer_of_its_own_is_not_rated(mmai: Mmai, status: RunStatus, fields: dict[str, Any], reason: str) -> None:
    remember(mmai, status=status, **fields)
    assert reason in refused(mmai, "good")


def test_the_work_of_a_recording_has_to_be_said(mmai: Mmai) -> None:
    remember(mmai, prompt="", task=None)
    assert "cannot be read from its prompt, which is empty" in refused(mmai, "good")
    assert mmai("rate", "good", "--task", "speech_transcription").exit_code == 0


def test_an_answer_that_broke_its_schema_can_be_rated(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("no JSON")
    assert on("run", "-m", LLAMA, "--schema", "name", "who?").exit_code == 10
    assert on("rate", "good").exit_code == 0


BY_QUALITY = """
model_system:
  selection:
    weights: {performance: 0, cost: 0, reliability: 0, capabilities: 1}
"""
ENOUGH = 4
"""Bad ratings that outweigh what is expected of one model above another."""
MATH = "what is 17 * 23?"


def test_a_rating_moves_the_next_choice_and_its_replacement_moves_it_back(on: Mmai) -> None:
    on.configure(BY_QUALITY)
    best = on("run", MATH, "--json").json["data"]["model"]
    rated = [rated_bad(on, best) for _ in range(ENOUGH)]
    assert on("select", MATH).stdout.strip() != best
    for run_id in rated:
        on("rate", run_id, "good")
    assert on("select", MATH).stdout.strip() == best


def test_what_was_forgotten_moves_no_choice(on: Mmai) -> None:
    on.configure(BY_QUALITY)
    best = on("run", MATH, "--json").json["data"]["model"]
    for _ in range(ENOUGH):
        rated_bad(on, best)
    assert on("select", MATH).stdout.strip() != best
    on("select", "--reset-learning")
    assert on("select", MATH).stdout.strip() == best


def test_complaints_move_the_next_choice_where_silence_does_not(on: Mmai) -> None:
    on.configure(BY_QUALITY)
    best = on("select", MATH).stdout.strip()
    for number in range(6):
        remember(on, model=best, ago_s=1000 + number)
    assert on("select", MATH).stdout.strip() == best
    for number in range(6):
        remember(on, model=best, ago_s=500 + number, judgement="empty")
        remember(on, model=LLAMA, ago_s=500 + number)
    assert on("select", MATH).stdout.strip() != best


def rated_bad(mmai: Mmai, model: str) -> str:
    mmai("run", MATH, "-m", model)
    run_id = mmai("rate", "bad", "--task", "math", "--json").json["data"]["run"]
    assert isinstance(run_id, str)
    return run_id


def remember(mmai: Mmai, *, ago_s: float = 60.0, model: str | None = LLAMA, **fields: Any) -> None:
    """A run of an earlier day, without the wait."""
    at = time.time() - ago_s
    run_id = new_id(at)
    defaults: dict[str, Any] = {
        "id": run_id,
        "started_at": at,
        "status": "ok",
        "prompt": "what is 17 * 23?",
        "task": "math",
        "fingerprint": run_id,
        "timings": Timings(total_ms=100.0),
    }
    with closing(History(mmai.home / "mmai" / "history.db", warn=pytest.fail)) as history:
        history.finish(RunRecord(model=model, **(defaults | fields)))


def test_raters_at_once_lose_nothing(on: Mmai) -> None:
    for number in range(8):
        remember(on, ago_s=100 + number)
    with closing(History(on.home / "mmai" / "history.db", warn=pytest.fail)) as history:
        ids = [run.id for run in history.recent()]
    raters = [on.start("rate", run_id, word) for run_id in ids for word in ("good", "3")]
    for rater in raters:
        assert rater.communicate(timeout=60)[0] == b""
        assert rater.returncode == 0
    ((weight, good),) = learned(on)[LLAMA].values()
    assert weight == pytest.approx(8.0, abs=0.01)
    assert 4.0 <= good <= 8.0


def test_a_damaged_registry_costs_a_warning(on: Mmai) -> None:
    ask(on)
    registry = on.home / "mmai" / "registry.json"
    registry.write_text("{damaged")
    result = on("rate", "good")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"warning: `{registry}` is damaged")
    assert learned(on) == {LLAMA: {"math": (1.0, 1.0)}}


def test_a_home_that_cannot_be_is_a_sentence(mmai: Mmai) -> None:
    result = mmai("rate", "good", env={"MMAI_HOME": "/dev/null/mmai"})
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: cannot use `/dev/null/mmai/history.db`: ")


def test_a_rating_the_disk_has_no_room_for_is_not_half_kept(on: Mmai) -> None:
    ask(on)
    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 0; exec "$0" "$@"', *on.command, "rate", "good"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=on.env,
        timeout=60,
    )
    assert full.returncode == 1
    assert full.stderr.startswith(b"error: ")
    assert b"Traceback" not in full.stderr
    assert on("rate", "good", "--json").json["data"]["previous"] is None
    assert learned(on) == {LLAMA: {"math": (1.0, 1.0)}}


def test_a_run_writes_no_registry(on: Mmai) -> None:
    ask(on)
    assert not (on.home / "mmai" / "registry.json").exists()


def test_a_reset_says_what_it_forgot(on: Mmai) -> None:
    on("discover")
    ask(on)
    on("rate", "good")
    ask(on, model=QWEN)
    data = on("select", "--reset-learning", "--json").json["data"]
    assert data["outcomes"] == 1
    assert data["models"] == {LLAMA: {"math": {"rating": 1}}}
    assert data["judged"] == [QWEN]
    assert learned(on) == {}
    assert on("select", "--reset-learning") == (0, "", "nothing was learned yet\n")


def test_a_rating_from_before_a_reset_is_not_taken_back_after_it(on: Mmai) -> None:
    first = ask(on)
    on("rate", "good")
    on("select", "--reset-learning")
    ask(on)
    on("rate", "good")
    on("rate", first, "bad")
    assert learned(on) == {LLAMA: {"math": (2.0, 1.0)}}


def test_a_reset_where_nothing_can_be_written_is_a_sentence(mmai: Mmai) -> None:
    result = mmai("select", "--reset-learning", env={"MMAI_HOME": "/dev/null/mmai"})
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: cannot lock" in result.stderr
    assert Path("/dev/null").exists()
