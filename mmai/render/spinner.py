"""A sign of life on standard error while nothing else can be said."""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from mmai.clock import Clock
from mmai.render.clean import clean_line
from mmai.render.terminal import Terminal

DELAY_S = 0.2
"""Nobody needs to be told of a wait shorter than this."""

_FRAME_S = 0.1
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_COUNT_FROM_S = 3


class Spinner:
    """Turns beside `text` until stopped, then leaves the line as it was. Says nothing where the cursor cannot be moved.

    A thread of its own: an embedded model holds the event loop while it works.
    """

    def __init__(self, terminal: Terminal, text: str, *, clock: Clock, delay_s: float = DELAY_S) -> None:
        self._terminal = terminal
        self._text = clean_line(text)
        self._clock = clock
        self._delay_s = delay_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._terminal.live:
            self._thread = threading.Thread(target=self._turn, name="spinner", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Take it off the screen, before anything else is written there. May be called twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _turn(self) -> None:
        started = self._clock.monotonic()
        if self._stopped.wait(self._delay_s):
            return
        # a closed standard error is no reason to fail a run
        with suppress(OSError, ValueError):
            at = 0
            while not self._stopped.is_set():
                self._terminal.write(f"\r\x1b[2K{self._line(at, self._clock.monotonic() - started)}")
                at += 1
                self._stopped.wait(_FRAME_S)
            self._terminal.write("\r\x1b[2K")

    def _line(self, at: int, waited_s: float) -> str:
        counted = f" {waited_s:.0f} s" if waited_s >= _COUNT_FROM_S else ""
        room = self._terminal.size()[0] - len(counted) - 3
        return self._terminal.paint(f"{_FRAMES[at % len(_FRAMES)]} {self._text[:room]}{counted}", "dim")
