"""`mmai config`: what is set, where it was set, and the file to set it in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmai.cli.frame import Frame, frame
from mmai.cli.located import show_path
from mmai.cli.options import JsonOption, NoColorOption, OutputOption
from mmai.errors import ConfigError, UsageError
from mmai.values.output import Output

if TYPE_CHECKING:
    from mmai.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Show, check and edit settings.

    Example: mmai config show --origin
    """,
)


@app.command()
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value was set.", show_default=False)] = False,
    output: OutputOption = Output.TABLE,
    json: JsonOption = False,
    no_color: NoColorOption = False,
) -> None:
    """Show the settings in force. Keys and headers are masked.

    Example: mmai config show --origin
    """
    call = frame("config show", output, json=json, no_color=no_color)
    from mmai.render.table import Column, Table
    from mmai.settings.listing import listing

    rows = listing(call.settings)
    columns = (Column("key"), Column("value"), Column("origin"))[: 3 if origin else 2]
    data = [{"key": row.key, "value": row.value, "origin": str(row.origin)} for row in rows]

    def table() -> Table:
        cells = [(row.key, _written(row.value), str(row.origin))[: len(columns)] for row in rows]
        return Table(columns=columns, rows=cells)

    call.emit({"settings": data}, table, rows=data)


@app.command()
def path(output: OutputOption = Output.TABLE, json: JsonOption = False) -> None:
    """Print where your settings file is, whether or not it exists yet.

    Example: cat "$(mmai config path)"
    """
    call = frame("config path", output, json=json)
    from mmai.settings.files import project_file

    user, project = _user_file(call), project_file(Path.cwd(), call.env)
    data = {"path": str(user), "exists": user.exists(), "project": None if project is None else str(project)}
    show_path(call, user, data)


@app.command()
def init(
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.", show_default=False)] = False,
    output: OutputOption = Output.TABLE,
    json: JsonOption = False,
) -> None:
    """Write a settings file with every key, commented out.

    Each stands there with its meaning and its default.

    Example: mmai config init && mmai config edit
    """
    call = frame("config init", output, json=json)
    file = _user_file(call)
    if file.exists() and not force:
        raise UsageError(f"`{file}` exists", hint="mmai config init --force")
    _write_default(file)
    call.note(f"wrote {file}")
    show_path(call, file, {"path": str(file)})


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="File to check; without it, the ones in force.", show_default=False)
    ] = None,
    output: OutputOption = Output.TABLE,
    json: JsonOption = False,
) -> None:
    """Look for mistakes: the first one is told with file, line and key.

    Example: mmai config check ./mmai.yaml
    """
    call = frame("config check", output, json=json)
    from mmai.registry.facts import Facts
    from mmai.render.table import Column, Table
    from mmai.settings import load

    settings = load(call.paths, env=call.env, cwd=Path.cwd(), thorough=True) if file is None else _checked(file, call)
    for backend in settings.backends.values():
        if backend.api_key_missing:
            call.warn(backend.api_key_missing)
    if path := settings.registry.price_file:
        # Whoever reads every row of it is warned of what is wrong.
        list(Facts(Path(path).expanduser(), warn=call.warn).listed(settings.backends))
    data = {"files": list(settings.files), "providers": list(settings.backends)}
    call.note("no mistakes")
    call.emit(data, lambda: Table(columns=(Column("what"), Column("value")), rows=[(k, _written(v)) for k, v in data.items()]))


@app.command()
def edit(output: OutputOption = Output.TABLE, json: JsonOption = False) -> None:
    """Open the settings file in $EDITOR, and check it.

    $VISUAL is taken before $EDITOR. A file with a mistake can be opened again.

    Example: EDITOR=nano mmai config edit
    """
    call = frame("config edit", output, json=json)
    import sys

    file = _user_file(call)
    if not file.exists():
        _write_default(file)
    while True:
        _open_editor(call, file)
        try:
            _checked(file, call)
        except ConfigError as error:
            if call.json or sys.stdin is None or not sys.stdin.isatty():
                raise
            call.say(f"error: {error.message}")
            if not typer.confirm("Edit again?", default=True, err=True):
                raise
        else:
            break
    show_path(call, file, {"path": str(file)})


def _user_file(call: Frame) -> Path:
    from mmai.settings.files import user_file

    return user_file(call.paths, call.env)


def _write_default(file: Path) -> None:
    from mmai.files import replace
    from mmai.settings.template import default_config

    replace(file, default_config().encode())


def _checked(file: Path, call: Frame) -> "Settings":
    """What the file alone would set; one called `mmai.yaml` is held to the rules of a project file."""
    from mmai.paths import PROJECT_FILE
    from mmai.settings import check

    mine = file.name != PROJECT_FILE or file.absolute() == _user_file(call).absolute()
    return check(file, source="user" if mine else "project", paths=call.paths, env=call.env)


def _open_editor(call: Frame, file: Path) -> None:
    import shlex
    import subprocess

    editor = call.env.get("VISUAL") or call.env.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode  # noqa: S603 the user's own editor
    except (OSError, ValueError) as exc:
        raise UsageError(f"the editor `{editor}` cannot be started", hint="EDITOR=nano mmai config edit") from exc
    if code != 0:
        raise UsageError(
            f"the editor `{editor}` ended with exit code {code}; {file} is as it left it", hint="mmai config check"
        )


def _written(value: Any) -> str | None:
    """As it would stand in the file."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return f"[{', '.join(_written(item) or 'null' for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{name}: {_written(item)}' for name, item in value.items())}}}"
        case _:
            return str(value)
