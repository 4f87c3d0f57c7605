"""Hashed n-grams: one unit vector for any text."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.embedding import DIMENSIONS, embed


def likeness(one: str, other: str) -> float:
    return float(embed(one) @ embed(other))


def test_texts_that_share_words_or_parts_of_words_are_more_alike() -> None:
    cat = "The cat sleeps on the warm roof."
    assert likeness(cat, "Cats were sleeping on a roof") > likeness(cat, "Quarterly earnings beat all forecasts") + 0.2
    assert likeness("人工智能改变医疗", "医疗中的人工智能") > likeness("人工智能改变医疗", "今天天气很好") + 0.2


def test_function_words_hardly_make_texts_alike() -> None:
    assert likeness("the price of the house is what it is", "the dog and the cat of the girl") < 0.3


def test_another_process_gives_the_same_vector() -> None:
    code = "from mmai.backends.builtin.embedding import embed; print(embed('a few words').tolist())"
    printed = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in "12"
    }
    assert printed == {f"{embed('a few words').tolist()}\n".encode()}


@given(st.text(min_size=1).filter(str.strip))
def test_every_text_has_a_vector_of_length_1(text: str) -> None:
    vector = embed(text)
    assert vector.shape == (DIMENSIONS,)
    assert float(vector @ vector) == pytest.approx(1.0)
