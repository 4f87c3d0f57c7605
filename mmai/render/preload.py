"""What was loaded into memory, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmai.render.table import Cell, Column, Table
from mmai.render.units import duration, size

GOOD = ("loaded", "was there", "gone")


def preload_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each model."""
    return Table(
        columns=(
            Column("model", "Model"),
            Column("state", "State"),
            Column("size_bytes", "Memory", justify="right"),
            Column("load_ms", "Took", justify="right"),
            Column("error", "Why not", wrap=True),
        ),
        rows=[
            (
                row["model"],
                Cell(row["state"], style="good" if row["state"] in GOOD else "warn" if row["error"] else None),
                Cell(row["size_bytes"], None if row["size_bytes"] is None else size(row["size_bytes"])),
                Cell(row["load_ms"], None if row["load_ms"] is None else duration(row["load_ms"])),
                row["error"],
            )
            for row in rows
        ],
    )
