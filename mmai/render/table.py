"""Rows for a person or a script: one value, shown as a table, as aligned text, as Markdown or as CSV."""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Literal

from msgspec import Struct

from mmai.render.clean import clean_line
from mmai.render.terminal import Terminal
from mmai.values.output import Output

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


def show(table: Table, output: Output, terminal: Terminal) -> None:
    """Write `table` in the form asked for. JSON is `envelope.py`'s: it has values of its own, not rows.

    A pipe gets whole cells in lines as long as they are; a TTY gets its width, and the least important columns go first.
    """
    match output:
        case Output.TABLE if terminal.is_tty or terminal.color:
            # rich costs 30 ms, and neither a pipe nor any other form needs it
            from mmai.render.rich_table import draw  # noqa: PLC0415

            draw(table, terminal)
        case Output.TABLE:
            terminal.write(_with_words(table, _aligned(table, "simple")))
        case Output.PLAIN:
            terminal.write(_aligned(table, "plain"))
        case Output.MD:
            terminal.write(_aligned(table, "github", escape=_in_markdown))
        case Output.CSV:
            terminal.write(_csv(table))
        case Output.JSON | Output.JSONL:
            raise ValueError(f"a table has no {output.value} of its own")


def _with_words(table: Table, body: str) -> str:
    above = f"{clean_line(table.caption)}\n\n" if table.caption else ""
    below = "".join(f"{clean_line(note)}\n" for note in table.notes)
    return above + body + (f"\n{below}" if below else "")


def _aligned(table: Table, style: str, *, escape: Callable[[str], str] = str) -> str:
    # 35 ms, and only for these forms
    from tabulate import tabulate  # noqa: PLC0415

    text = tabulate(
        [[escape(cell.shown) for cell in row] for row in table.cells],
        headers=[escape(column.title) for column in table.columns],
        tablefmt=style,
        disable_numparse=True,
        colalign=[column.justify for column in table.columns] if table.rows else None,
    )
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n"))


def _in_markdown(text: str) -> str:
    return text.replace("|", "\\|")


def _csv(table: Table) -> str:
    """RFC 4180: a heading, CRLF, quotes where they are needed, nothing for what is unknown."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows(_raw(row) for row in table.cells)
    return text.getvalue()


def _raw(row: Iterable[Cell]) -> list[Value]:
    return [clean_line(cell.value) if isinstance(cell.value, str) else cell.value for cell in row]
