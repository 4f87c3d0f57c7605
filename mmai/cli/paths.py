"""`mmai paths`: where settings and state live."""

from mmai.cli.frame import frame
from mmai.cli.options import JsonOption, NoColorOption, OutputOption
from mmai.values.output import Output


def paths(output: OutputOption = Output.TABLE, json: JsonOption = False, no_color: NoColorOption = False) -> None:
    """Show where settings, models and everything else live.

    Example: cat "$(mmai paths --json | jq -r .data.config)"
    """
    from mmai.render.table import Column, Table

    call = frame("paths", output, json=json, no_color=no_color)
    found = {
        "config": str(call.paths.config),
        "registry": str(call.paths.registry),
        "history": str(call.paths.history),
        "keys": str(call.paths.keys),
        "models": str(call.paths.models),
        "cache": str(call.paths.cache_dir),
    }
    call.emit(found, lambda: Table(columns=(Column("what"), Column("path")), rows=tuple(found.items())))
