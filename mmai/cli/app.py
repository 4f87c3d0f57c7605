"""The commands, in the order `--help` lists them."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmai import __version__
from mmai.cli import chat, config, discover, history, keys, models, paths, preload, pull, rate, run, select, selftest, status
from mmai.cli.completion import Shell
from mmai.errors import Interrupted


class Commands(TyperGroup):
    """The commands in the order they are first needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """As `--help` shows them; typer would put those with commands of their own last."""
        return [name for name in ORDER if name in self.commands]

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Where a reader left (`| head -1`) or somebody pressed Ctrl-C, typer would end it without a word, and
        without the envelope of --json.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise Interrupted("the reader left", exit_code=141) from None
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None


ORDER = (
    "run",
    "chat",
    "select",
    "rate",
    "history",
    "discover",
    "models",
    "pull",
    "preload",
    "status",
    "selftest",
    "config",
    "keys",
    "paths",
)

app = typer.Typer(
    name="mmai",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,  # typer's scripts break references at their colons; ours are in completion_scripts.py
    rich_markup_mode=None,  # plain help: rich would be half of every start-up
    pretty_exceptions_enable=False,  # its tracebacks show locals, and locals can be keys
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mmai {__version__}")
        raise typer.Exit


def _show_completion(shell: Shell | None) -> None:
    if shell is not None:
        from mmai.cli.completion_scripts import SCRIPTS

        typer.echo(SCRIPTS[shell], nl=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.", show_default=False)
    ] = False,
    show_completion: Annotated[
        Shell | None,
        typer.Option(
            "--show-completion",
            metavar="SHELL",
            callback=_show_completion,
            is_eager=True,
            help="Print the completion script of bash, zsh or fish.",
        ),
    ] = None,
) -> None:
    """One command for every model you can reach.

    Discover models, let mmai choose one for a prompt, and run it.

    \b
      mmai run "why is the sky blue?"
      mmai run "summarise in two sentences" -f report.md
    """


app.command("run")(run.run)
app.command("chat")(chat.chat)
app.command("select")(select.select)
app.command("rate")(rate.rate)
app.add_typer(history.history, name="history")
app.command("discover")(discover.discover)
app.add_typer(models.models, name="models")
app.command("pull")(pull.pull)
app.command("preload")(preload.preload)
app.command("status")(status.status)
app.add_typer(selftest.app, name="selftest")
app.command("paths")(paths.paths)
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
