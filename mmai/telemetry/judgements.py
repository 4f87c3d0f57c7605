"""What the history tells of answers: complaints and silence, and the ratings of people."""

import sqlite3

from mmai.values.outcome import ANY_TASK, Judged, Outcome, faded
from mmai.values.record import RunRecord
from mmai.values.task import TaskType

RERUN_S = (1.0, 120.0)
"""A prompt that goes to another model so long after an answer is a complaint about it. Later, it is a new question; within a
second nobody has read the answer, and a script is trying several models."""

LATEST_RUNS = 1000
"""How many runs are counted: more would tell little, since their weight is limited, and each thousand costs a choice 1 ms."""

DAY_S = 86400.0

MARK = """
    UPDATE runs SET rerun = 1
    WHERE fingerprint = ? AND model <> ? AND status = 'ok' AND id <> ?
      AND ? - started_at - timings_total_ms / 1000 BETWEEN ? AND ?"""

# Summed by whole days of age, since SQLite may have come without exponentials. The condition is that of the index `judged`.
COUNT = """
    SELECT model, ifnull(task, ?), ifnull(judgement LIKE 'schema_%', 0), CAST((? - started_at) / ? AS INTEGER) AS days,
           count(*), count(CASE WHEN rerun OR judgement IN ('schema_broken', 'empty') THEN 1 END)
    FROM (
        SELECT model, task, judgement, rerun, started_at FROM runs
        WHERE fingerprint IS NOT NULL AND rating IS NULL AND executor IS NOT 'reference'
          AND (status = 'ok' OR judgement = 'schema_broken')
          AND started_at >= ?
        ORDER BY started_at DESC LIMIT ?
    )
    WHERE model NOT LIKE 'builtin:%' AND task IS NOT ?
    GROUP BY 1, 2, 3, 4"""


def mark_rerun(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Mark the run whose prompt this one took to another model."""
    asked = (record.fingerprint, record.model, record.id, record.started_at)
    connection.execute(MARK, (*asked, *RERUN_S))


def judged(connection: sqlite3.Connection, *, since: float, now: float) -> list[Judged]:
    """What came of the latest runs that nobody rated, from `since` on (both in unix seconds), by model, task and kind.

    Failures of servers and networks are no answers and not among them, nor are the models inside mmai, the reference executor,
    batches, and embeddings, which nobody reads.
    """
    values = (ANY_TASK, now, DAY_S, since, LATEST_RUNS, TaskType.EMBEDDING.value)
    sums: dict[tuple[str, str, bool], list[float]] = {}
    for model, task, with_schema, days, runs, complaints in connection.execute(COUNT, values):
        counted = sums.setdefault((model, task, bool(with_schema)), [0.0, 0.0])
        counted[0] += faded(runs, age_s=days * DAY_S)
        counted[1] += faded(complaints, age_s=days * DAY_S)
    return [
        Judged(model=model, task=task, with_schema=with_schema, runs=runs, complaints=complaints)
        for (model, task, with_schema), (runs, complaints) in sorted(sums.items())
    ]


def rating(connection: sqlite3.Connection, run_id: str) -> Outcome | None:
    """How a run was rated, or None."""
    query = "SELECT model, rated_task, rating, rated_at FROM runs WHERE id = ? AND rating IS NOT NULL"
    row = connection.execute(query, (run_id,)).fetchone()
    if row is None:
        return None
    model, task, value, at = row
    return Outcome(model=model, task=TaskType(task), value=value, weight=1.0, signal="rating", at=at)


def rate(connection: sqlite3.Connection, run_id: str, outcome: Outcome | None) -> None:
    """Keep how a run is rated now; None is not at all."""
    row = (None, None, None) if outcome is None else (outcome.value, outcome.at, outcome.task.value)
    connection.execute("UPDATE runs SET rating = ?, rated_at = ?, rated_task = ? WHERE id = ?", (*row, run_id))
