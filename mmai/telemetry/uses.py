"""How local models are used, and what they hold in memory, as the history tells it."""

import sqlite3
from collections.abc import Mapping, Sequence

from mmai.telemetry.rows import lives
from mmai.values.traffic import Use

LATEST_USES = 50
WEEK_S = 7 * 86400.0
FOLLOWS = 0.5
"""How far what is remembered follows what was seen."""

# A load that took no time was none: the model was in memory.
LOADED_MS = 500.0


def uses(connection: sqlite3.Connection, refs: Sequence[str], *, now: float) -> dict[str, Use]:
    """By reference, what is remembered of these models."""
    under_way: dict[str, int] = {}
    for model, pid in connection.execute("SELECT model, pid FROM runs WHERE status = 'running' AND model IS NOT NULL"):
        under_way[model] = under_way.get(model, 0) + lives(pid)
    for key, calls, pid in connection.execute("SELECT key, calls, pid FROM leases"):
        place, _, model = key.partition(" ")
        ref = f"{place.partition('@')[0]}:{model}"
        under_way[ref] = under_way.get(ref, 0) + calls * lives(pid)
    return {ref: _use(connection, ref, under_way.get(ref, 0), now) for ref in refs}


def most_used(connection: sqlite3.Connection, *, since: float) -> list[str]:
    """References of the models that were called since then (unix seconds), the most used first."""
    query = (
        "SELECT model FROM runs WHERE status = 'ok' AND started_at >= ? AND model IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC"
    )
    return [str(model) for (model,) in connection.execute(query, (since,))]


def seen_loaded(connection: sqlite3.Connection, sizes: Mapping[str, tuple[int | None, float | None]], *, now: float) -> None:
    """Remember the bytes models hold, and the milliseconds it took to load them."""
    for ref, (size_bytes, load_ms) in sizes.items():
        query = "SELECT size_bytes, load_ms, loaded_at FROM residents WHERE ref = ?"
        before_bytes, before_ms, loaded_at = connection.execute(query, (ref,)).fetchone() or (None, None, None)
        took = load_ms if load_ms is not None and load_ms >= LOADED_MS else None
        connection.execute(
            "INSERT OR REPLACE INTO residents (ref, size_bytes, load_ms, loaded_at) VALUES (?, ?, ?, ?)",
            (ref, _followed(before_bytes, size_bytes), _followed(before_ms, took), loaded_at if load_ms is None else now),
        )


def _use(connection: sqlite3.Connection, ref: str, under_way: int, now: float) -> Use:
    query = "SELECT started_at FROM runs WHERE model = ? AND status = 'ok' AND started_at >= ? ORDER BY started_at DESC LIMIT ?"
    moments = [moment for (moment,) in connection.execute(query, (ref, now - WEEK_S, LATEST_USES))]
    query = "SELECT size_bytes, load_ms, loaded_at FROM residents WHERE ref = ?"
    size_bytes, load_ms, loaded_at = connection.execute(query, (ref,)).fetchone() or (None, None, None)
    return Use(
        used_at=tuple(reversed(moments)),
        under_way=under_way,
        size_bytes=None if size_bytes is None else round(size_bytes),
        load_ms=load_ms,
        loaded_at=loaded_at,
    )


def _followed(before: float | None, seen: float | None) -> float | None:
    if before is None or seen is None:
        return before if seen is None else seen
    return before + FOLLOWS * (seen - before)
