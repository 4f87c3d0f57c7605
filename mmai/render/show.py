"""A table written out: for a screen, for a pipe, as Markdown or as CSV."""

import csv
from collections.abc import Callable, Iterable
from io import StringIO

from mmai.render.clean import clean_line
from mmai.render.table import Cell, Table, Value
from mmai.render.terminal import Terminal
from mmai.values.output import Output


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
    above = "".join(f"{clean_line(line)}\n" for line in table.caption.split("\n")) + "\n" if table.caption else ""
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
