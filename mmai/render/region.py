"""The last lines of a screen, which may still change; what is above them belongs to the scrollback."""

from collections.abc import Sequence

from mmai.render.terminal import Terminal

_ERASE_LINE = "\x1b[2K"


class Region:
    """Lines that are redrawn in place, from the first one that differs, each time in one write.

    The cursor is never hidden and no mode is set, so nothing is left to restore if the process dies. The region is never taller
    than the screen, since lines that left it cannot be reached again: of more lines the last are shown.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._shown: list[str] = []
        self._size = terminal.size()

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines instead; each must be narrower than the screen."""
        self._forget_on_resize()
        room = max(1, self._size[1] - 1)
        self._replace(list(lines[-room:]), end="")

    def commit(self, lines: Sequence[str]) -> None:
        """Show these lines instead, for good, and begin a new region below them."""
        self._forget_on_resize()
        self._replace(list(lines), end="\n")
        self._shown = []

    def _forget_on_resize(self) -> None:
        # A terminal that was resized has wrapped our lines anew, each kind in its own way: begin below rather than draw over text.
        size = self._terminal.size()
        if size != self._size and self._shown:
            self._terminal.write("\n")
            self._shown = []
        self._size = size

    def _replace(self, lines: list[str], *, end: str) -> None:
        same = 0
        while same < min(len(lines), len(self._shown)) and lines[same] == self._shown[same]:
            same += 1
        self._terminal.write(self._moves(lines, same) + end)
        self._shown = lines

    def _moves(self, lines: list[str], same: int) -> str:
        """What turns the shown lines into `lines`, of which the first `same` are equal. The cursor stands behind the last line."""
        if same == len(self._shown):
            more = lines[same:]
            return ("\n" if same and more else "") + "\n".join(more)
        # Line by line: tmux takes "erase below" from the top row for a cleared screen and files the old text in the scrollback.
        extra = len(self._shown) - max(len(lines), 1)
        first = max(0, min(same, len(lines) - 1))
        up = len(self._shown) - 1 - max(extra, 0) - first
        changed = "\n".join(_ERASE_LINE + line for line in lines[first:] or [""])
        return (_ERASE_LINE + "\x1b[A") * extra + "\r" + (f"\x1b[{up}A" if up else "") + changed
