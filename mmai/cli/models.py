"""`mmai models`: what the registry knows, without the network; and taking a model away."""

from typing import TYPE_CHECKING, Annotated

import typer

from mmai.cli import completion
from mmai.cli import options as opt
from mmai.cli.frame import Frame, frame
from mmai.cli.listing import ListByDefault
from mmai.values.output import Output

if TYPE_CHECKING:
    from mmai.cli.world import World
    from mmai.engine.session import Route
    from mmai.values.model import ModelCard
    from mmai.values.registry import Registry


models = typer.Typer(
    cls=ListByDefault,
    help="""List, show and remove the models mmai knows. Without a command: list.

    Example: mmai models --json | jq -r '.data.models[].model'
    """,
    rich_markup_mode=None,
)

RefArgument = Annotated[
    str,
    typer.Argument(metavar="REF", help="`provider:name`, or a name only one provider has.", autocompletion=completion.models),
]


@models.command("list")
def list_models(
    provider: opt.ProviderOption = None,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale", help="List instead the facts read over 90 days ago, and deprecated models.", show_default=False
        ),
    ] = False,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """List the models that are known here.

    Known are those found by the latest `mmai discover`, and those the settings declare.

    With --stale: of all that is known of the configured providers' models, what may be out of date.

    \b
    Examples:
      mmai models list --json | jq -r '.data.models[].model'
      mmai models --stale --provider openai
    """
    call = frame("models", output, json=json, no_color=no_color)
    if stale:
        _list_stale(call, provider)
        return
    from mmai.render.models import discovery_data, models_table

    registry = _known(call, provider)
    cards = [card for card in registry.models.values() if provider in (None, card.provider)]
    rows = [status for status in registry.providers.values() if provider in (None, status.provider)]
    if not cards:
        call.note("no models are known yet: `mmai discover` finds them")
    data = discovery_data(rows, cards)
    call.emit(data, lambda: models_table(cards, providers=rows), rows=data["models"])


@models.command("show")
def show(
    ref: RefArgument, output: opt.OutputOption = Output.TABLE, json: opt.JsonOption = False, no_color: opt.NoColorOption = False
) -> None:
    """Show everything known of one model.

    Example: mmai models show ollama:gemma3:4b
    """
    call = frame("models show", output, json=json, no_color=no_color)
    from mmai.cli.world import world
    from mmai.errors import UnknownModel
    from mmai.registry.profiles import effective
    from mmai.render.models import model_data, model_table

    async def look() -> None:
        async with world(call) as here:
            card = here.directory.known(ref)
            registry = here.store.read()
            if card.capabilities_guessed and str(card.ref) not in here.directory.registry().models:
                raise UnknownModel(f"`{card.ref}` has not been discovered", hint=f"mmai discover {card.provider}")
            card = _inspected(here, card)
            profile = effective(registry, here.profiles()).get(str(card.ref))
            rows = tuple(registry.providers.values())
            call.emit(
                model_data(card, providers=rows, profile=profile), lambda: model_table(card, providers=rows, profile=profile)
            )

    call.run(look())


@models.command("rm")
def remove(
    ref: RefArgument,
    yes: opt.YesOption = False,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Delete a model's weights from the server that holds them.

    Example: mmai models rm ollama:gemma3:4b
    """
    call = frame("models rm", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.backends.base import Library
    from mmai.cli.world import world
    from mmai.engine.discovery import discover
    from mmai.engine.session import Route
    from mmai.errors import UsageError
    from mmai.render.table import Column, Table

    async def find() -> list[Route]:
        async with world(call) as here:
            card = await here.directory.card(ref)
            routes = here.session.routes(card)
            if not all(isinstance(here.session.backend(route.endpoint), Library) for route in routes):
                raise UsageError(f"`{card.provider}` has no models that can be removed")
            return routes

    async def delete(routes: list[Route]) -> None:
        async with world(call) as here:
            try:
                for route in routes:
                    backend = here.session.backend(route.endpoint)
                    assert isinstance(backend, Library), "`find` looked"
                    await backend.remove(route.card.name)
                    call.note(f"deleted {route.card.ref} from {route.endpoint.url}")
            finally:
                # also where it was gone already, which is how a registry older than the server is noticed
                await discover(here.session, here.store, providers=[routes[0].card.provider], clock=here.clock, warn=call.warn)

    routes = call.run(find())
    # Between the two, since the event loop would keep Ctrl-C from a question.
    if not yes:
        _demand_yes(routes, call)
    call.run(delete(routes))
    removed = {"removed": str(routes[0].card.ref)}
    if call.output != Output.TABLE:  # for a person the line on standard error is enough
        call.emit(removed, lambda: Table(columns=(Column("removed"),), rows=[tuple(removed.values())]))


def _inspected(here: "World", card: "ModelCard") -> "ModelCard":
    """With everything the files of a model say, where it is one in files; what is wrong with them now is its problem."""
    from msgspec.structs import replace

    from mmai.backends.base import Inspectable
    from mmai.errors import MmaiError

    backend = here.session.backend(here.session.routes(card)[0].endpoint)
    if not isinstance(backend, Inspectable):
        return card
    try:
        return replace(card, package=backend.inspect(card), problem=None)
    except MmaiError as error:
        return replace(card, problem=error.message)


def _demand_yes(routes: "list[Route]", call: Frame) -> None:
    """Ask on a terminal; in a script nobody is there to answer."""
    import sys

    from mmai.errors import MmaiError, UsageError

    ref = routes[0].card.ref
    if sys.stdin is None or not (sys.stdin.isatty() and call.err.is_tty):
        raise UsageError(f"`{ref}` was not deleted: nobody is there to be asked", hint=f"mmai models rm --yes {ref}")
    places = " and ".join(str(route.endpoint.url) for route in routes)
    if not typer.confirm(f"delete {ref} from {places}?", err=True):
        raise MmaiError(f"`{ref}` was not deleted")


def _list_stale(call: Frame, provider: str | None) -> None:
    import time

    from mmai.cli.world import facts
    from mmai.engine.session import demand_configured
    from mmai.registry.facts import STALE_DAYS, stale
    from mmai.render.models import stale_table
    from mmai.settings import endpoints

    configured = endpoints(call.settings, env=call.env)
    demand_configured([provider] if provider else [], configured)
    asked = [endpoint for endpoint in configured if provider in (None, endpoint.provider)]
    limit = time.strftime("%Y-%m-%d", time.localtime(time.time() - STALE_DAYS * 86_400))
    found, known = stale(facts(call), asked, read_before=limit)
    old = sum(1 for row in found if row["read_on"] and row["read_on"] < limit)
    deprecated = sum(1 for row in found if row["deprecated"])
    call.note(f"of {known} known models {old} were read over {STALE_DAYS} days ago, and {deprecated} are deprecated")
    call.emit({"models": found}, lambda: stale_table(found), rows=found)


def _known(call: Frame, provider: str | None) -> "Registry":
    from mmai.cli.world import facts
    from mmai.engine.session import demand_configured
    from mmai.registry.catalog import with_declared
    from mmai.registry.store import Store
    from mmai.settings import endpoints

    store = Store(call.paths.registry, warn=call.warn)
    configured = endpoints(call.settings, env=call.env)
    demand_configured([provider] if provider else [], configured)
    return with_declared(store.read(), configured, describe=facts(call).describe)
