"""`mmai run --batch FILE`: many prompts, each a run of its own, into a file that can be gone on with."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from itertools import count

from msgspec import Struct

from mmai.cli.batch import Job
from mmai.cli.frame import Frame
from mmai.cli.many_source import Source, chooser, keys, preview, source
from mmai.cli.wishes import schema_check
from mmai.cli.world import World, world
from mmai.engine.batch_file import BatchPrompt, request_of
from mmai.engine.limits import Limits
from mmai.engine.many import Answered, Asker, Feed, GroupedLog, side_by_side
from mmai.engine.many_out import AnswersFile, key_number
from mmai.engine.purse import Purse
from mmai.engine.wish import Choice
from mmai.errors import MmaiError, UsageError
from mmai.render.envelope import json_lines
from mmai.render.many import Progress, going_on_line, row_data, summary_line
from mmai.render.many_progress import open_many_progress
from mmai.values.request import Request

WINDOW = 1000
"""Rows begun after one that is not done, where answers go to standard output in order."""


class Row(Struct, frozen=True):
    """One prompt on its way."""

    index: int
    prompt: BatchPrompt
    request: Request
    key: str


OTHER_FILES = 32
"""Descriptors beside those of calls: prompts, answers, history, the loop's own."""


async def run_many(job: Job, call: Frame) -> None:
    """Ask every row, write every answer; raise why they are not all there, if they are not."""
    with source(job) as rows:
        # Every line of a file is looked at before the first is paid for.
        total = rows.count() if rows.is_file else None
        if total == 0:
            raise UsageError(f"there are no prompts in `{job.source}`", hint="mmai run --help")
        async with world(call) as here:
            choose = await chooser(job, next(rows.rows()) if rows.is_file else None, here, call)
            if job.dry_run:
                preview(job, rows, total, choose, call)
                return
            with AnswersFile(job.out.path) if job.out else nullcontext() as file:
                await _Many(job, rows, here, call, choose, file, total).run()


class _Many:
    """One batch under way."""

    def __init__(
        self,
        job: Job,
        source: Source,
        here: World,
        call: Frame,
        choose: Callable[[Request], Choice],
        file: AnswersFile | None,
        total: int | None,
    ) -> None:
        self._job = job
        self._source = source
        self._here = here
        self._call = call
        self._choose = choose
        self._file = file
        self._progress = Progress(total=total, kept=file.answered if file else 0)
        self._purse = Purse(job.max_cost_usd, budget.spending() if (budget := here.budget) else ())
        self._first_error: MmaiError | None = None
        self._late: dict[int, bytes] = {}
        self._next = 0
        self._moved = asyncio.Event()
        self._went_dry: MmaiError | None = None

    async def run(self) -> None:
        """All of it."""
        call, clock = self._call, self._here.clock
        log = GroupedLog(self._here.history.finish_all, clock=clock) if self._job.log else None
        bar = nullcontext() if call.quiet else open_many_progress(call.err, total=self._progress.total, clock=clock)
        began = clock.monotonic()
        try:
            most = affordable(self._job.parallel or call.settings.resources.max_concurrency, call)
            limits = Limits(self._job.parallel, most=most)
            with self._here.traffic(shared=self._job.log, limits=limits) as traffic, bar as shown:
                asker = Asker(
                    self._choose,
                    self._job.wish,
                    session=self._here.session,
                    traffic=traffic,
                    log=log,
                    clock=clock,
                    timeout_s=self._job.timeout_s,
                    check=schema_check(self._job.template.schema),
                    restart_on_cut=self._job.restart_on_cut,
                )
                rows = self._rows()

                def take(row: Row, answer: Answered) -> None:
                    self._progress.seconds = clock.monotonic() - began
                    self._take(row, answer)
                    if shown:
                        shown.update(self._progress)

                await side_by_side(rows, lambda row: asker.ask(row.request), take, most=most)
            self._finish()
        except asyncio.CancelledError:
            call.note(going_on_line(None if self._file is None else str(self._file.path), self._progress))
            raise
        finally:
            if log:
                log.flush()
            self._progress.seconds = clock.monotonic() - began
            call.data = self._data()
        call.note(summary_line(self._progress))
        if call.json:
            call.envelope(call.data)
        self._raise()

    def _rows(self) -> Callable[[], Awaitable[Row | None]]:
        """What gives the next row that is not answered yet."""
        numbered = zip(count(), self._source.rows(), strict=False)
        feed = None if self._source.is_file else Feed(numbered)
        key = keys(self._job)

        async def following() -> Row | None:
            while self._went_dry is None:
                item = await feed.next() if feed else next(numbered, None)
                if item is None:
                    break
                index, prompt = item
                request = request_of(prompt, self._job.template, system=self._job.system)
                row = Row(index, prompt, request, key(request))
                if self._file is not None and self._file.has(index, key_number(row.key)):
                    continue
                await self._room(index)
                self._went_dry = self._over_budget(row)
                if self._went_dry is None:
                    return row
            return None

        return following

    async def _room(self, index: int) -> None:
        """Wait where too many answers wait for one before them."""
        while self._job.ordered and self._file is None and index - self._next >= WINDOW:
            self._moved.clear()
            await self._moved.wait()

    def _over_budget(self, row: Row) -> MmaiError | None:
        if self._purse.is_open:
            return None
        try:
            card = self._choose(row.request).routes[0].card
        except MmaiError:
            return None  # Nothing is sent for it; asking will say why.
        return self._purse.reserve(row.index, card, row.request)

    def _take(self, row: Row, answer: Answered) -> None:
        self._purse.settle(row.index, answer.record.cost_usd)
        self._progress.add(answer.record, answer.error)
        if answer.error is not None and self._first_error is None:
            self._first_error = answer.error
            self._call.note(f"row {row.index} (line {row.prompt.line.number}): {answer.error.message}")
        data = row_data(
            answer.record,
            answer.error,
            index=row.index,
            row_id=row.prompt.line.id,
            key=row.key,
            carried=row.prompt.line.carried,
            vector=answer.vector,
        )
        self._write(row.index, json_lines([data]))

    def _write(self, index: int, line: bytes) -> None:
        if self._file is not None:
            self._file.add(line)
        elif not self._job.ordered:
            self._call.write(line)
        else:
            self._late[index] = line
            while self._next in self._late:
                self._call.write(self._late.pop(self._next))
                self._next += 1
            self._moved.set()

    def _finish(self) -> None:
        if self._file is not None and self._job.ordered:
            self._file.ordered()

    def _raise(self) -> None:
        if self._went_dry is not None:
            raise self._went_dry
        if self._first_error is not None:
            failed = self._progress.failed
            error = MmaiError(f"{failed} of {self._progress.done} rows failed; the first: {self._first_error.message}")
            error.exit_code, error.code = self._first_error.exit_code, self._first_error.code
            error.hint = "the same command asks those again" if self._file is not None else None
            raise error

    def _data(self) -> dict[str, object]:
        done = self._progress
        return {
            "rows": done.total,
            "answered": done.answered,
            "kept": done.kept,
            "failed": done.failed,
            "failures": done.failures,
            "usage": {"input_tokens": done.input_tokens, "output_tokens": done.output_tokens},
            "cost_usd": done.cost_usd,
            "seconds": done.seconds,
            "files": [str(self._file.path)] if self._file else [],
        }


def affordable(most: int, call: Frame) -> int:
    """As many calls at a time as there may be open files; `most` where those do."""
    if sys.platform == "win32":
        return most
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY or most <= limit - OTHER_FILES:
        return most
    fewer = max(1, limit - OTHER_FILES)
    call.warn(f"this shell allows {limit} open files, enough for {fewer} of {most} calls at a time; `ulimit -n` sets it")
    return fewer
