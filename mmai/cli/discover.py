"""`mmai discover`: ask every endpoint what it offers."""

from typing import TYPE_CHECKING, Annotated

import typer

from mmai.cli import completion
from mmai.cli import options as opt
from mmai.cli.frame import Frame, frame
from mmai.errors import UsageError
from mmai.values.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmai.values.endpoint import Endpoint

SHORTEST_WATCH_S = 1.0


def discover(
    providers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PROVIDER]...",
            help="Only these, such as `ollama`.",
            show_default=False,
            autocompletion=completion.providers,
        ),
    ] = None,
    watch: Annotated[str | None, typer.Option("--watch", metavar="INTERVAL", help="Look again every `30s`, `5m` …")] = None,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Ask every endpoint what it offers, and remember it.

    All configured endpoints are asked at once; one that does not answer is a row with its reason. What is new, changed or gone
    is said on standard error. --watch shows them again whenever something differs.

    \b
    Examples:
      mmai discover
      mmai discover ollama --watch 30s
    """
    call = frame("discover", output, json=json, quiet=quiet, no_color=no_color)
    call.run(_look(call, providers or [], None if watch is None else _interval_s(watch)))


def _interval_s(text: str) -> float:
    from mmai.settings.durations import duration_s

    try:
        seconds = duration_s(text)
    except ValueError:
        seconds = 0.0
    if seconds < SHORTEST_WATCH_S:
        raise UsageError(f"`--watch {text}` is no interval of {SHORTEST_WATCH_S:g} s or more", hint="mmai discover --watch 30s")
    return seconds


def _folders(endpoints: "Iterable[Endpoint]", providers: list[str]) -> list[str]:
    """Where those of the providers look that have models in files."""
    return [folder for each in endpoints if each.provider in providers for folder in each.options.get("directories", ())]


async def _look(call: Frame, providers: list[str], interval_s: float | None) -> None:
    import asyncio

    from mmai.cli.world import world
    from mmai.engine.discovery import discover as discover_models
    from mmai.engine.session import demand_configured
    from mmai.render.models import discovery_data, discovery_table
    from mmai.render.notes import changes_line, keyless_line
    from mmai.values.health import HealthState
    from mmai.values.registry import Changes

    async with world(call) as here:
        demand_configured(providers, here.session.endpoints)
        before: list[HealthState] | None = None
        while True:
            registry, changes = await discover_models(
                here.session, here.store, providers=providers, clock=here.clock, warn=call.warn
            )
            known = here.directory.described(registry)
            rows = [status for status in known.providers.values() if not providers or status.provider in providers]
            cards = [card for card in known.models.values() if not providers or card.provider in providers]
            states = [status.health.state for status in rows]
            if changes != Changes() or states != before:
                data = {**discovery_data(rows, cards), "changes": changes}
                call.emit(data, lambda: discovery_table(rows, cards), rows=data["models"])  # noqa: B023 - drawn at once
            if changes != Changes() or before is None:
                call.note(changes_line(changes))
            if providers and not cards and (folders := _folders(here.session.endpoints, providers)):
                call.note(f"models in files are looked for in {', '.join(f'`{folder}`' for folder in folders)}")
            if before is None and (keyless := keyless_line(rows)):
                call.note(keyless)
            if interval_s is None:
                return
            before = states
            await asyncio.sleep(interval_s)
