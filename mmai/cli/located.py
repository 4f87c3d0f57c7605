"""A command that answers with one path: the path alone, for `"$(mmai config path)"`, or an object."""

from pathlib import Path
from typing import Any

from mmai.cli.frame import Frame
from mmai.values.output import Output


def show_path(call: Frame, path: Path, data: dict[str, Any]) -> None:
    """The path on a line of its own; `data` in every form that has fields."""
    from mmai.render.table import Column, Table

    if call.output in (Output.TABLE, Output.PLAIN):
        call.write(f"{path}\n".encode(errors="surrogateescape"))
    else:
        call.emit(data, lambda: Table(columns=tuple(Column(name) for name in data), rows=(tuple(map(_cell, data.values())),)))


def _cell(value: Any) -> str | None:
    return None if value is None else str(value)
