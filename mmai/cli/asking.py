"""One run as the user sees it: choose, call, show what comes, and end with the truth."""

import time
from contextlib import aclosing

from msgspec import Struct

from mmai.cli.bridge import STARTED, Frame
from mmai.cli.shown import Shown, View, open_shown
from mmai.cli.world import World, world
from mmai.engine.choose import Choice, Wish, with_task
from mmai.engine.run import Ended, Run
from mmai.engine.tally import Tally
from mmai.render.run import run_data
from mmai.telemetry.ids import new_id
from mmai.values.request import Request


class Asking(Struct, frozen=True, kw_only=True):
    """What is asked, of whom, and under which deadline."""

    request: Request
    wish: Wish
    timeout_s: float | None
    log: bool
    """Leave a row in the history."""
    dry_run: bool


async def ask(asking: Asking, view: View, call: Frame) -> None:
    """Run it, show it, and raise why the answer is not whole, if it is not."""
    async with world(call) as here:
        choice = await here.chooser.choose(asking.request, asking.wish)
        request = with_task(asking.request, choice.decision, asking.wish)
        shown = open_shown(view, request, choice, call, here.clock)
        if asking.dry_run:
            shown.preview(here.session.backend(choice.routes[0].endpoint), choice.routes[0].card)
            return
        await _run(asking, request, choice, shown, here, call)


async def _run(asking: Asking, request: Request, choice: Choice, shown: Shown, here: World, call: Frame) -> None:
    tally = Tally(
        request,
        run_id=new_id(here.clock.now()),
        clock=here.clock,
        automatic=choice.decision is not None,
        startup_ms=(time.perf_counter() - STARTED) * 1000,
    )
    run = Run(
        request,
        choice.routes,
        session=here.session,
        tally=tally,
        log=here.history if asking.log else None,
        timeout_s=asking.timeout_s,
    )
    try:
        with shown:
            async with aclosing(run.steps()) as steps:
                async for step in steps:
                    shown.take(step)
                    if isinstance(step, Ended) and step.error:
                        raise step.error
    finally:
        call.data = run_data(tally.record, extras=shown.extras)
