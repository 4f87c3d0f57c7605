"""A sign of life that leaves no trace."""

import threading
from typing import Any

import pytest

from mmai.render.spinner import Spinner
from mmai.render.terminal import Terminal, terminal


class Watched:
    """A TTY that tells when something was written to it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.text = ""
        self.written = threading.Event()
        self._broken = broken

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError

    def write(self, text: str) -> int:
        self.written.set()
        if self._broken:
            raise OSError("gone")
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def on(stream: Any) -> Terminal:
    return terminal(stream, env={"TERM": "xterm"}, no_color=True)


def test_it_shows_what_is_waited_for_and_takes_it_away(clock: Any) -> None:
    stream = Watched()
    with Spinner(on(stream), "ollama:qwen3:8b", clock=clock, delay_s=0):
        assert stream.written.wait(10)
    assert "⠋ ollama:qwen3:8b" in stream.text
    assert stream.text.endswith("\r\x1b[2K")


def test_a_short_wait_shows_nothing(clock: Any) -> None:
    stream = Watched()
    with Spinner(on(stream), "x", clock=clock, delay_s=60) as spinner:
        spinner.stop()
        spinner.stop()
    assert stream.text == ""


def test_a_long_wait_is_counted(a_clock: Any) -> None:
    class Later(a_clock):  # type: ignore[misc]
        def monotonic(self) -> float:
            self.seconds += 60.0
            return float(self.seconds)

    stream = Watched()
    with Spinner(on(stream), "x", clock=Later(), delay_s=0):
        assert stream.written.wait(10)
    assert "⠋ x 60 s" in stream.text


def test_it_is_gone_when_the_work_fails(clock: Any) -> None:
    stream = Watched()
    with pytest.raises(KeyboardInterrupt), Spinner(on(stream), "x", clock=clock, delay_s=0):
        assert stream.written.wait(10)
        raise KeyboardInterrupt
    assert stream.text.endswith("\r\x1b[2K")


def test_a_closed_standard_error_does_not_fail_the_run(clock: Any) -> None:
    stream = Watched(broken=True)
    with Spinner(on(stream), "x", clock=clock, delay_s=0):
        assert stream.written.wait(10)


def test_a_pipe_is_left_alone(pipe: Any, clock: Any) -> None:
    with Spinner(pipe.terminal, "x", clock=clock, delay_s=0):
        pass
    assert pipe.bytes == b""
