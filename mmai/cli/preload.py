"""`mmai preload`: have models in memory before they are asked."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmai.cli import completion
from mmai.cli import options as opt
from mmai.cli.frame import Frame, frame
from mmai.values.output import Output

if TYPE_CHECKING:
    from mmai.cli.world import World
    from mmai.engine.session import Route

WEEK_S = 7 * 86400.0

KEPT = "5m"
"""How long a model stays where nobody says so."""


def preload(
    which: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TASK|REF]…",
            help="Models, or tasks: then the model an automatic choice would take. None: those used most this week.",
            show_default=False,
            autocompletion=completion.models,
        ),
    ] = None,
    keep_alive: Annotated[
        str | None,
        typer.Option("--keep-alive", metavar="TIME", help="How long they stay: 30m, a number of seconds, -1 for good."),
    ] = None,
    evict: Annotated[
        bool, typer.Option("--evict", help="Let models leave that were used in the last half minute, too.", show_default=False)
    ] = False,
    unload: Annotated[bool, typer.Option("--unload", help="Have them leave memory instead.", show_default=False)] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.", show_default=False)
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", metavar="S", min=0, help="Longest time for one model.")] = 300.0,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Load models into memory before they are asked.

    The first answer does not wait then. With `resources.memory_budget` in the settings, the least valuable of the others leave
    where there is not room enough. Without names those used most this week are loaded while there is room, or without a budget
    the first of them. Core ML models live inside mmai and end with it: they cannot be loaded ahead.

    \b
    Examples:
      mmai preload ollama:qwen3:8b --keep-alive 1h
      mmai preload code_generation summarization
      mmai preload --unload ollama:qwen3:8b
    """
    call = frame("preload", output, json=json, quiet=quiet, no_color=no_color)
    call.run(_preload(which or [], _kept(keep_alive), call, evict=evict, unload=unload, dry_run=dry_run, timeout_s=timeout))


async def _preload(
    which: list[str], keep_alive: float | str | None, call: Frame, *, evict: bool, unload: bool, dry_run: bool, timeout_s: float
) -> None:
    from mmai.cli.asking import make_room
    from mmai.cli.world import world
    from mmai.errors import MmaiError, NoEligibleModel, UsageError
    from mmai.render.preload import preload_table

    if unload and (keep_alive is not None or evict):
        raise UsageError("`--keep-alive` and `--evict` are for loading, and `--unload` is not", hint="mmai preload --help")
    if unload and not which:
        raise UsageError("nothing says which models are to leave", hint="mmai preload --unload REF")
    rows: list[dict[str, Any]] = []
    first: MmaiError | None = None
    async with world(call) as here:
        routes = await _routes(which, here, call)
        for route in routes:
            row: dict[str, Any] = {
                "model": str(route.card.ref),
                "state": None,
                "size_bytes": None,
                "load_ms": None,
                "error": None,
            }
            rows.append(row)
            try:
                if dry_run:
                    row["state"] = "would leave" if unload else "would be loaded"
                elif unload:
                    row["state"] = "gone" if await here.residency.unload(route) else "still there"
                else:
                    await make_room(route, here, call, by_name=evict)
                    kept = route.endpoint.options.get("keep_alive", KEPT) if keep_alive is None else keep_alive
                    loaded = await here.residency.load(route, timeout_s=timeout_s, keep_alive=kept)
                    state = "was there" if loaded.load_ms is None else "loaded"
                    row |= {"state": state, "size_bytes": loaded.size_bytes, "load_ms": loaded.load_ms}
            except MmaiError as error:
                no_room = not which and isinstance(error, NoEligibleModel)
                row |= {"state": "no room" if no_room else "failed", "error": error.message}
                first = first or (None if no_room else error)
    if not rows:
        call.note("no local model was used this week: mmai preload REF")
    call.data = {"models": rows}
    if first is None or not call.json:
        call.emit({"models": rows}, lambda: preload_table(rows), rows=rows)
    if first is not None:
        raise first


async def _routes(which: list[str], here: "World", call: Frame) -> "list[Route]":
    """Where each of them is held; every model once."""
    from mmai.backends.base import Resident
    from mmai.engine.residency import INSIDE
    from mmai.errors import MmaiError, UsageError

    refs = [await _named(text, here, call) for text in which]
    if not which:
        refs = here.history.most_used(since=here.clock.now() - WEEK_S)
        if here.resources.memory_budget_bytes is None:
            refs = refs[:1]  # Its server might let it go for the next one.
    routes = []
    for ref in dict.fromkeys(refs):
        try:
            card = await here.directory.card(ref)
        except MmaiError:
            if which:
                raise
            continue
        route = here.session.routes(card)[0]
        holds = isinstance(here.session.backend(route.endpoint), Resident) and route.endpoint.kind not in INSIDE
        if holds and card.locality != "cloud":
            routes.append(route)
        elif which:
            why = "lives inside mmai and ends with it" if route.endpoint.kind in INSIDE else "is not held by a local server"
            raise UsageError(f"`{ref}` cannot be loaded ahead: it {why}", hint="mmai models")
    return routes


async def _named(text: str, here: "World", call: Frame) -> str:
    """A reference, or the model that a task goes to."""
    from mmai.cli.wishes import limits, wish
    from mmai.errors import NoEligibleModel
    from mmai.values.task import TaskType

    if text not in {task.value for task in TaskType}:
        return text
    selection = call.settings.selection
    registry = await here.directory.fresh(here.ages.cache_ttl_s)
    found = here.chooser.active(registry, wish(selection, limits(selection.constraints))).get(TaskType(text))
    if found is None:
        raise NoEligibleModel(f"no model here can do {text}", hint="mmai status")
    return found


def _kept(text: str | None) -> float | str | None:
    from mmai.errors import UsageError
    from mmai.settings.durations import duration_s

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        duration_s(text)
    except ValueError:
        raise UsageError(
            f"`--keep-alive {text}` is neither 30m, a number of seconds nor -1", hint="mmai preload --help"
        ) from None
    return text
