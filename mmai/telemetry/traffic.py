"""What processes tell each other of the places they call, as rows of the history's database."""

import os
import sqlite3
from collections.abc import Iterable, Mapping

from msgspec import MsgspecError, json

from mmai.telemetry.rows import lives
from mmai.values.traffic import Place

FORGOTTEN_S = 3600.0
"""A place nobody called for so long is as good as one never called."""

LEASE_S = 600.0
"""A lease that was not renewed for so long is nobody's, whatever process has its number now."""

PROBE_S = 30.0
"""How long the one who tries a place out keeps others from it."""


def places(connection: sqlite3.Connection, keys: Iterable[str], *, now: float) -> dict[str, Place]:
    """What is known of those places, by key."""
    wanted = tuple(keys)
    query = f"SELECT key, state FROM places WHERE key IN ({', '.join('?' * len(wanted))}) AND changed_at > ?"  # noqa: S608
    found = {}
    for key, state in connection.execute(query, (*wanted, now - FORGOTTEN_S)):
        try:
            found[key] = json.decode(state, type=Place)
        except MsgspecError:  # of a newer mmai
            continue
    return found


def telling(connection: sqlite3.Connection, *, now: float) -> list[Place]:
    """The places of which there is something to say now: that they are left alone, or how many calls at a time are wise."""
    found = []
    for (state,) in connection.execute(
        "SELECT state FROM places WHERE changed_at > ? AND state <> '' ORDER BY key", (now - FORGOTTEN_S,)
    ):
        try:
            place = json.decode(state, type=Place)
        except MsgspecError:  # of a newer mmai
            continue
        if place.limit is not None or (place.open_until is not None and place.open_until > now):
            found.append(place)
    return found


def keep(connection: sqlite3.Connection, changed: Iterable[Place], *, now: float) -> None:
    """Put these places over what stands under their keys."""
    connection.executemany(
        "INSERT INTO places (key, changed_at, state) VALUES (?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET changed_at = excluded.changed_at, state = excluded.state, probed_at = NULL",
        [(place.key, now, json.encode(place).decode()) for place in changed],
    )


def claim(connection: sqlite3.Connection, key: str, *, now: float) -> bool:
    """Whether this process is the one that may try the place out now; of a place nobody keeps, everybody is."""
    cursor = connection.execute(
        "INSERT INTO places (key, changed_at, probed_at, state) VALUES (?, ?, ?, '') ON CONFLICT (key) DO UPDATE"
        " SET probed_at = excluded.probed_at WHERE probed_at IS NULL OR NOT probed_at BETWEEN ? AND ?",
        (key, now, now, now - PROBE_S, now),
    )
    return cursor.rowcount > 0


def lease(connection: sqlite3.Connection, calls: Mapping[str, int], *, now: float) -> None:
    """How many calls of this process are under way, by place; 0 takes the lease back."""
    pid = os.getpid()
    connection.executemany(
        "INSERT INTO leases (pid, key, calls, changed_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (pid, key) DO UPDATE SET calls = excluded.calls, changed_at = excluded.changed_at",
        [(pid, key, count, now) for key, count in calls.items() if count],
    )
    connection.executemany("DELETE FROM leases WHERE pid = ? AND key = ?", [(pid, key) for key, n in calls.items() if not n])


def leased(connection: sqlite3.Connection, *, now: float) -> dict[str, int]:
    """How many calls of other living processes are under way, by place; what the dead left behind goes."""
    pid, counts, dead = os.getpid(), dict[str, int](), set[int]()
    for holder, key, calls, changed_at in connection.execute("SELECT pid, key, calls, changed_at FROM leases"):
        if holder == pid:
            continue
        if abs(now - changed_at) > LEASE_S or not lives(holder):
            dead.add(holder)
        else:
            counts[key] = counts.get(key, 0) + calls
    connection.executemany("DELETE FROM leases WHERE pid = ?", [(holder,) for holder in dead])
    return counts


def turn(connection: sqlite3.Connection, name: str) -> int:
    """0, 1, 2 …: whose turn it is, counted over all processes."""
    query = "INSERT INTO turns (name, next) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET next = next + 1 RETURNING next - 1"
    (number,) = connection.execute(query, (name,)).fetchone()
    return int(number)
