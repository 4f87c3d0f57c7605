"""What the history tells of answers: complaints, silence and ratings."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders import Warnings

from mmai.errors import StorageError
from mmai.telemetry.history import History
from mmai.telemetry.ids import new_id
from mmai.telemetry.judgements import COUNT
from mmai.values.execution import Execution
from mmai.values.outcome import ANY_TASK, Judged, Outcome
from mmai.values.record import RunRecord, Timings
from mmai.values.task import TaskType

NOW = time.time()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def history(path: Path, warnings: Warnings) -> Iterator[History]:
    with closing(History(path, warn=warnings)) as history:
        yield history


def ran(history: History, model: str = "ollama:a", *, ago_s: float = 600.0, took_s: float = 1.0, **fields: Any) -> RunRecord:
    """A run that ended well, of a prompt of its own."""
    at = NOW - ago_s
    run_id = new_id(at)
    defaults: dict[str, Any] = {
        "id": run_id,
        "started_at": at,
        "status": "ok",
        "prompt": "hi",
        "text": "Hello",
        "model": model,
        "task": "math",
        "fingerprint": run_id,
        "timings": Timings(total_ms=took_s * 1000),
    }
    record = RunRecord(**(defaults | fields))
    history.finish(record)
    return record


def counted(history: History, *, since: float = 0.0) -> dict[tuple[str, str, bool], tuple[int, int]]:
    return {
        (row.model, row.task, row.with_schema): (round(row.runs), round(row.complaints))
        for row in history.judged(since=since, now=NOW)
    }


def test_a_silent_run_is_one_without_a_complaint(history: History) -> None:
    ran(history)
    assert history.judged(since=0.0, now=NOW) == [
        Judged(model="ollama:a", task="math", with_schema=False, runs=1.0, complaints=0.0)
    ]


def test_the_same_prompt_to_another_model_is_a_complaint_about_the_first(history: History) -> None:
    ran(history, "ollama:a", ago_s=100, fingerprint="same")
    ran(history, "ollama:b", ago_s=60, fingerprint="same")
    assert counted(history) == {("ollama:a", "math", False): (1, 1), ("ollama:b", "math", False): (1, 0)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ago_s": 100}, {"ago_s": 60, "fingerprint": "another"}),
        ({"ago_s": 100}, {"ago_s": 60, "model": "ollama:a"}),
        ({"ago_s": 200}, {"ago_s": 60}),
        ({"ago_s": 100, "took_s": 1.0}, {"ago_s": 98.5}),
        ({"ago_s": 100, "took_s": 90.0}, {"ago_s": 60}),
    ],
    ids=["another prompt", "the same model", "after two minutes", "before it can be read", "beside it"],
)
def test_nothing_else_is_a_complaint(history: History, first: dict[str, Any], second: dict[str, Any]) -> None:
    ran(history, "ollama:a", **({"fingerprint": "same"} | first))
    ran(history, **({"model": "ollama:b", "fingerprint": "same"} | second))
    assert sum(complaints for _, complaints in counted(history).values()) == 0


def test_two_minutes_count_from_the_end_of_an_answer(history: History) -> None:
    ran(history, "ollama:a", ago_s=400, took_s=300, fingerprint="same")
    ran(history, "ollama:b", ago_s=60, fingerprint="same")
    assert counted(history)["ollama:a", "math", False] == (1, 1)


def test_an_empty_answer_and_a_broken_schema_are_complaints(history: History) -> None:
    ran(history, judgement="empty", text="")
    ran(history, judgement="schema_kept")
    ran(history, judgement="schema_broken", status="error", error_code="schema_mismatch")
    assert counted(history) == {("ollama:a", "math", False): (1, 1), ("ollama:a", "math", True): (2, 1)}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "error", "error_code": "cannot_connect"},
        {"status": "error", "error_code": "provider"},
        {"status": "cancelled"},
        {"status": "incomplete", "error_code": "incomplete"},
        {"model": "builtin:textrank"},
        {"task": "embedding"},
        {"execution": Execution(executor="reference")},
        {"fingerprint": None},
    ],
)
def test_what_says_nothing_of_quality_is_not_counted(history: History, fields: dict[str, Any]) -> None:
    ran(history, **fields)
    assert counted(history) == {}


def test_work_nobody_named_is_counted_for_the_model(history: History) -> None:
    ran(history, task=None)
    assert counted(history) == {("ollama:a", ANY_TASK, False): (1, 0)}


def test_runs_fade_with_age_and_end_where_learning_began(history: History) -> None:
    ran(history, ago_s=30 * 86400)
    (row,) = history.judged(since=0.0, now=NOW)
    assert row.runs == pytest.approx(0.5)
    assert history.judged(since=NOW - 86400, now=NOW) == []


def test_the_oldest_of_very_many_are_not_counted(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmai.telemetry.judgements.LATEST_RUNS", 2)
    for model, ago_s in (("ollama:old", 90), ("ollama:a", 60), ("ollama:a", 30)):
        ran(history, model, ago_s=ago_s)
    assert counted(history) == {("ollama:a", "math", False): (2, 0)}


def test_counting_reads_an_index_and_no_texts(history: History, path: Path) -> None:
    ran(history)
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {COUNT}", ("", NOW, 86400.0, 0.0, 10, "embedding")).fetchall()
    assert any("USING COVERING INDEX judged" in row[3] for row in plan)


def a_rating(value: float, run: RunRecord) -> Outcome:
    return Outcome(model=str(run.model), task=TaskType.MATH, value=value, weight=1.0, signal="rating", at=NOW)


def test_a_rating_is_handed_out_when_the_next_one_replaces_it(history: History) -> None:
    run = ran(history)
    before: list[Outcome | None] = []
    history.rate(run.id, a_rating(1.0, run), count=before.append)
    history.rate(run.id, a_rating(0.25, run), count=before.append)
    history.rate(run.id, None, count=before.append)
    history.rate(run.id, a_rating(0.5, run), count=before.append)
    assert before == [None, a_rating(1.0, run), a_rating(0.25, run), None]


def test_a_rated_run_is_silent_no_more(history: History) -> None:
    run = ran(history)
    history.rate(run.id, a_rating(0.0, run), count=lambda _: None)
    assert counted(history) == {}
    history.rate(run.id, None, count=lambda _: None)
    assert counted(history) == {("ollama:a", "math", False): (1, 0)}


def test_a_rating_that_cannot_be_counted_is_not_kept(history: History) -> None:
    run = ran(history)
    before: list[Outcome | None] = []

    def fail(_: Outcome | None) -> None:
        raise StorageError("the disk is full")

    with pytest.raises(StorageError, match="full"):
        history.rate(run.id, a_rating(1.0, run), count=fail)
    history.rate(run.id, a_rating(1.0, run), count=before.append)
    assert before == [None]


def test_a_run_is_found_by_the_beginning_of_its_id(history: History) -> None:
    first, second = ran(history, ago_s=9e5), ran(history, ago_s=5)
    assert history.beginning(first.id) == [first]
    assert history.beginning(first.id[:8]) == [first]
    assert history.beginning("01") == [first, second]
    assert history.beginning("01%") == []


def test_a_run_that_goes_on_is_not_the_latest_that_ended(history: History) -> None:
    ended = ran(history)
    history.start(RunRecord(id=new_id(NOW), started_at=NOW, status="running", prompt="hi"))
    assert history.ended() == ended
