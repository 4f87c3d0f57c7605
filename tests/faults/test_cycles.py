"""A thousand requests over every fault in one process: nothing lost, nothing answered twice, and nothing that grows."""

import asyncio
import gc
import os
import random
import tracemalloc
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple

from builders import a_card
from fakes.fault_wall import ANSWER, SPLIT, FaultWall
from fakes.wall import WAIT_S

from mmai.clock import Clock
from mmai.engine.retry import RetryBudget
from mmai.engine.run import Ended, Restarted, Run
from mmai.engine.session import Route, Session
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.values.endpoint import Endpoint, Timeouts
from mmai.values.event import TextEvent
from mmai.values.record import RunRecord, RunStatus
from mmai.values.request import Message, Request, TextPart

CYCLES, WARM_AT, AT_A_TIME = 1_000, 200, 40
GROWTH_BYTES = 512 * 1024
"""Most that may be allocated at the end beyond what was after `WARM_AT` cycles. 12 to 32 KiB are on an idle machine, some hundred
on a busy one, where the servers, which live in this process too, are still at work; requests that stayed would be 8,000.
"""

WAITS = Timeouts(connect_s=1.0, first_token_s=0.3, stall_s=0.3, total_s=1.0)
FAULTS = (
    "ok", "ok+b", "silent", "headers-then-silence", "stall", "reset", "reset-in-head", "closed", "cut", "reset-in-stream",
    "200-short", "length-too-long", "no-length", "bad-chunk", "429-always", "429-tomorrow", "quota", "503", "flap", "invalid",
    "gone", "403", "redirect", "context", "token-limit", "split-utf8", "crlf", "hints", "at-once", "bad-json-twice", "200-html",
    "200-empty", "200-gzip", "not-http", "no-done", "no-done-no-finish", "answer-twice", "error-in-stream",
    "error-at-once-in-stream",
)  # fmt: skip
LEAVES = ("at once", "at the first word", "by cancellation")
DESCRIPTORS = next((Path(folder) for folder in ("/proc/self/fd", "/dev/fd") if Path(folder).is_dir()), None)


class Later(Clock):
    """A clock by which minutes pass between two cycles, so that whoever was left alone is tried out again."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> float:
        return super().now() + self.passed_s

    def monotonic(self) -> float:
        return super().monotonic() + self.passed_s


class Held(NamedTuple):
    """What the process holds."""

    tasks: int
    descriptors: int
    allocated_bytes: int


class Ring:
    """Requests, one after the other, and what became of them."""

    def __init__(self, walls: list[FaultWall], session: Session) -> None:
        self.walls = walls
        self.clock = Later()
        self.traffic = Traffic(None, clock=self.clock, rng=random.Random(6))
        self.ends: Counter[RunStatus] = Counter()
        self.tried: Counter[str] = Counter()
        """Attempts by the model's name, as the runs tell of them."""
        self.arrived: Counter[str] = Counter()
        """Those of them that the server must have seen."""
        self.answered = 0
        self.again = 0
        """Second calls of one route by one run."""
        self.calls: Counter[str] = Counter()
        """The same as the servers saw it."""
        self._session = session
        self._routes: dict[tuple[str, str, str], Route] = {}

    async def cycle(self, number: int) -> None:
        """One request, on one of two protocols, of which every seventh is given up."""
        kind = "ollama" if number % 3 == 0 else "openai"
        routes = [self._route(FAULTS[number % len(FAULTS)], kind, self.walls[0]), self._route("ok", "openai", self.walls[1])]
        request = Request(messages=(Message("user", (TextPart("go"),)),))
        tally = Tally(request, run_id=str(number), clock=Clock())
        run = Run(
            request,
            routes,
            session=self._session,
            traffic=self.traffic,
            tally=tally,
            log=None,
            timeout_s=20.0,
            restart_on_cut=number % 2 == 0,
        )
        how = LEAVES[number // 7 % len(LEAVES)] if number % 7 == 0 else None
        if how == "by cancellation":
            task = asyncio.create_task(self._follow(run, None))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
        else:
            await self._follow(run, how)
        self._hold(tally.record)

    async def _follow(self, run: Run, leaves: str | None) -> None:
        texts: list[str] = []
        async with aclosing(run.steps()) as steps:
            async for step in steps:
                match step:
                    case TextEvent(text):
                        texts.append(text)
                    case Restarted():
                        texts.clear()
                    case Ended(record, error):
                        assert (record.status == "ok") == (error is None)
                        assert "".join(texts) == record.text
                if leaves == "at once" or (leaves == "at the first word" and texts):
                    return

    def _hold(self, record: RunRecord) -> None:
        names = [attempt.model.partition(":")[2] for attempt in record.attempts]
        answers = [attempt.failure is None for attempt in record.attempts]
        assert max(Counter(names).values(), default=0) <= 2
        assert True not in answers[:-1]
        assert (record.status == "ok") == (True in answers)
        if record.status == "ok":
            assert record.text in (ANSWER, SPLIT + ANSWER)
        self.ends[record.status] += 1
        self.tried.update(names)
        unsure = ("timeout", "cannot_connect", "interrupted")
        self.arrived.update(name for name, attempt in zip(names, record.attempts, strict=True) if attempt.failure not in unsure)
        self.answered += sum(answers)
        self.again += len(names) - len(set(names))

    def _route(self, name: str, kind: str, wall: FaultWall) -> Route:
        key = (name, kind, wall.url)
        if key not in self._routes:
            self._routes[key] = self._made(name, kind, wall)
        return self._routes[key]

    def _made(self, name: str, kind: str, wall: FaultWall) -> Route:
        url = wall.url if kind == "ollama" else wall.base_url
        return Route(a_card(f"{kind}:{name}"), Endpoint(provider=kind, kind=kind, url=url, timeouts=WAITS))

    async def held(self) -> Held:
        """What is held when whatever was given up has ended, and connections that wait for another request are closed.

        What the servers saw is counted and forgotten: they live in this process too.
        """
        async with asyncio.timeout(WAIT_S):
            # ASYNC110: nobody tells of the end of all tasks.
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0.01)
        await self._session.aclose()
        for wall in self.walls:
            await asyncio.to_thread(wall.journal.wait_all_closed)
            self.calls.update(call.model for call in wall.tried)
            wall.tried.clear()
            wall.journal.requests.clear()
            wall.journal.hangups.clear()
        gc.collect()
        descriptors = len(os.listdir(DESCRIPTORS)) if DESCRIPTORS else 0
        return Held(len(asyncio.all_tasks()), descriptors, tracemalloc.get_traced_memory()[0])


async def turn(ring: Ring) -> tuple[Held, Held]:
    """All cycles; what was held after the first of them, and at the end."""
    early = None
    for start in range(0, CYCLES, AT_A_TIME):
        if start == WARM_AT:
            early = await ring.held()
        await asyncio.gather(*(ring.cycle(number) for number in range(start, start + AT_A_TIME)))
        ring.clock.passed_s += 300
    assert early
    return early, await ring.held()


def test_a_thousand_requests_lose_nothing_and_leave_nothing_behind() -> None:
    async def all_of_it(walls: list[FaultWall]) -> tuple[Ring, Held, Held]:
        async with Session((), find_key=lambda _: None) as session:
            ring = Ring(walls, session)
            early, late = await turn(ring)
        return ring, early, late

    with FaultWall() as wall, FaultWall() as spare:
        tracemalloc.start()
        try:
            ring, early, late = asyncio.run(all_of_it([wall, spare]))
        finally:
            tracemalloc.stop()
        for one in (wall, spare):
            one.journal.wait_all_closed()
    assert ring.ends.total() == CYCLES
    assert ring.ends["ok"] == ring.answered
    assert ring.again <= max(RetryBudget.LEAST, RetryBudget.SHARE * CYCLES)
    # Some calls were given up before they were sent.
    assert not ring.arrived - ring.calls
    assert (ring.calls - ring.tried).total() <= ring.ends["cancelled"]
    assert late.tasks == early.tasks == 1
    assert late.descriptors == early.descriptors
    assert late.allocated_bytes <= early.allocated_bytes + GROWTH_BYTES
