"""One run from the choice of a model to the exit code."""

import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from mmai.cli.frame import STARTED, Frame
from mmai.cli.refusals import demand_place
from mmai.cli.shown import SHOWN, Shown, View
from mmai.cli.wishes import schema_check
from mmai.cli.world import World, world
from mmai.engine.run import Ended, Run, Trying
from mmai.engine.session import Route
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.engine.wish import Choice, Wish, with_task
from mmai.errors import MmaiError
from mmai.render.notes import deprecated_line, explored_line
from mmai.render.run import preview_data, preview_text
from mmai.telemetry.ids import new_id
from mmai.telemetry.rows import TEXT_LIMIT
from mmai.values.model import ModelCard
from mmai.values.request import Request, TextPart

if TYPE_CHECKING:
    from mmai.cli.talking import Said, Talk


class Asking(Struct, frozen=True, kw_only=True):
    """What is asked, of whom, and under which deadline."""

    request: Request
    wish: Wish
    timeout_s: float | None
    log: bool
    """Leave a row in the history."""
    restart_on_cut: bool = False
    """Begin an answer that is cut anew, with another model."""
    conversation: "Said | None" = None
    """Which conversation it goes on with."""


async def ask(asking: Asking, view: View, call: Frame, *, explain: bool) -> None:
    """Choose, call, show, and raise why the answer is not whole, if it is not."""
    async with world(call) as here:
        talk = _talk(asking, here, call)
        with here.traffic(shared=asking.log) as traffic:
            while True:
                turn = await begin(asking, view, here, call, talk, traffic, explain=explain)
                try:
                    await turn.finish()
                finally:
                    call.data = turn.shown.data(turn.run.tally.record)
                if talk is None or not talk.lets_go(turn.error):
                    break
    if turn.error:
        raise turn.error


class Turn:
    """One question whose model is chosen, on its way to an answer."""

    def __init__(self, run: Run, choice: Choice, shown: Shown, here: World, call: Frame, talk: "Talk | None") -> None:
        self.run = run
        self.shown = shown
        self.error: MmaiError | None = None
        """Why the answer is not whole, when it is over."""
        self._choice = choice
        self._here = here
        self._call = call
        self._talk = talk

    async def finish(self) -> None:
        """Call, and show what comes. Only cancellation leaves as an exception."""
        with self.shown:
            async with aclosing(self.run.steps()) as steps:
                async for step in steps:
                    if isinstance(step, Trying):
                        forewarn(step.route.card, self.run.request, self._here, self._call)
                    elif isinstance(step, Ended):
                        self.error = step.error
                        if self._talk:
                            self.shown.extras["conversation"] = self._talk.data(step.record.id)
                    self.shown.take(step)


async def begin(
    asking: Asking, view: View, here: World, call: Frame, talk: "Talk | None", traffic: Traffic, *, explain: bool = False
) -> Turn:
    """Choose whom to ask; raises as `World.choose` does."""
    question = talk.request(asking.request) if talk else asking.request
    choosing = talk.choose if talk else here.choose
    choice = await choosing(question, asking.wish, explained=explain)
    if choice.decision and choice.decision.explored:
        drawn, best = choice.decision.ranked[:2]
        call.note(explored_line(str(drawn.card.ref), instead_of=str(best.card.ref)))
    if explain and choice.decision:
        _explain(choice, call)
    request = with_task(question, choice.decision, asking.wish)
    demand_place(choice.routes[0].card, request, call, out=view.out, to_stdout=view.to_stdout)
    if here.resources.memory_budget_bytes is not None:
        await make_room(choice.routes[0], here, call, by_name=choice.decision is None)
    if talk:
        await talk.prepare(request, choice, traffic, timeout_s=asking.timeout_s)
    shown = SHOWN[call.output](view, request, choice, call, here.clock)
    return Turn(_run(asking, request, choice, here, call, talk, traffic), choice, shown, here, call, talk)


async def preview(asking: Asking, call: Frame) -> None:
    """Choose, and print what would be sent to whom."""
    async with world(call) as here:
        talk = _talk(asking, here, call)
        question = talk.request(asking.request) if talk else asking.request
        choice = await (talk.choose if talk else here.choose)(question, asking.wish)
        route = choice.routes[0]
        request = with_task(question, choice.decision, asking.wish)
        if talk:
            request = talk.fit(request, route.card)
        sent = here.session.backend(route.endpoint).preview(route.card, request)
        if call.output == "text":
            call.write(preview_text(str(route.card.ref), sent).encode())
        else:
            call.envelope(preview_data(str(route.card.ref), sent))


def _talk(asking: Asking, here: World, call: Frame) -> "Talk | None":
    if asking.conversation is None:
        return None
    from mmai.cli.talking import Talk

    return Talk.open(asking.conversation, here, call)


def _run(
    asking: Asking, request: Request, choice: Choice, here: World, call: Frame, talk: "Talk | None", traffic: Traffic
) -> Run:
    run_id = new_id(here.clock.now())
    tally = Tally(
        request,
        run_id=run_id,
        clock=here.clock,
        automatic=choice.decision is not None,
        startup_ms=(time.perf_counter() - STARTED) * 1000,
        conversation=talk.begin(run_id, logged=asking.log) if talk else None,
    )
    if asking.log and len(request.latest) > TEXT_LIMIT:
        call.warn(f"the history keeps the first {TEXT_LIMIT} characters of this prompt, and so does whoever goes on with it")
    if asking.log and (attached := [part for part in request.messages[-1].parts if not isinstance(part, TextPart)]):
        here.history.attach(run_id, attached)
    return Run(
        request,
        choice.routes,
        session=here.session,
        traffic=traffic,
        tally=tally,
        log=here.history if asking.log else None,
        timeout_s=asking.timeout_s,
        check=schema_check(request.schema),
        restart_on_cut=asking.restart_on_cut,
        fit=partial(talk.fit, request) if talk else None,
    )


async def make_room(route: Route, here: World, call: Frame, *, by_name: bool) -> None:
    """Have local models leave memory where the settings' budget would not hold this one beside them, and say which."""
    for one in await here.residency.make_room(route, by_name=by_name):
        call.note(f"{one.ref} left memory to make room for {route.card.ref}")


def forewarn(card: ModelCard, request: Request, here: World, call: Frame) -> None:
    """Say before a call what its model's provider or the user's purse has against it."""
    if card.deprecated:
        call.warn(deprecated_line(str(card.ref), card.deprecated, today=time.strftime("%Y-%m-%d")))
    if (budget := here.budget) is not None:
        for words in budget.warnings(card, request):
            call.warn(words)


def _explain(choice: Choice, call: Frame) -> None:
    from mmai.render.selection import explanation_table
    from mmai.render.show import show
    from mmai.values.output import Output

    if choice.decision and not call.quiet:
        show(explanation_table(choice.decision), Output.TABLE, call.err)
