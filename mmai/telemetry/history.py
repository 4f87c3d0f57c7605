"""Every run, kept where `mmai` can learn from it. A history that fails costs one warning and never the run."""

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from mmai.errors import StorageError
from mmai.telemetry import conversations, database, judgements, observed, rows, traffic, uses
from mmai.values.conversation import Conversation, Hit, Listed
from mmai.values.model import Profile
from mmai.values.outcome import Judged, Outcome
from mmai.values.record import RunRecord
from mmai.values.request import Part
from mmai.values.traffic import Place, Use

Result = TypeVar("Result")


class History:
    """The database of runs, opened at its first use.

    After a failure this object keeps nothing more and finds nothing, and `warn` has had its one sentence. A database whose
    bytes are damaged is renamed, which is the sentence then, and a new one is begun. `close` when done.
    """

    def __init__(self, path: Path, *, warn: Callable[[str], None]) -> None:
        self.path = path
        self._warn = warn
        self._warned = False
        self._broken = False
        self._connection: sqlite3.Connection | None = None

    def start(self, record: RunRecord) -> None:
        """Keep a run before its first request is sent, so that one that is killed leaves a trace."""
        self._use(lambda connection: rows.put(connection, record), None)

    def finish(self, record: RunRecord) -> None:
        """Keep the run as it ended, with its attempts, whether or not its start was kept."""

        def put(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                rows.put(connection, record)
                rows.put_attempts(connection, record)
                judgements.mark_rerun(connection, record)

        self._use(put, None)

    def finish_all(self, records: Sequence[RunRecord]) -> None:
        """Keep many runs as they ended, in one transaction."""

        def put(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                for record in records:
                    rows.put(connection, record)
                    rows.put_attempts(connection, record)

        self._use(put, None)

    def recent(self, limit: int = 20) -> list[RunRecord]:
        """The latest runs, the newest first."""
        return self._use(lambda connection: rows.select(connection, "ORDER BY id DESC LIMIT ?", limit, now=time.time()), [])

    def get(self, run_id: str) -> RunRecord | None:
        """One run, or None."""
        return self._use(
            lambda connection: next(iter(rows.select(connection, "WHERE id = ?", run_id, now=time.time())), None), None
        )

    def beginning(self, prefix: str) -> list[RunRecord]:
        """The runs whose id begins so, two at the most.

        Raises:
            StorageError: they cannot be read.
        """
        condition = "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 2"
        return self._demand(lambda connection: rows.select(connection, condition, prefix, prefix + "\x7f", now=time.time()))

    def ended(self) -> RunRecord | None:
        """The latest run that is over.

        Raises:
            StorageError: it cannot be read.
        """
        condition = "WHERE status <> 'running' ORDER BY id DESC LIMIT 1"
        return self._demand(lambda connection: next(iter(rows.select(connection, condition, now=time.time())), None))

    def judged(self, *, since: float, now: float) -> list[Judged]:
        """What came of the runs since then (unix seconds) that nobody rated."""
        return self._use(lambda connection: judgements.judged(connection, since=since, now=now), [])

    def rate(self, run_id: str, outcome: Outcome | None, *, count: Callable[[Outcome | None], None]) -> None:
        """Keep how a run is rated; None takes its rating back. `count` is handed the rating it had until now, while nobody else
        can rate; when it raises, nothing is kept.

        Raises:
            StorageError: it cannot be kept.
        """

        def put(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                before = judgements.rating(connection, run_id)
                judgements.rate(connection, run_id, outcome)
                count(before)

        self._demand(put)

    def profiles(self, *, since: float) -> dict[str, Profile]:
        """By model, how its runs since `since` (unix seconds) went."""
        return self._use(lambda connection: observed.profiles(connection, since=since), {})

    def spent_usd(self, *, since: float) -> float | None:
        """What the runs that began since then (unix seconds) cost, as far as that is known; None when it cannot be read."""
        query = "SELECT total(cost_usd) FROM runs WHERE started_at >= ? AND cost_usd > 0"
        return self._use(
            lambda connection: float(connection.execute(query, (since,)).fetchone()[0]), None, lost=", and no budget is held"
        )

    def conversation(self, reference: str | None = None) -> Conversation | None:
        """The latest conversation, or that of a name, an id or the beginning of one; None where there is none.

        Raises:
            UsageError: several ids begin so.
            StorageError: it cannot be read.
        """
        return self._demand(lambda connection: conversations.find(connection, reference))

    def conversations(self, limit: int) -> list[Listed]:
        """The latest ones first; a limit of -1 is none.

        Raises:
            StorageError: they cannot be read.
        """
        return self._demand(lambda connection: conversations.latest(connection, limit))

    def search(self, words: Sequence[str], limit: int) -> list[Hit]:
        """Runs with all of these words, or words that begin so; the best first.

        Raises:
            StorageError: they cannot be read.
        """
        return self._demand(lambda connection: conversations.search(connection, words, limit))

    def attach(self, run_id: str, parts: Sequence[Part]) -> None:
        """Keep the images and recordings of a prompt."""
        self._use(lambda connection: conversations.attach(connection, run_id, parts), None)

    def claim_name(self, conversation: str, wanted: str) -> str:
        """The id of the conversation of that name: this one, unless somebody else has begun another under it.

        Raises:
            StorageError: it cannot be kept.
        """
        return self._demand(lambda connection: conversations.claim(connection, conversation, wanted))

    def name(self, conversation: str, wanted: str) -> None:
        """Call a conversation so.

        Raises:
            UsageError: another one is called so.
            StorageError: it cannot be kept.
        """
        self._demand(lambda connection: conversations.name(connection, conversation, wanted))

    def forget(self, talks: Sequence[str]) -> int:
        """Take the words of conversations away; what their runs cost stays. Returns how many runs that were.

        Raises:
            StorageError: they cannot be.
        """

        def put(connection: sqlite3.Connection) -> int:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                return conversations.forget(connection, talks)

        return self._demand(put)

    def idle_since(self, before: float) -> list[str]:
        """Ids of conversations nobody has gone on with since then (unix seconds).

        Raises:
            StorageError: they cannot be read.
        """
        return self._demand(lambda connection: conversations.older_than(connection, before))

    def places(self, keys: Collection[str], *, now: float) -> dict[str, Place]:
        """What is known of places that are called, by key."""
        return self._use(lambda connection: traffic.places(connection, keys, now=now), {})

    def telling_places(self, *, now: float) -> list[Place]:
        """The places of which there is something to say: that they are left alone, or how many calls at a time are wise."""
        return self._use(lambda connection: traffic.telling(connection, now=now), [])

    def keep_places(self, changed: Collection[Place], *, now: float) -> None:
        """Keep what became of places."""
        self._use(lambda connection: traffic.keep(connection, changed, now=now), None)

    def claim(self, key: str, *, now: float) -> bool:
        """Whether nobody else is trying the place out."""
        return self._use(lambda connection: traffic.claim(connection, key, now=now), True)

    def lease(self, calls: Mapping[str, int], *, now: float) -> None:
        """Tell others how many calls are under way from here, by place."""
        self._use(lambda connection: traffic.lease(connection, calls, now=now), None)

    def leased(self, *, now: float) -> dict[str, int]:
        """How many are under way from elsewhere, by place."""
        return self._use(lambda connection: traffic.leased(connection, now=now), {})

    def turn(self, name: str) -> int | None:
        """Whose turn it is of those that take turns, counted over all processes; None when that cannot be told."""
        return self._use(lambda connection: traffic.turn(connection, name), None)

    def uses(self, refs: Sequence[str], *, now: float) -> dict[str, Use]:
        """By reference, what is remembered of local models."""
        return self._use(lambda connection: uses.uses(connection, refs, now=now), {})

    def most_used(self, *, since: float) -> list[str]:
        """References of the models that were called since then (unix seconds), the most used first."""
        return self._use(lambda connection: uses.most_used(connection, since=since), [])

    def seen_loaded(self, sizes: Mapping[str, tuple[int | None, float | None]], *, now: float) -> None:
        """Remember the bytes models hold in memory, and the milliseconds it took to load them."""
        self._use(lambda connection: uses.seen_loaded(connection, sizes, now=now), None)

    def close(self) -> None:
        """Let go of the database. May be called twice."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def _use(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result, *, lost: str = "") -> Result:
        if self._broken:
            return otherwise
        try:
            return self._mended(work)
        except (sqlite3.Error, OSError, StorageError, ValueError, OverflowError) as exc:
            self._broken = True
            self.close()
            self._warn_once(f"no history is kept in `{self.path}`{lost}: {getattr(exc, 'strerror', None) or exc}")
            return otherwise

    def _demand(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._mended(work)
        except (sqlite3.Error, OSError) as exc:
            raise StorageError(f"cannot use `{self.path}`: {getattr(exc, 'strerror', None) or exc}", hint="mmai paths") from exc

    def _mended(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._run(work)
        except sqlite3.DatabaseError as exc:
            if not database.is_damaged(exc):
                raise
            self._begin_anew(exc)
            return self._run(work)

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._connection is None:
            self._connection = database.connect(self.path)
        return work(self._connection)

    def _begin_anew(self, damage: Exception) -> None:
        self.close()
        aside = database.set_aside(self.path)
        if aside is not None:
            self._warn_once(f"`{self.path}` is damaged ({damage}): a new history is begun, and the old one is `{aside}`")

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(sentence)
