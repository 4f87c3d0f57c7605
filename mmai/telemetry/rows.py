"""A `RunRecord` as rows of the history, and back."""

import os
import sqlite3
import sys

from msgspec import Struct, convert, json
from msgspec.structs import asdict, astuple, replace

from mmai.values.execution import Execution
from mmai.values.record import Attempt, RunRecord

TEXT_LIMIT = 1_000_000
"""Characters kept of a prompt, a system prompt and an answer each."""

RUNNING_LIMIT_S = 86_400.0
"""A run that began longer ago than this is over, whatever process has its number now."""

ATTEMPT_FIELDS = Attempt.__struct_fields__


def put(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Insert the run, or put it over what stands under its id."""
    row = _row(record)
    columns, places = ", ".join(row), ", ".join("?" * len(row))
    updates = ", ".join(f"{column} = excluded.{column}" for column in row)
    connection.execute(
        f"INSERT INTO runs ({columns}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {updates}",  # noqa: S608 - our own names
        tuple(row.values()),
    )


def put_attempts(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Put the attempts of a run in place of those that stand there."""
    connection.execute("DELETE FROM attempts WHERE run_id = ?", (record.id,))
    connection.executemany(
        f"INSERT INTO attempts (run_id, position, {', '.join(ATTEMPT_FIELDS)}) VALUES (?, ?{', ?' * len(ATTEMPT_FIELDS)})",  # noqa: S608
        [(record.id, position, *map(_kept, astuple(attempt))) for position, attempt in enumerate(record.attempts)],
    )


def select(connection: sqlite3.Connection, condition: str, *values: object, now: float) -> list[RunRecord]:
    """The runs that meet an SQL condition, with their attempts."""
    cursor = connection.execute(f"SELECT * FROM runs {condition}", values)  # noqa: S608 - conditions are our own constants
    columns = [column for column, *_ in cursor.description]
    rows = [dict(zip(columns, row, strict=True)) for row in cursor]
    return [_settled(_record(row, _attempts(connection, row["id"])), row["pid"], now) for row in rows]


def _row(record: RunRecord) -> dict[str, object]:
    row: dict[str, object] = {"pid": os.getpid()}
    for field, value in asdict(record).items():
        if field == "execution":
            row |= _executed(record.execution)
        elif isinstance(value, Struct):
            row |= {f"{field}_{name}": part for name, part in asdict(value).items()}
        elif field != "attempts":
            row[field] = _kept(value)
    return row


def _executed(execution: Execution | None) -> dict[str, object]:
    """Whole as JSON, and what profiles are made of in columns of its own."""
    if execution is None:
        return dict.fromkeys(("executor", "memory_bytes", "execution"))
    return {
        "executor": execution.executor,
        "memory_bytes": execution.memory_bytes,
        "execution": json.encode(execution).decode(),
    }


def _kept(value: object) -> object:
    """Text within the limit, and without the halves of characters that undecodable arguments leave in Python's strings."""
    return value[:TEXT_LIMIT].encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _record(row: dict[str, object], attempts: list[dict[str, object]]) -> RunRecord:
    fields: dict[str, object] = {"attempts": attempts}
    parts: dict[str, dict[str, object]] = {"usage": {}, "timings": {}, "server": {}}
    for column, value in row.items():
        group, _, name = column.partition("_")
        if group in parts:
            parts[group][name] = value
        elif column == "execution":
            fields[column] = None if value is None else json.decode(str(value))
        else:
            fields[column] = value
    return convert(fields | parts, RunRecord, strict=False)  # SQLite keeps truth values as 0 and 1.


def _attempts(connection: sqlite3.Connection, run_id: object) -> list[dict[str, object]]:
    fields = ", ".join(ATTEMPT_FIELDS)
    query = f"SELECT {fields} FROM attempts WHERE run_id = ? ORDER BY position"  # noqa: S608 - our own names
    return [dict(zip(ATTEMPT_FIELDS, row, strict=True)) for row in connection.execute(query, (run_id,))]


def _settled(record: RunRecord, pid: int, now: float) -> RunRecord:
    """A run whose process was killed never came to its end, and reads so; the row stays as it is."""
    if record.status != "running" or (now - record.started_at < RUNNING_LIMIT_S and lives(pid)):
        return record
    return replace(record, status="incomplete", error_code="interrupted")


def lives(pid: int) -> bool:
    """Whether there is a process of that number."""
    if sys.platform == "win32":
        return True  # There, the question would end the process.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # Another user's.
        pass
    return True
