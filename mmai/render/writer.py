"""What takes an answer piece by piece, and its plain form."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from mmai.render.clean import Cleaner
from mmai.render.terminal import Terminal


class AnswerWriter(ABC):
    """Takes an answer piece by piece. As a context manager it ends the answer whatever happens, Ctrl-C included."""

    @abstractmethod
    def write(self, text: str) -> None:
        """Show more of the answer, now.

        Raises:
            OSError: the stream is closed (`BrokenPipeError`) or full.
        """

    @abstractmethod
    def close(self) -> None:
        """End the answer with one newline, unless it has one or is empty. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        # A stream that just refused the answer's text would refuse its last newline too, and hide the reason.
        if not isinstance(error, OSError):
            self.close()


class PlainWriter(AnswerWriter):
    """The text as it is: byte for byte into a pipe or file, without control sequences on a TTY."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._cleaner = Cleaner() if terminal.is_tty else None
        self._ended = True
        """The last character was a newline, or there was none."""

    def write(self, text: str) -> None:
        """Show more of the answer, now."""
        shown = self._cleaner.clean(text) if self._cleaner else text
        if shown:
            self._ended = shown.endswith("\n")
            self._terminal.write(shown)

    def close(self) -> None:
        """End the answer with one newline, unless it has one or is empty."""
        if not self._ended:
            self._ended = True
            self._terminal.write("\n")
