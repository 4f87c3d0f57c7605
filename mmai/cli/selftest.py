"""`mmai selftest`: whether what depends on this machine works on it."""

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.errors import ProviderError
from mmai.values.output import Output

app = typer.Typer(
    no_args_is_help=True,
    help="""Check what depends on this machine.

    Example: mmai selftest coreml
    """,
)


@app.callback()
def group() -> None:
    """Check what depends on this machine."""


@app.command("coreml")
def coreml(
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Run small models with known answers on every compute unit.

    On a Mac: compiling, loading from nothing and again, predictions and their distance from mmai's own executor, for each set of
    compute units. Elsewhere that is skipped, and only mmai's own executor runs. Nothing is kept.

    Example: mmai selftest coreml --json > selftest.json
    """
    call = frame("selftest coreml", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.backends.coreml.selftest import run
    from mmai.backends.coreml.setup import Setup
    from mmai.render.selftest import selftest_data, selftest_table
    from mmai.settings.endpoints import endpoints

    options = next(endpoint.options for endpoint in endpoints(call.settings, env=call.env) if endpoint.kind == "coreml")

    async def check() -> None:
        found = await run(load_timeout_s=Setup.of(options).load_timeout_s, progress=call.note)
        data = selftest_data(found)
        if not found.failed:
            call.emit(data, lambda: selftest_table(found), rows=found.rows)
            return
        call.data = data
        if not call.json:
            call.emit(data, lambda: selftest_table(found), rows=found.rows)
        first = found.failed[0]
        raise ProviderError(f"{len(found.failed)} of {len(found.rows)} checks failed, the first: {first.reason}")

    call.run(check())
