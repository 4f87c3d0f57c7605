"""The command beside two fault walls, and what must be true after every run, whatever it met.

- The walls saw exactly the attempts that the run tells of, in its JSON and in the history: none is lost, none is made up.
- No route is called more than twice, and nobody is called after somebody answered: nothing is answered twice.
- What ended well is the whole answer, with exit code 0, status `ok` and one row in the history; nothing else has any of these.
- Every connection is closed. No key and no traceback is in anything that was said.
"""

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

from command import PATIENCE_S, Mmai, Result
from fakes.fault_wall import ANSWER, LONG, SPLIT, Call, FaultWall

SECRETS = ("key-one-0123456789", "key-two-0123456789", "key-three-0123456789")
WAITS = {"first_token_timeout_ms": 300, "stall_timeout_ms": 300}
MOST_CALLS = 2
"""Of one route by one run."""


class Ran(NamedTuple):
    """One run as its user saw it."""

    exit_code: int
    stdout: str
    stderr: str
    calls: tuple[str, ...]
    """Models that were called, in order, as `wall:ok`; from the walls' journals."""
    row: "Row"

    @property
    def envelope(self) -> Any:
        return json.loads(self.stdout)

    @property
    def text(self) -> str:
        return str(self.envelope["data"]["text"])

    @property
    def classes(self) -> list[str | None]:
        """Of each attempt, None where it answered."""
        return [attempt["class"] for attempt in self.envelope["data"]["attempts"]]


class Row(NamedTuple):
    """What the history keeps of a run."""

    id: str
    status: str
    text: str
    attempts: "tuple[Tried, ...]"


class Tried(NamedTuple):
    """One attempt as the history keeps it."""

    model: str
    endpoint: str
    failure: str | None


class Scene:
    """`scene("-m", "wall:cut")` runs a prompt and holds what came of it against the journals."""

    def __init__(self, mmai: Mmai, wall: FaultWall, spare: FaultWall) -> None:
        self.mmai = mmai
        self.walls = {"wall": wall, "spare": spare}

    def configure(self, more: str = "", **waits: object) -> None:
        """Settings with both walls, as `wall`, `spare`, and `wall-ollama`; `more` are further lines under `backends`."""
        held = ", ".join(f"{name}: {value}" for name, value in {**WAITS, **waits}.items())
        wall, spare = self.walls["wall"], self.walls["spare"]
        self.mmai.configure(
            "backends:\n"
            f"  wall: {{kind: openai, endpoint: '{wall.base_url}', api_key: {SECRETS[0]}, {held}}}\n"
            f"  spare: {{kind: openai, endpoint: '{spare.base_url}', api_key: {SECRETS[1]}, {held}}}\n"
            f"  wall-ollama: {{kind: ollama, endpoint: '{wall.url}', {held}}}\n{more}"
        )

    def __call__(self, *args: str, as_json: bool = True, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Ran:
        """One run to its end."""
        before = self._tried()
        result = self.mmai("run", "go", *args, *(["--json"] if as_json else []), stdin=stdin, env=env)
        return self.held(result, before)

    def start(self, *args: str, **more: Any) -> "Started":
        """One run that is left going."""
        before = self._tried()
        return Started(self, self.mmai.start("run", "go", *args, **more), before)

    def held(self, result: Result, before: Sequence[Call] = ()) -> Ran:
        """What a run was, having looked at everything that must be true of it."""
        calls = self._tried()[len(before) :]
        row = self.rows()[-1]
        ran = Ran(*result, tuple(self._name(call) for call in calls), row)
        self._hold_counts(ran, calls)
        self._hold_end(ran)
        assert "Traceback" not in ran.stderr, ran.stderr
        assert not any(secret in ran.stdout + ran.stderr + repr(row) for secret in SECRETS)
        self.wait_closed()
        return ran

    def rows(self) -> list[Row]:
        """The history, oldest first."""
        with closing(sqlite3.connect(self.mmai.home / "mmai" / "history.db")) as database:
            runs = database.execute("SELECT id, status, text FROM runs ORDER BY id").fetchall()
            tried = database.execute(
                "SELECT run_id, model, coalesce(endpoint, ''), failure FROM attempts ORDER BY run_id, position"
            ).fetchall()
        return [
            Row(run_id, status, text, tuple(Tried(*attempt) for of, *attempt in tried if of == run_id))
            for run_id, status, text in runs
        ]

    def age(self, by_s: float) -> None:
        """Let what is kept of places be so much older, as if that time had passed."""
        with closing(sqlite3.connect(self.mmai.home / "mmai" / "history.db")) as database, database:
            for key, state in database.execute("SELECT key, state FROM places WHERE state <> ''").fetchall():
                place = json.loads(state)
                place |= {name: place[name] - by_s for name in ("open_until", "recovered_at", "latency_at") if name in place}
                place["recent"] = [(at - by_s, weight) for at, weight in place.get("recent", ())]
                query = "UPDATE places SET state = ?, changed_at = changed_at - ?, probed_at = probed_at - ? WHERE key = ?"
                database.execute(query, (json.dumps(place), by_s, by_s, key))

    def wait_closed(self) -> None:
        """Until no connection is open."""
        for wall in self.walls.values():
            wall.journal.wait_all_closed()

    def leave(self) -> None:
        """The scene is over: let go of whoever is held, and see that nobody stayed."""
        for wall in self.walls.values():
            wall.gate.open()
        self.wait_closed()

    def _tried(self) -> list[Call]:
        return sorted((call for wall in self.walls.values() for call in wall.tried), key=lambda call: call.at)

    def _name(self, call: Call) -> str:
        name = next(name for name, wall in self.walls.items() if wall.url == call.wall)
        return f"{name}{'-ollama' if call.seen.path == '/api/chat' else ''}:{call.model}"

    def _hold_counts(self, ran: Ran, calls: Sequence[Call]) -> None:
        urls = tuple(wall.url for wall in self.walls.values())
        told = [(attempt.model.partition(":")[2], attempt.endpoint) for attempt in ran.row.attempts]
        sent = [(name, url) for name, url in told if url.startswith(urls)]
        seen = [call.model for call in calls]
        if ran.row.status in ("cancelled", "running") and len(sent) < len(seen):
            seen.pop()  # That one was under way.
        assert [name for name, _ in sent] == seen, "the history tells of others than the servers saw"
        assert max(Counter((call.wall, call.model, call.key) for call in calls).values(), default=0) <= MOST_CALLS
        answered = [attempt.failure is None for attempt in ran.row.attempts]
        assert True not in answered[:-1], "somebody was called after the answer"

    def _hold_end(self, ran: Ran) -> None:
        whole = ran.row.status == "ok"
        assert (ran.exit_code == 0) == whole, (ran.exit_code, ran.row, ran.stderr)
        if whole:
            assert ran.row.text in (ANSWER, SPLIT + ANSWER, LONG), "a truncated answer was called whole"
            assert ran.row.attempts[-1].failure is None
        else:
            assert all(attempt.failure is not None for attempt in ran.row.attempts)
        if ran.stdout.startswith('{"version"'):
            envelope = ran.envelope
            assert (envelope["status"] == "ok") == whole
            assert (envelope["error"] is None) == whole
            told = envelope["data"].get("attempts", [])
            assert (
                tuple(Tried(attempt["model"], attempt["endpoint"] or "", attempt["class"]) for attempt in told)
                == ran.row.attempts
            )
            assert envelope["data"].get("text", "") == ran.row.text
        elif whole:
            assert ran.stdout.rstrip("\n") == ran.row.text.rstrip("\n")


class Started:
    """A run under way."""

    def __init__(self, scene: Scene, process: "subprocess.Popen[bytes]", before: Sequence[Call]) -> None:
        self.process = process
        self._scene = scene
        self._before = before
        self._came = b""

    def read(self, count: int) -> str:
        """So much of its standard output."""
        assert self.process.stdout is not None
        while len(self._came) < count and (piece := self.process.stdout.read1(count - len(self._came))):  # type: ignore[attr-defined]
            self._came += piece
        return self._came.decode()

    def line(self) -> str:
        """The first line of its standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode()

    def leave(self) -> None:
        """Close its standard output."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stdout = None

    def end(self) -> Result:
        """What it said in the end."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        return Result(self.process.returncode, (self._came + (stdout or b"")).decode(), stderr.decode())

    def ended(self) -> Ran:
        """The same, where nothing else ran meanwhile: with the invariants looked at."""
        return self._scene.held(self.end(), self._before)
