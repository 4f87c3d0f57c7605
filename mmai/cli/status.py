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
    """Show what is configured, reachable, in memory, and active for each task.

    Example: mmai status --json | jq -r '.data.providers[] | select(.state != "healthy")'
    """
    call = frame("status", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.world import world
    from mmai.engine.discovery import discover
    from mmai.engine.residency import in_memory
    from mmai.render.status import next_step, status_data, status_table

    async def look() -> None:
        async with world(call) as here:
            registry, _ = await discover(here.session, here.store, clock=here.clock, warn=call.warn)
            rows = tuple(registry.providers.values())
            loaded = await in_memory(here.session, rows)
            step = next_step(rows)
            data = status_data(rows, loaded=loaded, slots=registry.slots, next_step=step)
            call.emit(data, lambda: status_table(rows, loaded=loaded, slots=registry.slots, next_step=step))

    call.run(look())
