"""The SQLite file behind the history: opening, migrating, and setting a damaged one aside."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from mmai import files
from mmai.errors import StorageError

BUSY_S = 10.0
"""How long a writer waits for another one; a write takes about a millisecond."""

RETRY_S = 0.005
MAGIC = b"SQLite format 3\0"


class Damaged(sqlite3.DatabaseError):
    """The file does not begin as a database does."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database for one process, made with mode 0600 and brought up to date as needed. Every statement commits itself.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
        StorageError: a newer mmai has changed its tables.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _look(path)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # In WAL mode a power cut may then cost the latest rows, but never the file, and a commit waits for no disk.
        connection.execute("PRAGMA synchronous=NORMAL")
        if _version(connection) != len(MIGRATIONS):
            _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _look(path: Path) -> None:
    """Make the file if there is none, and see that it begins as a database does.

    SQLite would see that as well, but takes the log beside the file by its name: while a damaged file is being set aside, it
    would write the log of the new one into the old.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        start = os.read(descriptor, len(MAGIC))
    finally:
        os.close(descriptor)
    if start not in (b"", MAGIC):
        raise Damaged("file is not a database")


def is_damaged(error: Exception) -> bool:
    """The bytes are not those of a database, as opposed to a lock, a full disk or a missing permission."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> Path | None:
    """Rename a damaged database, for `sqlite3 FILE .recover`; a person's history is not ours to delete.

    None when it is sound after all: another process was quicker, and a new one is in its place.

    Raises:
        sqlite3.Error, OSError, StorageError: it cannot be renamed.
    """
    with files.locked(path):
        if _is_sound(path):
            return None
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        # The log goes first: a new database would take an old log that lies beside it for its own.
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside


def _is_sound(path: Path) -> bool:
    try:
        with closing(connect(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(verdict == "ok")
    except sqlite3.DatabaseError as exc:
        if is_damaged(exc):
            return False
        raise


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise StorageError(
            f"`{path}` has version {version}, from a newer mmai; this one knows {len(MIGRATIONS)}",
            hint="pip install --upgrade mmai",
        )
    _use_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits or rolls back
        for migration in MIGRATIONS[_version(connection) :]:
            migration(connection)
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and one writer work at a time.

    SQLite answers some races for this switch with an error at once, busy timeout or not: 9 of 500 processes, 50 at a time.
    """
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _runs_and_attempts(connection: sqlite3.Connection) -> None:
    """Texts stand last in a row, so that reading figures leaves their pages alone."""
    connection.execute("""
        CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            started_at REAL NOT NULL,
            status TEXT NOT NULL,
            pid INTEGER NOT NULL,
            model TEXT,
            task TEXT,
            automatic INTEGER NOT NULL,
            finish_reason TEXT,
            error_code TEXT,
            usage_input_tokens INTEGER,
            usage_output_tokens INTEGER,
            usage_cached_tokens INTEGER,
            usage_reasoning_tokens INTEGER,
            usage_estimated INTEGER NOT NULL,
            cost_usd REAL,
            timings_startup_ms REAL,
            timings_ttft_ms REAL,
            timings_total_ms REAL,
            server_load_ms REAL,
            server_prompt_ms REAL,
            server_decode_ms REAL,
            server_total_ms REAL,
            server_prompt_tokens_per_second REAL,
            server_decode_tokens_per_second REAL,
            prompt TEXT NOT NULL,
            system TEXT NOT NULL,
            text TEXT NOT NULL
        )""")
    connection.execute("CREATE INDEX successes ON runs (model, started_at) WHERE status = 'ok'")
    connection.execute("""
        CREATE TABLE attempts (
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            model TEXT NOT NULL,
            endpoint TEXT,
            failure TEXT,
            message TEXT,
            status INTEGER,
            ms REAL NOT NULL,
            PRIMARY KEY (run_id, position)
        ) WITHOUT ROWID""")
    connection.execute("CREATE INDEX failures ON attempts (model, failure) WHERE failure IS NOT NULL")


def _billed_usage(connection: sqlite3.Connection) -> None:
    """What hosted models charge for beside plain tokens, and an index to add up what was spent since a day."""
    for column in ("cache_write_tokens INTEGER", "audio_tokens INTEGER", "images INTEGER", "audio_s REAL"):
        connection.execute(f"ALTER TABLE runs ADD COLUMN usage_{column}")
    connection.execute("CREATE INDEX spending ON runs (started_at, cost_usd) WHERE cost_usd > 0")


def _executors(connection: sqlite3.Connection) -> None:
    """What ran a model in a file, and how. Profiles leave the reference executor out, so its runs are not in their index."""
    for column in ("executor TEXT", "memory_bytes INTEGER", "execution TEXT"):
        connection.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    connection.execute("ALTER TABLE attempts ADD COLUMN executor TEXT")
    connection.execute("DROP INDEX successes")
    connection.execute("CREATE INDEX successes ON runs (model, started_at) WHERE status = 'ok' AND executor IS NOT 'reference'")


def _judgements(connection: sqlite3.Connection) -> None:
    """What tells whether an answer was any good. One index finds the run before this one of the same prompt; the other holds all
    that is counted, so that counting reads no row of texts.
    """
    for column in ("fingerprint TEXT", "judgement TEXT", "rerun INTEGER", "rating REAL", "rated_at REAL", "rated_task TEXT"):
        connection.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    connection.execute("CREATE INDEX repetitions ON runs (fingerprint, started_at) WHERE fingerprint IS NOT NULL")
    connection.execute("""
        CREATE INDEX judged ON runs (started_at, model, task, judgement, rerun, fingerprint, rating, executor, status)
        WHERE fingerprint IS NOT NULL AND rating IS NULL AND executor IS NOT 'reference'
          AND (status = 'ok' OR judgement = 'schema_broken')""")


def _traffic(connection: sqlite3.Connection) -> None:
    """What processes tell each other of the places they call: how those are, how many calls are under way, whose turn it is."""
    for column in ("credential INTEGER NOT NULL DEFAULT 0", "cost_usd REAL"):
        connection.execute(f"ALTER TABLE attempts ADD COLUMN {column}")
    connection.execute(
        "CREATE TABLE places (key TEXT PRIMARY KEY, changed_at REAL NOT NULL, probed_at REAL, state TEXT NOT NULL) WITHOUT ROWID"
    )
    connection.execute("""
        CREATE TABLE leases (
            pid INTEGER NOT NULL,
            key TEXT NOT NULL,
            calls INTEGER NOT NULL,
            changed_at REAL NOT NULL,
            PRIMARY KEY (pid, key)
        ) WITHOUT ROWID""")
    connection.execute("CREATE TABLE turns (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID")


def _conversations(connection: sqlite3.Connection) -> None:
    """Runs are the turns of conversations. One index holds all that a list of them needs, so that listing reads no row of texts;
    what is attached to prompts stands once, however often it is asked about.
    """
    connection.execute("ALTER TABLE runs ADD COLUMN conversation TEXT")
    connection.execute("CREATE INDEX turns_of ON runs (conversation, id) WHERE conversation IS NOT NULL")
    connection.execute("CREATE INDEX talks ON runs (id, conversation, status, model) WHERE fingerprint IS NOT NULL")
    connection.execute("CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT UNIQUE) WITHOUT ROWID")
    connection.execute("""
        CREATE TABLE attachments (
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            media_type TEXT NOT NULL,
            name TEXT,
            content TEXT NOT NULL,
            PRIMARY KEY (run_id, position)
        ) WITHOUT ROWID""")
    connection.execute("CREATE TABLE contents (key TEXT PRIMARY KEY, data BLOB NOT NULL)")


def _residents(connection: sqlite3.Connection) -> None:
    """What local models were seen to hold in memory, and how long they took to load."""
    connection.execute(
        "CREATE TABLE residents (ref TEXT PRIMARY KEY, size_bytes REAL, load_ms REAL, loaded_at REAL) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _runs_and_attempts,
    _billed_usage,
    _executors,
    _judgements,
    _traffic,
    _conversations,
    _residents,
)
"""Each brings the tables one version further. One that has shipped is never edited."""
