"""`mmai keys`: store, list and remove the keys of providers. No command takes or shows one."""

import sys
from contextlib import suppress
from typing import Annotated

import typer

from mmai.cli.frame import Frame, frame
from mmai.cli.located import show_path
from mmai.cli.options import JsonOption, NoColorOption, OutputOption
from mmai.errors import UsageError
from mmai.values.output import Output

MAX_KEY_BYTES = 65536

app = typer.Typer(
    no_args_is_help=True,
    help="""Store, list and remove keys of providers.

    Example: pass openai | mmai keys set openai
    """,
)

ProviderArgument = Annotated[
    str, typer.Argument(metavar="PROVIDER", help="Such as openai, anthropic or google.", show_default=False)
]


@app.command("set")
def set_key(
    provider: ProviderArgument,
    excess: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    output: OutputOption = Output.TABLE,
    json: JsonOption = False,
) -> None:
    """Store a key of a provider.

    It is typed at a prompt that does not show it, or read from standard input.

    Example: pass openai | mmai keys set openai
    """
    call = frame("keys set", output, json=json)
    from mmai import keys
    from mmai.values.endpoint import key_variables

    name = provider.lower()
    if excess:  # typer's own message would repeat the key
        raise UsageError(
            "a key on the command line can be seen by others; it is read from standard input", hint=f"mmai keys set {name}"
        )
    place = keys.store(name, _asked(name), path=call.paths.keys)
    for variable in key_variables(name):
        if call.env.get(variable):
            call.warn(f"`{variable}` is set, and wins over the stored key")
    call.note(f"stored the key of {name} in {place}")
    _answer(call, {"provider": name, "place": place})


@app.command("list")
def list_keys(output: OutputOption = Output.TABLE, json: JsonOption = False, no_color: NoColorOption = False) -> None:
    """List whose keys are stored, and where; never the keys.

    Example: mmai keys list --json | jq -r '.data.keys[].provider'
    """
    call = frame("keys list", output, json=json, no_color=no_color)
    from mmai import keys
    from mmai.render.table import Column, Table

    _warn_if_exposed(call)
    rows = [{"provider": row.provider, "place": row.place} for row in keys.names(call.paths.keys)]
    call.emit(
        {"keys": rows},
        lambda: Table(columns=(Column("provider"), Column("place")), rows=[tuple(row.values()) for row in rows]),
        rows=rows,
    )


@app.command()
def remove(provider: ProviderArgument, output: OutputOption = Output.TABLE, json: JsonOption = False) -> None:
    """Forget a stored key.

    Example: mmai keys remove openai
    """
    call = frame("keys remove", output, json=json)
    from mmai import keys

    name = provider.lower()
    if not keys.remove(name, path=call.paths.keys):
        raise UsageError(f"no key of `{name}` is stored", hint="mmai keys list")
    call.note(f"removed the key of {name}")
    _answer(call, {"provider": name})


@app.command()
def path(output: OutputOption = Output.TABLE, json: JsonOption = False) -> None:
    """Print where keys are stored, whether or not there are any.

    Example: ls -l "$(mmai keys path)"
    """
    call = frame("keys path", output, json=json)
    _warn_if_exposed(call)
    show_path(call, call.paths.keys, {"path": str(call.paths.keys), "exists": call.paths.keys.exists()})


def _asked(provider: str) -> str:
    from getpass import getpass

    key = ""
    if sys.stdin is not None and sys.stdin.isatty():
        # getpass hides what is typed before it shows its prompt; typer asks first, and a quick paste is seen.
        with suppress(EOFError):
            key = getpass(f"Key of {provider}: ").strip()
    elif sys.stdin is not None:
        key = sys.stdin.buffer.read(MAX_KEY_BYTES).decode("utf-8", "replace").strip()
    if not key:
        raise UsageError("standard input holds no key", hint=f"mmai keys set {provider} < key.txt")
    return key


def _answer(call: Frame, data: dict[str, str]) -> None:
    """What was done, in the forms a program reads; for a person the line on standard error is enough."""
    from mmai.render.table import Column, Table

    if call.output != Output.TABLE:
        call.emit(data, lambda: Table(columns=tuple(Column(name) for name in data), rows=[tuple(data.values())]))


def _warn_if_exposed(call: Frame) -> None:
    from mmai.keys import exposure

    if warning := exposure(call.paths.keys):
        call.warn(warning)
