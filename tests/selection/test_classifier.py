"""The table of the classifier: how it is read, and that what reads it cannot be fooled by a broken one."""

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmai.selection.classifier import MAGIC, WEIGHTS, ZERO, Classifier, combine, shipped
from mmai.selection.features import features
from mmai.selection.grams import BINS, BUCKETS, MEASURES, STEPS, bins, grams, word_rows
from mmai.selection.tasks import TEXT_TASKS

ROWS = BUCKETS + BINS


def test_the_shipped_table_is_whole_and_small() -> None:
    header = shipped().header
    assert WEIGHTS.stat().st_size <= 1_500_000
    assert header.rows == ROWS
    assert [name for name in header.columns if name.startswith("task:")] == [f"task:{task}" for task in TEXT_TASKS]
    assert len(header.columns) % 2 == 0


@settings(max_examples=40)
@given(st.lists(st.integers(0, ROWS - 1), max_size=700), st.lists(st.integers(0, ROWS - 1), max_size=12))
def test_reading_many_rows_at_once_is_adding_them_one_by_one(words: list[int], shape: list[int]) -> None:
    table = shipped()
    data = WEIGHTS.read_bytes()
    rows, width = data[data.index(b"\n", len(MAGIC)) + 1 :], len(table.header.columns)
    column = table.complexity_column
    expected = table.header.biases[column]
    for some in (words, shape):
        total = sum(rows[row * width + column] - ZERO for row in some)
        expected += table.header.scales[column] * total / (sqrt(len(some)) or 1)
    assert table.read(words, shape).complexity == pytest.approx(expected, abs=1e-9)


@given(st.text(max_size=400))
def test_every_text_has_rows_within_the_table(text: str) -> None:
    seen = features(text)
    assert all(0 <= row < BUCKETS for row in grams(seen))
    shape = bins(seen)
    assert len(shape) == len(MEASURES)
    assert all(BUCKETS + place * STEPS <= row < BUCKETS + (place + 1) * STEPS <= ROWS for place, row in enumerate(shape))


@given(st.text("abcdefgh ", min_size=1, max_size=80))
def test_a_words_own_rows_are_among_those_of_its_text(text: str) -> None:
    seen = features(text)
    rows = grams(seen)
    assert all(set(word_rows(word)) <= rows for clause in seen.clauses for word in clause)


@pytest.mark.parametrize(
    "data",
    [b"", b"something else", MAGIC + b"{}\n", WEIGHTS.read_bytes()[:-1], WEIGHTS.read_bytes() + b"\0", MAGIC + b"no line ends"],
    ids=["empty", "strange", "without a header", "cut off", "too long", "without an end"],
)
def test_a_broken_table_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Classifier.parse(data)


def test_rules_alone_speak_for_what_is_no_text_task() -> None:
    table = shipped()
    reading = table.read((), ())
    without, with_rules = (combine(reading, rules, table.header) for rules in ({}, {"image_generation": 5.0}))
    assert with_rules["image_generation"] - without["image_generation"] == pytest.approx(5.0 * table.header.alone)
    assert without["image_generation"] < max(without.values())
