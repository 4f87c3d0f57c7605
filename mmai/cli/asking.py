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
from mmai.engine.tally import Tally
from mmai.engine.wish import Choice, Wish, with_task
from mmai.render.notes import deprecated_line, explored_line
from mmai.render.run import preview_data, preview_text
from mmai.telemetry.ids import new_id
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
        question = talk.request(asking.request) if talk else asking.request
        choice = await (
            talk.choose(question, asking.wish, here, explained=explain)
            if talk
            else here.choose(question, asking.wish, explained=explain)
        )
        if choice.decision and choice.decision.explored:
            drawn, best = choice.decision.ranked[:2]
            call.note(explored_line(str(drawn.card.ref), instead_of=str(best.card.ref)))
        if explain and choice.decision:
            _explain(choice, call)
        request = with_task(question, choice.decision, asking.wish)
        demand_place(choice.routes[0].card, request, call, out=view.out, to_stdout=view.to_stdout)
        shown = SHOWN[call.output](view, request, choice, call, here.clock)
        await _run(asking, request, choice, shown, here, call, talk)


async def preview(asking: Asking, call: Frame) -> None:
    """Choose, and print what would be sent to whom."""
    async with world(call) as here:
        talk = _talk(asking, here, call)
        question = talk.request(asking.request) if talk else asking.request
        choosing = talk.choose(question, asking.wish, here) if talk else here.choose(question, asking.wish)
        choice = await choosing
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


async def _run(
    asking: Asking, request: Request, choice: Choice, shown: Shown, here: World, call: Frame, talk: "Talk | None"
) -> None:
    traffic = here.traffic(shared=asking.log)
    run_id = new_id(here.clock.now())
    tally = Tally(
        request,
        run_id=run_id,
        clock=here.clock,
        automatic=choice.decision is not None,
        startup_ms=(time.perf_counter() - STARTED) * 1000,
        conversation=talk.follows if talk else None,
    )
    if asking.log and (attached := [part for part in request.messages[-1].parts if not isinstance(part, TextPart)]):
        here.history.attach(run_id, attached)
    run = Run(
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
    end: Ended | None = None
    try:
        with traffic, shown:
            if talk:
                await talk.prepare(request, choice, traffic, here, timeout_s=asking.timeout_s)
            async with aclosing(run.steps()) as steps:
                async for step in steps:
                    if isinstance(step, Trying):
                        forewarn(step.route.card, request, here, call)
                    if talk and isinstance(step, Ended):
                        talk.name(run_id, here, log=asking.log)
                        shown.extras["conversation"] = talk.data(run_id)
                    shown.take(step)
                    end = step if isinstance(step, Ended) else end
    finally:
        call.data = shown.data(tally.record)
    if end and end.error:
        raise end.error


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
