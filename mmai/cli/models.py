"""`mmai models`: what the registry knows, without the network; and taking a model away."""

from typing import TYPE_CHECKING, Annotated

import typer

from mmai.cli import completion
from mmai.cli import options as opt
from mmai.cli.frame import Frame, frame
from mmai.values.output import Output

if TYPE_CHECKING:
    from mmai.values.registry import Registry

models = typer.Typer(
    help="List, show and remove the models mmai knows. Without a command: list.", no_args_is_help=False, rich_markup_mode=None
)

RefArgument = Annotated[
    str,
    typer.Argument(metavar="REF", help="`provider:name`, or a name only one provider has.", autocompletion=completion.models),
]


@models.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """List, show and remove the models mmai knows. Without a command: list."""
    if context.invoked_subcommand is None:
        list_models()


@models.command("list")
def list_models(
    provider: opt.ProviderOption = None,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """List the models found by the latest `mmai discover`, and those the settings declare.

    Example: mmai models list --json | jq -r '.data.models[].model'
    """
    call = frame("models", output, json=json, no_color=no_color)
    from mmai.render.models import discovery_data, models_table

    registry = _known(call)
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
    from mmai.registry.profiles import effective
    from mmai.render.models import model_data, model_table

    async def look() -> None:
        async with world(call) as here:
            card = here.chooser.known(ref)
            registry = here.store.read()
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
    from mmai.errors import UsageError

    async def delete() -> None:
        async with world(call) as here:
            card = await here.chooser.card(ref)
            for route in here.session.routes(card):
                backend = here.session.backend(route.endpoint)
                if not isinstance(backend, Library):
                    raise UsageError(f"`{card.provider}` has no models that can be removed")
                if not yes and not _agreed(f"delete {card.ref} from {route.endpoint.url}?", call):
                    raise UsageError(f"`{card.ref}` was not deleted: nobody said yes", hint=f"mmai models rm --yes {card.ref}")
                await backend.remove(card.name)
                call.note(f"deleted {card.ref} from {route.endpoint.url}")
            await discover(here.session, here.store, providers=[card.provider], clock=here.clock, warn=call.warn)
            call.emit({"removed": str(card.ref)})

    call.run(delete())


def _agreed(question: str, call: Frame) -> bool:
    """Ask on a terminal; in a script nobody is there to answer."""
    import sys

    if sys.stdin is None or not (sys.stdin.isatty() and call.err.is_tty):
        return False
    return typer.confirm(question, err=True)


def _known(call: Frame) -> "Registry":
    from mmai.registry.catalog import with_declared
    from mmai.registry.store import Store
    from mmai.settings import endpoints

    store = Store(call.paths.registry, warn=call.warn)
    return with_declared(store.read(), endpoints(call.settings, env=call.env))
