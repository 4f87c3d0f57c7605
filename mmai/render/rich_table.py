"""A table on a screen: as wide as the screen, in colour where that is allowed."""

from collections.abc import Collection, Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text

from mmai.render.clean import clean_line
from mmai.render.rich_console import console
from mmai.render.table import Cell, Column, Table
from mmai.render.terminal import Terminal

_GAP = 2
_NARROWEST_SENTENCES = 24
"""Columns below which wrapped sentences are harder to read than the table is without another column."""


def draw(table: Table, terminal: Terminal) -> None:
    """Write the table; columns that do not fit are left out by importance and named below it."""
    cells = table.cells
    widths = [_natural(column, [row[at] for row in cells]) for at, column in enumerate(table.columns)]
    least = [
        min(width, _NARROWEST_SENTENCES) if column.wrap else width for column, width in zip(table.columns, widths, strict=True)
    ]
    room = terminal.width or _total(widths)
    kept = _fitting(table.columns, least, room)
    printer = console(terminal, width=room)
    with printer.capture() as captured:
        if table.caption:
            printer.print(clean_line(table.caption), style="strong")
            printer.print()
        printer.print(_grid(table.columns, cells, {at: least[at] for at in kept}, room))
        for note in _notes(table, kept):
            printer.print(clean_line(note), style="dim")
    terminal.write("".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n")))


def _natural(column: Column, cells: Sequence[Cell]) -> int:
    """Columns the widest cell takes on one line."""
    return max(cell_len(text) for text in [column.title, *(cell.shown for cell in cells)])


def _total(widths: Collection[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _fitting(columns: Sequence[Column], least: Sequence[int], room: int) -> list[int]:
    """The columns to show, in their order."""
    kept = list(range(len(columns)))
    while _total([least[at] for at in kept]) > room and any(columns[at].drop for at in kept):
        kept.remove(max(kept, key=lambda at: columns[at].drop))
    return kept


def _grid(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], least: Mapping[int, int], room: int) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="strong", border_style="dim")
    fits = _total(least.values()) <= room
    for at, width in least.items():
        # A reference is copied from here: it is never cut, and folded only where the screen itself is narrower.
        grid.add_column(
            Text(columns[at].title), justify=columns[at].justify, overflow="fold", min_width=width if fits else None
        )
    for row in cells:
        grid.add_row(*(Text(row[at].shown, style=row[at].style or "") for at in least))
    return grid


def _notes(table: Table, kept: Sequence[int]) -> list[str]:
    hidden = [column.title for at, column in enumerate(table.columns) if at not in kept]
    narrow = [f"not shown for want of width: {', '.join(hidden)}; `-o plain` has every column"] if hidden else []
    notes = [*table.notes, *narrow]
    return ["", *notes] if notes else []
