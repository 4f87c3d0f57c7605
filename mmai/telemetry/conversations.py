"""Conversations as rows of the history: runs are their turns, and what was attached stands beside them."""

import sqlite3
from collections.abc import Iterable, Sequence

from mmai.errors import UsageError
from mmai.values.conversation import FOUND, Conversation, Hit, Listed, Turn
from mmai.values.request import AudioPart, ImagePart, Message, Part, TextPart

MOST_BYTES = 20_000_000
"""Of one attachment; a larger one is not kept, and a conversation goes on without it."""

SHORTEST_ID = 4
"""Characters of an id that are taken for one."""

PARTS: dict[str, type[ImagePart] | type[AudioPart]] = {"image": ImagePart, "audio": AudioPart}

# The condition is that of the index `talks`.
LATEST = """
    SELECT ifnull(conversation, id) AS talk, max(id), count(*) FROM runs
    WHERE fingerprint IS NOT NULL AND conversation IS NOT '' AND status <> 'running' GROUP BY talk ORDER BY 2 DESC LIMIT ?"""

BEGINNING = 400
"""Characters of a first prompt that a list may show."""


def find(connection: sqlite3.Connection, reference: str | None) -> Conversation | None:
    """The latest one, or that of a name, an id, or the beginning of an id of any of its runs; None where there is none.

    Raises:
        UsageError: several ids begin so.
    """
    talk = _latest(connection) if reference is None else _named(connection, reference)
    return None if talk is None else load(connection, talk)


def load(connection: sqlite3.Connection, talk: str) -> Conversation | None:
    """A conversation by the id of its first run."""
    rows = connection.execute(
        "SELECT id, started_at, status, model, system, prompt, text FROM runs"
        " WHERE (id = ? OR conversation = ?) AND status <> 'running' ORDER BY id",
        (talk, talk),
    ).fetchall()
    if not rows:
        return None
    turns = tuple(
        Turn(
            run_id=run_id,
            at=started_at,
            user=Message("user", (*_attached(connection, run_id), *((TextPart(prompt),) if prompt else ()))),
            answer=Message("assistant", (TextPart(text),)) if text else None,
            model=model,
            status=status,
        )
        for run_id, started_at, status, model, _, prompt, text in rows
    )
    name = connection.execute("SELECT name FROM conversations WHERE id = ?", (talk,)).fetchone()
    return Conversation(
        id=talk,
        name=name[0] if name else None,
        system=next((row[4] for row in reversed(rows) if row[4]), ""),
        turns=turns,
        model=next((turn.model for turn in reversed(turns) if turn.model), None),
        started_at=turns[0].at,
        updated_at=turns[-1].at,
    )


def latest(connection: sqlite3.Connection, limit: int) -> list[Listed]:
    """The latest conversations, the one that was gone on with last first; a limit of -1 is none."""
    return [_listed(connection, *row) for row in connection.execute(LATEST, (limit,)).fetchall()]


def _listed(connection: sqlite3.Connection, talk: str, last: str, turns: int) -> Listed:
    query = "SELECT started_at, substr(prompt, 1, ?) FROM runs WHERE id >= ? ORDER BY id LIMIT 1"
    started_at, prompt = connection.execute(query, (BEGINNING, talk)).fetchone()
    updated_at, model = connection.execute("SELECT started_at, model FROM runs WHERE id = ?", (last,)).fetchone()
    name = connection.execute("SELECT name FROM conversations WHERE id = ?", (talk,)).fetchone()
    return Listed(
        id=talk,
        name=name[0] if name else None,
        turns=turns,
        model=model,
        started_at=started_at,
        updated_at=updated_at,
        prompt=prompt,
    )


def attach(connection: sqlite3.Connection, run_id: str, parts: Iterable[Part]) -> None:
    """Keep what is attached to a prompt, once for all runs that have the same; nothing above `MOST_BYTES`."""
    from hashlib import blake2b  # noqa: PLC0415  2 ms of a start, and few prompts have anything attached

    for position, part in enumerate(parts):
        if not isinstance(part, ImagePart | AudioPart) or len(part.data) > MOST_BYTES:
            continue
        key = blake2b(part.data, digest_size=16).hexdigest()
        connection.execute("INSERT OR IGNORE INTO contents (key, data) VALUES (?, ?)", (key, part.data))
        kind = "image" if isinstance(part, ImagePart) else "audio"
        connection.execute(
            "INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, position, kind, part.media_type, part.name, key),
        )


def name(connection: sqlite3.Connection, talk: str, wanted: str) -> None:
    """Call a conversation so.

    Raises:
        UsageError: another one is called so.
    """
    if claim(connection, talk, wanted) != talk:
        raise UsageError(f"another conversation is called `{wanted}`", hint="mmai history")


def claim(connection: sqlite3.Connection, talk: str, wanted: str) -> str:
    """The id of the conversation that is called so: this one, unless another is."""
    query = "INSERT OR IGNORE INTO conversations (id, name) VALUES (?, ?)"
    if connection.execute("UPDATE OR IGNORE conversations SET name = ? WHERE id = ?", (wanted, talk)).rowcount == 0:
        connection.execute(query, (talk, wanted))
    (found,) = connection.execute("SELECT id FROM conversations WHERE name = ?", (wanted,)).fetchone()
    return str(found)


def forget(connection: sqlite3.Connection, talks: Sequence[str]) -> int:
    """Take the words of conversations away, and what was attached to them; what their runs cost and took stays. Returns how many
    runs that were. The bytes are written over, in the index of words too.
    """
    connection.execute("PRAGMA secure_delete = ON")
    count = 0
    indexed = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'search'").fetchone()
    for talk in talks:
        ids = [run_id for (run_id,) in connection.execute("SELECT id FROM runs WHERE id = ? OR conversation = ?", (talk, talk))]
        for run_id in ids:
            if indexed:
                connection.execute("DELETE FROM search WHERE rowid = (SELECT rowid FROM runs WHERE id = ?)", (run_id,))
            connection.execute("DELETE FROM attachments WHERE run_id = ?", (run_id,))
            connection.execute("UPDATE attempts SET message = NULL WHERE run_id = ?", (run_id,))
            connection.execute(
                "UPDATE runs SET prompt = '', system = '', text = '', fingerprint = NULL, conversation = '' WHERE id = ?",
                (run_id,),
            )
        connection.execute("DELETE FROM conversations WHERE id = ?", (talk,))
        count += len(ids)
    connection.execute("DELETE FROM contents WHERE key NOT IN (SELECT content FROM attachments)")
    return count


def older_than(connection: sqlite3.Connection, before: float) -> list[str]:
    """Conversations that nobody has gone on with since then (unix seconds)."""
    found = []
    for talk, last, _ in connection.execute(LATEST, (-1,)):
        (at,) = connection.execute("SELECT started_at FROM runs WHERE id = ?", (last,)).fetchone()
        if at < before:
            found.append(talk)
    return found


def search(connection: sqlite3.Connection, words: Sequence[str], limit: int) -> list[Hit]:
    """Runs that have all of the words, or words that begin so, in prompt or answer; the best first.

    The index is brought up to date here, so that no run has to wait for it.
    """
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (prompt, text, tokenize = 'unicode61 remove_diacritics 2')"
    )
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        connection.execute("DELETE FROM search WHERE rowid IN (SELECT rowid FROM runs WHERE fingerprint IS NULL)")
        connection.execute("""
            INSERT INTO search (rowid, prompt, text) SELECT rowid, prompt, text FROM runs
            WHERE fingerprint IS NOT NULL AND status <> 'running' AND rowid NOT IN (SELECT rowid FROM search)""")
    wanted = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
    query = """
        SELECT runs.id, ifnull(nullif(runs.conversation, ''), runs.id), runs.started_at, runs.model,
               snippet(search, -1, ?, ?, '…', 16)
        FROM search JOIN runs ON runs.rowid = search.rowid WHERE search MATCH ? ORDER BY rank LIMIT ?"""
    return [
        Hit(run_id=run_id, conversation=talk, at=at, model=model, snippet=snippet)
        for run_id, talk, at, model, snippet in connection.execute(query, (*FOUND, wanted, limit))
    ]


def _latest(connection: sqlite3.Connection) -> str | None:
    row = connection.execute(LATEST, (1,)).fetchone()
    return None if row is None else str(row[0])


def _named(connection: sqlite3.Connection, reference: str) -> str | None:
    row = connection.execute("SELECT id FROM conversations WHERE name = ?", (reference,)).fetchone()
    if row is not None:
        return str(row[0])
    if len(reference) < SHORTEST_ID:
        return None
    prefix = reference.upper()
    query = "SELECT DISTINCT ifnull(nullif(conversation, ''), id) FROM runs WHERE id BETWEEN ? AND ? AND fingerprint IS NOT NULL LIMIT 2"
    match [str(talk) for (talk,) in connection.execute(query, (prefix, prefix + "\x7f"))]:
        case []:
            return None
        case [talk]:
            return talk
        case [first, second]:
            raise UsageError(
                f"`{reference}` begins the ids of several conversations: `{first}`, `{second}`", hint="mmai history"
            )
    return None


def _attached(connection: sqlite3.Connection, run_id: str) -> tuple[Part, ...]:
    query = """
        SELECT kind, contents.data, media_type, name FROM attachments JOIN contents ON contents.key = attachments.content
        WHERE run_id = ? ORDER BY position"""
    return tuple(
        PARTS[kind](data, media_type, called) for kind, data, media_type, called in connection.execute(query, (run_id,))
    )
