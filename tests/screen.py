"""The real command on a real terminal: a pty of 80 by 24, whose keys and words are the test's."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Any, Self

from command import PATIENCE_S, Mmai

CLAIM = (
    "import fcntl, os, sys, termios; fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0); os.execv(sys.argv[2], sys.argv[2:])"
)
"""Makes the pty the terminal whose Ctrl-C the command gets, which a process can do only for itself."""


class Screen:
    """`with Screen(mmai, "run", "hi") as screen: screen.until("Hello")`.

    All three streams are the terminal; `stdout=subprocess.PIPE` or a file in place of one takes it away.
    """

    def __init__(
        self,
        mmai: Mmai,
        *args: str,
        env: dict[str, str] | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> None:
        self.text = ""
        """Everything that came so far, with its control sequences."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(theirs), *mmai.command, *args],
            stdin=theirs if stdin is None else stdin,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env={**mmai.env, "TERM": "xterm-256color", **(env or {})},
            cwd=mmai.cwd,
            start_new_session=True,
            pass_fds=[theirs],
        )
        # Kept open, so that the settings of the terminal can be read when the command has left it.
        self._theirs = theirs

    def until(self, words: str, *, times: int = 1) -> None:
        """Read until `words` stand there, so often."""
        while self.text.count(words) < times:
            assert self._read(PATIENCE_S), f"waited in vain for {words!r}; saw {self.text!r}"

    def press(self, keys: str) -> None:
        """Press keys; `\\x03` is Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._ours, keys.encode())

    def end(self, *, pressing: str = "") -> int:
        """Read to the end; the exit code.

        `pressing` keys each second, as a person does: CPython may note a Ctrl-C just before it begins to wait for a line, and
        then waits all the same.
        """
        began = time.monotonic()
        pressed = 0
        while self.process.poll() is None:
            waited_s = time.monotonic() - began
            assert waited_s < PATIENCE_S, f"it does not end; saw {self.text!r}"
            if pressing and waited_s >= pressed:
                self.press(pressing)
                pressed += 1
            self._read(0.02)
        while self._read(0):
            pass
        return self.process.returncode

    @property
    def settings(self) -> list[Any]:
        """Of the terminal now, as `termios.tcgetattr` has them."""
        return termios.tcgetattr(self._theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._ours], [], [], wait_s)[0]:
            return False
        with contextlib.suppress(OSError):
            self.text += os.read(self._ours, 65536).decode(errors="replace")
        return True
