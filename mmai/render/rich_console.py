"""rich, told everything it would otherwise look up itself. Import this where it is drawn with, not above."""

import re
from io import StringIO
from typing import TextIO

from rich.console import Console
from rich.theme import Theme

from mmai.render.terminal import STYLES, Terminal

_MARKDOWN = {
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "bold",
    "markdown.h4": "bold",
    "markdown.h5": "bold",
    "markdown.h6": "bold",
    # rich sets inline code on a black ground, which is a blot on light terminals
    "markdown.code": "cyan",
    "markdown.code_block": "none",
    "markdown.block_quote": "dim",
    "markdown.link_url": "dim",
}

SGR = re.compile("\x1b\\[[0-9;]*m")
_END = re.compile("(?:\x1b\\[[0-9;]*m| )+$")


def console(terminal: Terminal, *, width: int, file: TextIO | None = None) -> Console:
    """A console `width` columns wide that writes to `file`, or to nowhere for what is captured."""
    return Console(
        file=StringIO() if file is None else file,
        width=width,
        height=terminal.size()[1],
        color_system="standard" if terminal.color else None,
        no_color=not terminal.color,
        force_terminal=terminal.live,
        force_interactive=terminal.live,
        force_jupyter=False,
        legacy_windows=False,
        theme=Theme(STYLES | _MARKDOWN),
        markup=False,
        emoji=False,
        highlight=False,
        # nothing below the command line reads the process's own
        _environ={},
    )


def printed_lines(captured: str) -> list[str]:
    """What was captured, line by line, without the spaces rich fills its lines up with."""
    return [_END.sub(lambda end: end.group().replace(" ", ""), line) for line in captured.removesuffix("\n").split("\n")]
