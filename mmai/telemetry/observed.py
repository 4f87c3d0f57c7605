"""How models have performed in everyday runs, read from the history."""

import sqlite3
from collections.abc import Sequence
from typing import TypeVar

from mmai.values.model import Profile

Figure = TypeVar("Figure", int, float)

LATEST_CALLS = 20
"""Successful runs of one model that its medians rest on: enough to be steady, few enough to follow a change."""

OWN_FAULTS = ("provider", "protocol", "cannot_connect", "timeout", "incomplete", "schema_mismatch")
"""Failures that a model or its server is to blame for. A cancelled call, a refused key, a limit of the account or a request
that no model would take say nothing about it."""

# The reference executor is slow by nature and fails in its own ways: neither says anything of the model where it is used.
SUCCESSES = """
    SELECT model, count(*), max(started_at) FROM runs
    WHERE status = 'ok' AND executor IS NOT 'reference' AND model IS NOT NULL AND started_at >= ? GROUP BY model"""

# An answer that ended at a length limit or a filter is the caller's or the policy's doing, not a fault.
FAILURES = f"""
    SELECT attempts.model, count(*), max(runs.started_at) FROM attempts JOIN runs ON runs.id = attempts.run_id
    WHERE attempts.failure IN ({", ".join("?" * len(OWN_FAULTS))}) AND runs.started_at >= ?
      AND attempts.executor IS NOT 'reference'
      AND NOT (attempts.failure = 'incomplete' AND ifnull(runs.finish_reason, '') IN ('length', 'filter'))
    GROUP BY attempts.model"""  # noqa: S608 - question marks alone

# A model in a file gives all of its answer at once: only the whole call has a duration.
LATEST = """
    SELECT CASE WHEN executor IS NULL THEN timings_ttft_ms END,
           CASE WHEN executor IS NULL THEN server_decode_tokens_per_second END,
           CASE WHEN executor IS NULL THEN usage_output_tokens END,
           ifnull((SELECT max(ms) FROM attempts WHERE run_id = runs.id AND failure IS NULL), timings_total_ms),
           memory_bytes
    FROM runs WHERE status = 'ok' AND executor IS NOT 'reference' AND model = ? AND started_at >= ?
    ORDER BY started_at DESC LIMIT ?"""


def profiles(connection: sqlite3.Connection, *, since: float) -> dict[str, Profile]:
    """By model, what its runs since `since` (unix seconds) show. Counts cover all of them, medians the latest."""
    successes = {model: (runs, at) for model, runs, at in connection.execute(SUCCESSES, (since,))}
    failures = {model: (count, at) for model, count, at in connection.execute(FAILURES, (*OWN_FAULTS, since))}
    found = {}
    for model in sorted(successes.keys() | failures.keys()):
        runs, succeeded_at = successes.get(model, (0, since))
        failed, failed_at = failures.get(model, (0, since))
        latest = connection.execute(LATEST, (model, since, LATEST_CALLS)).fetchall()
        rate = _median([_tokens_per_second(*call) for *call, _ in latest])
        found[model] = Profile(
            ttft_ms=_median([ttft_ms for ttft_ms, *_ in latest]),
            tokens_per_second=rate,
            latency_ms=_median([call_ms for *_, call_ms, _ in latest]) if rate is None else None,
            memory_bytes=_median([memory_bytes for *_, memory_bytes in latest]),
            runs=runs,
            failures=failed,
            updated_at=max(succeeded_at, failed_at),
        )
    return found


def _tokens_per_second(
    ttft_ms: float | None, server_rate: float | None, output_tokens: int | None, call_ms: float | None
) -> float | None:
    """The server's own figure, or the tokens after the first over the time after the first."""
    if server_rate is not None:
        return server_rate
    if ttft_ms is None or call_ms is None or call_ms <= ttft_ms or output_tokens is None or output_tokens < 2:
        return None
    return (output_tokens - 1) / (call_ms - ttft_ms) * 1000


def _median(values: Sequence[Figure | None]) -> Figure | None:
    """The upper one of two: a time that was really seen. The statistics module costs 8 ms to import."""
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None
