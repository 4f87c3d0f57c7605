"""rich, told everything it would otherwise look up itself. Import this where it is drawn with, not above."""

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


def console(terminal: Terminal, *, width: int, file: TextIO | None = None) -> Console:
    """A console `width` columns wide that writes to `file`, or keeps what is printed for `printed()`."""
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
