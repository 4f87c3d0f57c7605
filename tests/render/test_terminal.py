"""What a stream can show."""

import io
import os
import pty

import pytest

from mmai.render.terminal import terminal


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_tty_has_colour_a_moving_cursor_and_a_width() -> None:
    found = terminal(_Tty(), env={"TERM": "xterm-256color"}, no_color=False)
    assert (found.is_tty, found.color, found.live, found.width) == (True, True, True, 80)


def test_a_pipe_has_none_of_them() -> None:
    found = terminal(io.StringIO(), env={"TERM": "xterm-256color", "COLUMNS": "40"}, no_color=False)
    assert (found.is_tty, found.color, found.live, found.width) == (False, False, False, None)


@pytest.mark.parametrize(
    ("env", "no_color", "color"),
    [
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"NO_COLOR": ""}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
        ({}, True, False),
    ],
)
def test_colour_on_a_tty_follows_flag_then_no_color_then_force_color(env: dict[str, str], no_color: bool, color: bool) -> None:
    assert terminal(_Tty(), env=env, no_color=no_color).color is color


@pytest.mark.parametrize(("value", "color"), [("1", True), ("0", False), ("", False)])
def test_force_color_reaches_into_a_pipe(value: str, color: bool) -> None:
    assert terminal(io.StringIO(), env={"FORCE_COLOR": value}, no_color=False).color is color


def test_a_dumb_terminal_cannot_redraw() -> None:
    assert not terminal(_Tty(), env={"TERM": "dumb"}, no_color=False).live


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("0", 80), ("wide", 80), ("-3", 80), ("", 80)])
def test_columns_set_the_width_when_they_are_a_width(columns: str, width: int) -> None:
    assert terminal(_Tty(), env={"COLUMNS": columns}, no_color=False).width == width


def test_the_size_of_a_real_terminal_is_measured() -> None:
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    with os.fdopen(theirs, "w") as stream:
        assert terminal(stream, env={"TERM": "xterm"}, no_color=False).size() == (100, 30)
    os.close(ours)


def test_a_closed_standard_output_takes_everything() -> None:
    closed = terminal(None, env={"FORCE_COLOR": "1"}, no_color=False)
    closed.write("nobody reads this")
    assert not closed.color


def test_a_pipe_gets_utf8_whatever_the_locale() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="latin-1")
    terminal(stream, env={}, no_color=False).write("naïve – 日本\r\n")
    assert data.getvalue() == "naïve – 日本\r\n".encode()


def test_half_a_surrogate_pair_does_not_stop_the_answer() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data)
    terminal(stream, env={}, no_color=False).write("a\ud83db")
    assert data.getvalue() == b"a?b"


def test_a_tty_gets_its_own_encoding() -> None:
    class Latin(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    data = io.BytesIO()
    stream = Latin(data, encoding="latin-1")
    terminal(stream, env={}, no_color=False).write("naïve 日")
    assert data.getvalue() == b"na\xefve ?"


def test_paint_colours_only_where_that_is_allowed() -> None:
    bright = terminal(_Tty(), env={}, no_color=False)
    assert bright.paint("error:", "bad") == "\x1b[1;31merror:\x1b[0m"
    assert terminal(_Tty(), env={}, no_color=True).paint("error:", "bad") == "error:"
