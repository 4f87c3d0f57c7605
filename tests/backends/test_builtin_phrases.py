"""The phrases a text is about."""

from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.document import read_document
from mmai.backends.builtin.phrases import key_phrases

TEXT = """Solar panels turn sunlight into power. A solar panel lasts for decades.
Most solar panels are made of silicon. Silicon is cheap, and solar panels are getting cheaper.
The price of a battery matters as well, since a battery keeps power for the night."""


def phrases(text: str, count: int | None = None) -> list[str]:
    return key_phrases(read_document(text), count)


def test_the_phrase_a_text_repeats_comes_first_in_its_commonest_spelling() -> None:
    assert phrases(TEXT)[0].lower() == "solar panels"


def test_as_many_as_asked_for_come_back_and_no_part_of_a_better_one() -> None:
    found = [phrase.lower() for phrase in phrases(TEXT, 3)]
    assert len(found) == 3
    assert "solar" not in found
    assert "panels" not in found


def test_function_words_and_numbers_are_in_no_phrase() -> None:
    words = {
        word for phrase in phrases("The 300 members of the old club met in 1999 with the mayor.") for word in phrase.split()
    }
    assert words == {"members", "old", "club", "met", "mayor"}


def test_han_phrases_are_found_without_spaces() -> None:
    assert "人工智能" in phrases("人工智能正在改变医疗。医院使用人工智能。人工智能的准确率很高。")


def test_a_text_of_function_words_has_none() -> None:
    assert phrases("It is what it is, and that is all of it.") == []


@given(st.text())
def test_phrases_stand_in_the_text_and_none_twice(text: str) -> None:
    found = phrases(text)
    assert len(set(found)) == len(found)
    assert all(phrase.strip() for phrase in found)
    if not set("\\&`*_[]<>~|{:") & set(text):
        assert all(letters(phrase) in letters(text) for phrase in found)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
