"""A table on a screen: as wide as the screen, in colour where that is allowed."""

from collections.abc import Collection, Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text

from mmai.render.clean import clean_line
from mmai.render.rich_console import console, printed_lines
from mmai.render.table import Cell, Column, Table
from mmai.render.terminal import Terminal

_GAP = 2
"""Between two columns: the padding and the divider of `_grid`."""


def draw(table: Table, terminal: Terminal) -> None:
    """Write the table; columns that do not fit are left out by importance and named below it."""
    cells = table.cells
    widths = [_natural(column, [row[at] for row in cells]) for at, column in enumerate(table.columns)]
    room = terminal.width or _total(widths)
    kept = _fitting(table.columns, widths, room)
    printer = console(terminal, width=room)
    with printer.capture() as captured:
        if table.caption:
            first, *others = table.caption.split("\n")
            printer.print(clean_line(first), style="strong")
            for line in others:
                printer.print(clean_line(line))
            printer.print()
        printer.print(_grid(table.columns, cells, kept))
        for note in _notes(table, kept):
            printer.print(clean_line(note), style="dim")
    terminal.write("".join(f"{line}\n" for line in printed_lines(captured.get())))


def _natural(column: Column, cells: Sequence[Cell]) -> int:
    """Columns the widest cell takes on one line."""
    return max(cell_len(text) for text in [column.title, *(cell.shown for cell in cells)])


def _narrowest(column: Column, room: int) -> int:
    """Below this a wrapped sentence or a folded name is harder to read than the table is without another column."""
    return 24 if column.wrap else max(24, room * 9 // 20)


def _total(widths: Collection[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _fitting(columns: Sequence[Column], natural: Sequence[int], room: int) -> dict[int, int | None]:
    """The columns to show, in their order, and how wide; no width where even the narrowest table is too wide for the screen."""
    widths = {at: min(natural[at], _narrowest(column, room)) for at, column in enumerate(columns)}
    while _total(widths.values()) > room and any(columns[at].drop for at in widths):
        del widths[max(widths, key=lambda at: columns[at].drop)]
    for at in widths:
        if columns[at].wrap:
            widths[at] = max(min(12, widths[at]), widths[at] - max(0, _total(widths.values()) - room))
    left = room - _total(widths.values())
    if left < 0:
        return dict.fromkeys(widths)
    for at in sorted(widths, key=lambda at: columns[at].wrap):  # names first: a reference is copied from here
        more = min(left, natural[at] - widths[at])
        widths[at] += more
        left -= more
    return dict(widths)


def _grid(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], kept: Mapping[int, int | None]) -> Grid:
    grid = Grid(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="strong", border_style="dim"
    )
    for at, width in kept.items():
        grid.add_column(Text(columns[at].title), justify=columns[at].justify, overflow="fold", width=width)
    for row in cells:
        grid.add_row(*(Text(row[at].shown, style=row[at].style or "") for at in kept))
    return grid


def _notes(table: Table, kept: Collection[int]) -> list[str]:
    hidden = [column.title for at, column in enumerate(table.columns) if at not in kept]
    narrow = [f"too narrow for {', '.join(hidden)}; `-o plain` shows them"] if hidden else []
    notes = [*table.notes, *narrow]
    return ["", *notes] if notes else []
