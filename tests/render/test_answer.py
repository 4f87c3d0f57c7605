"""Streamed answers: exact in a pipe, harmless on a screen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.render.answer import open_answer
from mmai.render.writer import PlainWriter


@given(st.lists(st.text()))
def test_a_pipe_gets_the_bytes_of_the_model_and_one_final_newline(a_pipe: Any, pieces: list[str]) -> None:
    pipe = a_pipe()
    text = "".join(pieces)
    with PlainWriter(pipe.terminal) as answer:
        for piece in pieces:
            answer.write(piece)
    assert pipe.bytes == text.encode() + (b"\n" if text and not text.endswith("\n") else b"")


def test_every_piece_is_out_before_the_next_one_comes(pipe: Any, clock: Any) -> None:
    answer = open_answer(pipe.terminal, raw=False, clock=clock)
    answer.write("Hel")
    assert pipe.bytes == b"Hel"
    answer.write("lo")
    assert pipe.bytes == b"Hello"


def test_a_pipe_keeps_control_sequences_and_markdown(pipe: Any, clock: Any) -> None:
    with open_answer(pipe.terminal, raw=False, clock=clock) as answer:
        answer.write("**a**\x1b[31m\r\n")
    assert pipe.bytes == b"**a**\x1b[31m\r\n"


def test_a_screen_with_raw_shows_the_marks_and_obeys_nothing(a_screen: Any, clock: Any) -> None:
    screen = a_screen(color=True)
    with open_answer(screen.terminal, raw=True, clock=clock) as answer:
        for piece in ("**a** \x1b", "[2", "Jb\x1b]0;ti", "tle\x07c"):
            answer.write(piece)
    assert screen.raw == "**a** bc\n"


def test_a_dumb_terminal_streams_plainly(a_screen: Any, clock: Any) -> None:
    screen = a_screen(env={"TERM": "dumb"})
    with open_answer(screen.terminal, raw=False, clock=clock) as answer:
        answer.write("# a")
    assert screen.raw == "# a\n"


@pytest.mark.parametrize("reason", [KeyboardInterrupt, RuntimeError])
def test_an_answer_that_breaks_off_ends_its_line(pipe: Any, reason: type[BaseException]) -> None:
    with pytest.raises(reason), PlainWriter(pipe.terminal) as answer:
        answer.write("half an ans")
        raise reason
    assert pipe.bytes == b"half an ans\n"


def test_a_reader_that_left_is_not_written_to_again(pipe: Any) -> None:
    with pytest.raises(BrokenPipeError), PlainWriter(pipe.terminal) as answer:
        answer.write("more")
        raise BrokenPipeError
    assert pipe.bytes == b"more"


def test_no_answer_is_no_line(pipe: Any) -> None:
    with PlainWriter(pipe.terminal) as answer:
        answer.write("")
    assert pipe.bytes == b""
