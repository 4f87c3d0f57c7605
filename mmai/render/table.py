"""Rows for a person or a script, as one value. How they are written is show.py's."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from mmai.render.clean import clean_line

Value = str | int | float | None
"""What a cell holds. None is unknown."""

MISSING = "–"


class Cell(Struct, frozen=True):
    """A value with how people read it and what it means to them."""

    value: Value
    text: str | None = None
    """For people, such as `4.9 GB` for 4900000000; None is the value itself."""
    style: str | None = None
    """A word of `terminal.STYLES`."""

    @property
    def shown(self) -> str:
        """What a person reads; a dash where the value is unknown and has no words of its own."""
        if self.text is not None:
            return clean_line(self.text)
        return MISSING if self.value is None else clean_line(str(self.value))


class Column(Struct, frozen=True):
    """One column."""

    name: str
    """The heading in CSV, in snake_case with its unit."""
    header: str | None = None
    """The heading for people; None is the name."""
    justify: Literal["left", "right"] = "left"
    drop: int = 0
    """On a screen that is too narrow the highest goes first; 0 always stays."""
    wrap: bool = False
    """Holds sentences, which may run over several lines."""

    @property
    def title(self) -> str:
        """The heading for people."""
        return self.name if self.header is None else self.header


class Table(Struct, frozen=True, kw_only=True):
    """Columns, rows of as many cells, and words about them that only a person needs."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Value | Cell]]
    caption: str | None = None
    """Above the table."""
    notes: tuple[str, ...] = ()
    """Below it."""

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows, every value a cell."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]
