"""`mmai models`: what the registry knows, without the network; and taking a model away."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.bridge import Frame, frame
from mmai.cli.completion import models as complete_models
from mmai.values.output import Output

models = typer.Typer(
    help="List, show and remove the models mmai knows. Without a command: list.", no_args_is_help=False, rich_markup_mode=None
)

RefArgument = Annotated[
    str, typer.Argument(metavar="REF", help="`provider:name`, or a name only one provider has.", autocompletion=complete_models)
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
    call = frame("models", output, json=json, no_color=no_color)
    ...


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
    ...


def _known(call: Frame): ...
