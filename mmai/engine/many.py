"""Many prompts through the engine, a bounded number at a time: each is a run of its own, and all share what is known of places."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from msgspec import Struct

from mmai.clock import Clock
from mmai.engine.run import Ended, Run
from mmai.engine.session import Session
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.engine.wish import AUTO, Choice, Wish, with_task
from mmai.errors import MmaiError
from mmai.telemetry.ids import new_id
from mmai.values.event import VectorEvent
from mmai.values.record import RunRecord
from mmai.values.request import Request

T = TypeVar("T")

GROUP, GROUP_S = 200, 0.5
"""Runs that go into the history in one transaction, and how long one of them waits at the most."""


class Answered(Struct, frozen=True, kw_only=True):
    """What came of one prompt."""

    record: RunRecord
    error: MmaiError | None
    """Why there is no answer, or why the one there is does not count."""
    vector: tuple[float, ...] | None = None


class Asker:
    """Sends one request after another, each to whoever is best for it."""

    def __init__(
        self,
        choose: Callable[[Request], Choice],
        wish: Wish,
        *,
        session: Session,
        traffic: Traffic,
        log: "GroupedLog | None",
        clock: Clock,
        timeout_s: float | None,
        check: Callable[[str], Any] | None,
        restart_on_cut: bool,
    ) -> None:
        """`timeout_s` is for each request, from its first call on."""
        self._choose = choose
        self._wish = wish
        self._session = session
        self._traffic = traffic
        self._log = log
        self._clock = clock
        self._timeout_s = timeout_s
        self._check = check
        self._restart_on_cut = restart_on_cut

    async def ask(self, request: Request) -> Answered:
        """The answer, or the error in its place. Only cancellation leaves as an exception."""
        tally = Tally(
            request, run_id=new_id(self._clock.now()), clock=self._clock, automatic=self._wish.model == AUTO, conversation=""
        )
        try:
            choice = self._choose(request)
        except MmaiError as error:
            return Answered(record=tally.record, error=error)
        run = Run(
            with_task(request, choice.decision, self._wish),
            choice.routes,
            session=self._session,
            traffic=self._traffic,
            tally=tally,
            log=self._log,
            timeout_s=self._timeout_s,
            check=self._check,
            restart_on_cut=self._restart_on_cut,
            patient=True,
        )
        vector, end = None, None
        async with aclosing(run.steps()) as steps:
            async for step in steps:
                if isinstance(step, VectorEvent):
                    vector = step.values
                elif isinstance(step, Ended):
                    end = step
        assert end is not None
        return Answered(record=end.record, error=end.error, vector=vector)


async def side_by_side(
    rows: Callable[[], Awaitable[T | None]],
    ask: Callable[[T], Awaitable[Answered]],
    take: Callable[[T, Answered], None],
    *,
    most: int,
) -> None:
    """Ask every row, at most `most` at a time, and hand each answer to `take` the moment it is whole: nothing that was paid for waits
    anywhere while somebody stops the rest. `rows` gives the next row, and None at the end.

    What `rows` raises is raised when those that were begun are done; what `take` raises ends all of them.
    """
    turn = asyncio.Lock()
    over = False
    unread: MmaiError | None = None

    async def following() -> T | None:
        nonlocal over, unread
        async with turn:
            try:
                row = None if over else await rows()
            except MmaiError as error:
                row, unread = None, error
            over = row is None
            return row

    async def work() -> None:
        while (row := await following()) is not None:
            take(row, await ask(row))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(most):
                group.create_task(work())
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None
    if unread is not None:
        raise unread


class Feed:
    """Rows that are read in a thread of their own, since whoever writes them may take as long as they like."""

    AHEAD = 16

    def __init__(self, rows: Iterator[T]) -> None:
        self._rows: asyncio.Queue[Any] = asyncio.Queue()
        self._room = threading.Semaphore(self.AHEAD)
        self._loop = asyncio.get_running_loop()
        self._over = False
        # A daemon: nobody waits for a pipe that is never closed.
        threading.Thread(target=self._read, args=(rows,), daemon=True).start()

    async def next(self) -> Any:
        """The next row, None at the end; raises what reading it raised."""
        if self._over:
            return None
        row = await self._rows.get()
        self._room.release()
        self._over = row is None or isinstance(row, BaseException)
        if isinstance(row, BaseException):
            raise row
        return row

    def _read(self, rows: Iterator[Any]) -> None:
        last: BaseException | None = None
        try:
            for row in rows:
                self._room.acquire()
                self._hand_over(row)
        except BaseException as exc:
            last = exc
        self._hand_over(last)

    def _hand_over(self, row: object) -> None:
        with suppress(RuntimeError):  # The loop is gone, and with it whoever wanted to know.
            self._loop.call_soon_threadsafe(self._rows.put_nowait, row)


class GroupedLog:
    """Keeps runs in the history, many in one transaction. `flush` when done."""

    def __init__(self, keep: Callable[[list[RunRecord]], None], *, clock: Clock) -> None:
        self._keep = keep
        self._clock = clock
        self._waiting: list[RunRecord] = []
        self._kept_at = clock.monotonic()

    def start(self, record: RunRecord) -> None:
        """A run that is killed leaves no row: its prompt stands in the file it came from."""

    def finish(self, record: RunRecord) -> None:
        """Keep it soon."""
        if record.status == "cancelled":
            return
        self._waiting.append(record)
        if len(self._waiting) >= GROUP or self._clock.monotonic() - self._kept_at >= GROUP_S:
            self.flush()

    def flush(self) -> None:
        """Keep what waits, now."""
        waiting, self._waiting = self._waiting, []
        self._kept_at = self._clock.monotonic()
        if waiting:
            self._keep(waiting)
