"""`mmai status`: what is configured, reachable, in memory and active, and what to do next."""

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.values.output import Output


def status(
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Show what is reachable, in memory, and active for each task.

    Example: mmai status --json | jq -r '.data.providers[] | select(.state != "healthy")'
    """
    call = frame("status", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.wishes import limits, wish
    from mmai.cli.world import world
    from mmai.engine.discovery import discover
    from mmai.engine.residency import in_memory
    from mmai.render.notes import keyless_line
    from mmai.render.status import Status, next_step, status_data, status_table

    selection = call.settings.selection
    wished = wish(selection, limits(selection.constraints))

    async def look() -> None:
        async with world(call) as here:
            registry, _ = await discover(here.session, here.store, clock=here.clock, warn=call.warn)
            rows = tuple(registry.providers.values())
            known = here.directory.described(registry)
            seen = Status(
                providers=rows,
                loaded=await in_memory(here.session, rows),
                slots=registry.slots,
                chosen=here.chooser.active(known, wished),
                budget=here.budget.spending() if here.budget else (),
                places=here.history.telling_places(now=here.clock.now()),
                under_way=here.history.leased(now=here.clock.now()),
                memory_budget_bytes=here.resources.memory_budget_bytes,
                now=here.clock.now(),
                next_step=next_step(rows),
            )
            call.emit(status_data(seen), lambda: status_table(seen))
            if keyless := keyless_line(rows):
                call.note(keyless)

    call.run(look())
