"""`mmai pull`: download a model to the server that will run it."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.values.output import Output


def pull(
    ref: Annotated[str, typer.Argument(metavar="REF", help="`ollama:NAME`, or a name of Ollama's library.")],
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Download a model. Interrupted, it goes on from there the next time.

    Example: mmai pull ollama:qwen3:8b
    """
    call = frame("pull", output, json=json, quiet=quiet, no_color=no_color)
    from contextlib import aclosing, nullcontext

    from mmai.backends.base import Library
    from mmai.cli.world import world
    from mmai.engine.discovery import discover
    from mmai.errors import UsageError
    from mmai.render.models import model_data, model_table
    from mmai.render.progress import open_progress
    from mmai.values.model import ModelRef

    async def download() -> None:
        async with world(call) as here:
            provider, colon, name = ref.partition(":")
            if not colon or provider not in here.session.providers:
                provider, name = "ollama", ref
            ModelRef.parse(f"{provider}:{name}")  # an empty name is not worth a request
            endpoint = here.session.of(provider)[0]
            backend = here.session.backend(endpoint)
            if not isinstance(backend, Library):
                raise UsageError(f"`{provider}` has nothing to download", hint=f"mmai pull ollama:{name}")
            progress = nullcontext() if quiet or call.json else open_progress(call.err, clock=here.clock)
            with progress as bars:
                async with aclosing(backend.pull(name)) as reports:
                    async for report in reports:
                        if bars is not None:
                            bars.update(report)
            registry, _ = await discover(here.session, here.store, providers=[provider], clock=here.clock, warn=call.warn)
            card = here.directory.known(f"{provider}:{name}")
            call.note(f"{card.ref} is ready: mmai run -m {card.ref} PROMPT")
            rows = tuple(registry.providers.values())
            if call.output != Output.TABLE:  # for a person the line above is enough
                call.emit(
                    model_data(card, providers=rows, profile=None), lambda: model_table(card, providers=rows, profile=None)
                )

    call.run(download())
