"""Nothing a model or server writes is obeyed by a terminal."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.render.clean import Cleaner, clean_line

HOSTILE = st.text(
    st.sampled_from("\x1b\x1b\x1b[]P\\_^X0;31mK?\x07\n\t\r\x9b\x9d\x9c\x90\x08\x18\u202e\u2066 aé日") | st.characters(),
    max_size=60,
)


def cuts(text: str, at: list[int]) -> list[str]:
    edges = [0, *sorted(position % (len(text) + 1) for position in at), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(HOSTILE, st.lists(st.integers(0, 60), max_size=6))
def test_any_cutting_gives_the_same_text(text: str, at: list[int]) -> None:
    cleaner = Cleaner()
    assert "".join(cleaner.clean(piece) for piece in cuts(text, at)) == Cleaner().clean(text)


@given(HOSTILE)
def test_no_control_character_is_left_but_newline_and_tab(text: str) -> None:
    left = {c for c in Cleaner().clean(text) if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2066"}
    assert left <= {"\n", "\t"}


@given(st.text(st.characters(exclude_categories=("Cc", "Cf")) | st.sampled_from("\n\t")))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Cleaner().clean(text) == text


@given(HOSTILE)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = Cleaner().clean(text)
    assert Cleaner().clean(once) == once


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b[2J\x1b[Hb", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bPq#0;2\x1b\\b", "ab"),
        ("a\x9b31mb\x9d0;t\x9cc", "abc"),
        ("a\x1b(Bb\x1b7c", "abc"),
        ("10 %\r20 %\r\nend", "10 %20 %\nend"),
        ("a\x08\x08b\x00c\x7fd", "abcd"),
        ("\u202eevil\u202c", "evil"),
        ("שלום\u200f ok", "שלום\u200f ok"),
        ("x\x1b[é", "xé"),
        ("x\x1b[\ny", "x\ny"),
    ],
)
def test_sequences_are_dropped_whole(written: str, shown: str) -> None:
    assert Cleaner().clean(written) == shown


def test_a_string_sequence_without_an_end_costs_its_line_only() -> None:
    assert Cleaner().clean("a\x1b]0;never ended\nthe answer goes on") == "a\nthe answer goes on"


def test_a_name_stays_on_one_line() -> None:
    assert clean_line("evil\n\tname\x1b[2J") == "evil name"
