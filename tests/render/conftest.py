"""Streams to render into, and a screen that obeys what is written to it."""

import io
import re

import pytest
from rich.cells import cell_len

from mmai.render.terminal import Terminal, terminal

MOVES = re.compile("\x1b\\[([0-9;]*)([A-Za-z])")


class Pipe:
    """Standard output into a pipe or file."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self.terminal: Terminal = terminal(io.TextIOWrapper(self._bytes, encoding="ascii"), env={}, no_color=False)

    @property
    def bytes(self) -> bytes:
        return self._bytes.getvalue()

    @property
    def text(self) -> str:
        return self.bytes.decode()


class Tty(io.StringIO):
    """A screen of 24 lines, as a stream."""

    def isatty(self) -> bool:
        return True


class Screen:
    """A TTY, and what a person sees on it: `lines` is the scrollback and the screen together."""

    HEIGHT = 24

    def __init__(self, *, columns: int = 80, color: bool = False, env: dict[str, str] | None = None) -> None:
        self.columns = columns
        self._stream = Tty()
        environment = {"TERM": "xterm", "COLUMNS": str(columns), **(env or {})}
        self.terminal: Terminal = terminal(self._stream, env=environment, no_color=not color)

    @property
    def raw(self) -> str:
        """What was written."""
        return self._stream.getvalue()

    @property
    def lines(self) -> list[str]:
        """What is to be read, top to bottom; an escape sequence that moves in a way not known here is an error."""
        rows = [""]
        row = at = 0
        while at < len(self.raw):
            character = self.raw[at]
            if move := MOVES.match(self.raw, at):
                at = move.end()
                match move.groups():
                    case (_, "m"):
                        pass
                    case ("2", "K"):
                        rows[row] = ""
                    case (count, "A"):
                        row = max(row - int(count or 1), len(rows) - self.HEIGHT, 0)
                    case other:
                        raise AssertionError(f"unknown sequence {other}")
                continue
            at += 1
            match character:
                case "\n":
                    row += 1
                    rows += [""] * (row == len(rows))
                case "\r":
                    assert self.raw[at] in "\x1b\r", "only whole lines are redrawn"
                case _:
                    rows[row] += character
                    assert cell_len(rows[row]) <= self.columns, f"wider than the screen: {rows[row]}"
        assert not any(rows[row + 1 :]), "something is left below the cursor"
        return rows[: row + 1]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class StoppedClock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return 1_800_000_000 + self.seconds

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(scope="session")
def a_pipe() -> type[Pipe]:
    """For a new one in every example."""
    return Pipe


@pytest.fixture(scope="session")
def a_screen() -> type[Screen]:
    return Screen


@pytest.fixture(scope="session")
def a_clock() -> type[StoppedClock]:
    return StoppedClock
