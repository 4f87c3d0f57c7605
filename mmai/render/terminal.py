"""One output stream as the renderers see it: where it goes, how wide it is, and what it can show."""

import os
from collections.abc import Mapping
from io import StringIO
from typing import TextIO

from msgspec import Struct

STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "strong": "bold", "accent": "cyan"}
"""What a piece of text means, to how it looks; the same words are rich's theme (`rich_console.py`)."""

_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Terminal(Struct, frozen=True, eq=False, kw_only=True):
    """An output stream and what it can show. `terminal()` makes one."""

    stream: TextIO
    is_tty: bool
    color: bool
    live: bool
    """The cursor can be moved back: spinners, bars and growing Markdown are possible."""
    columns: int | None = None
    """The width somebody asked for with `COLUMNS`; it wins over the measured one."""

    @property
    def width(self) -> int | None:
        """Columns to lay out for; None where lines may be as long as they are."""
        return self.size()[0] if self.is_tty else None

    def size(self) -> tuple[int, int]:
        """Columns and lines of the screen now; 80 by 24 where nobody knows."""
        try:
            columns, lines = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            columns, lines = 0, 0
        return self.columns or columns or 80, lines or 24

    def write(self, text: str) -> None:
        """Text out, now. A pipe or file gets UTF-8 whatever the locale says; what a TTY's encoding lacks becomes `?`.

        Raises:
            OSError: the stream is closed or full.
        """
        buffer = getattr(self.stream, "buffer", None)
        if buffer is None:
            self.stream.write(text)
        else:
            buffer.write(text.encode((self.is_tty and self.stream.encoding) or "utf-8", "replace"))
        self.stream.flush()

    def paint(self, text: str, style: str) -> str:
        """`text` in one of `STYLES`, where colour is allowed."""
        if not (self.color and text):
            return text
        codes = ";".join(_SGR[word] for word in STYLES[style].split())
        return f"\x1b[{codes}m{text}\x1b[0m"


def terminal(stream: TextIO | None, *, env: Mapping[str, str], no_color: bool) -> Terminal:
    """What `stream` can show, by what it is and what the environment says.

    No stream (Python's answer to `>&-`) takes everything and keeps it to itself. `--no-color` and a non-empty `NO_COLOR` win over
    `FORCE_COLOR`, which wins over `TERM=dumb` and pipes: CPython's own order (`_colorize.can_colorize`, 3.13). `FORCE_COLOR=0` is no.
    """
    if stream is None:
        return Terminal(stream=StringIO(), is_tty=False, color=False, live=False)
    is_tty = stream.isatty()
    live = is_tty and env.get("TERM") not in ("dumb", "unknown")
    forced = env.get("FORCE_COLOR", "") not in ("", "0")
    columns = env.get("COLUMNS", "")
    return Terminal(
        stream=stream,
        is_tty=is_tty,
        color=not (no_color or env.get("NO_COLOR")) and (forced or live),
        live=live,
        columns=int(columns) if columns.isdecimal() and int(columns) > 0 else None,
    )
