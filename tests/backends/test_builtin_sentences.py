"""Paragraphs into sentences, script by script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.sentences import MAX_WORDS, split_sentences
from mmai.backends.builtin.words import count_words, terms


@pytest.mark.parametrize(
    "sentences",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["Dr. Smith met Mrs. Jones at 5 p.m. in Washington, D.C. yesterday.", "They talked."],
        ["It grew, e.g. in Kenya, i.e. near the Equator.", "See Fig. 3 and pp. 4-5 for more."],
        ["J. R. R. Tolkien wrote it.", "C. S. Lewis read it."],
        ["He lives in the U.S. The house is large."[:20], "The house is large."],
        ["Pi is 3.14159 and e is 2.718.", "Version 1.2.3 is out."],
        ["Read https://example.com/a.b?c=d. It helps."[:33], "It helps."],
        ["Wait... what?", "Really?!", "Yes."],
        ["He paused…", "Then he went on."],
        ['"Stop!" he cried.', '"Why?"', "Nobody knew."],
        ["She said “Go.”", "He went (as he must).", "All was well."],
        ["The firm is Acme Inc. and it makes e.g. anvils etc. for coyotes.", "It sells many."],
        ["It was so in 1999.", "In 2000 it was not."],
        ["No. 5 is alive.", "Is it?", "No.", "It is not."],
        ["This was shown before.[12]", "It was shown again.[3][4]", "So it is."],
        ["all is lower case here.", "and a new one begins.", "fine."],
    ],
)
def test_english(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["Am 3. Oktober traf Dr. Weiß z.B. Frau Prof. Klein.", "Sie sagte: „Das ist gut.“", "Er schwieg."],
        ["M. Dupont est venu.", "« Bonjour ! » dit-il.", "Il est parti."],
        ["¿Qué tal?", "¡Muy bien!", "El Sr. García vive en EE.UU. desde 1990."],
        ["Он родился в 1850 г. в Москве.", "Его отец, т.е. купец, умер рано."],
        ["هذا كتاب.", "هل قرأته؟", "نعم!"],
        ["यह एक किताब है।", "क्या आपने पढ़ी?", "हाँ॥"],
        ["Սա գիրք է։", "Այո։"],
    ],
)
def test_other_scripts_with_spaces(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["今天天气很好。", "我们去公园吧！", "你来吗？", "好"],
        ["彼は「行こう。」", "そして去った。", "本当に?", "はい。"],
        ["他说：“今天不去。”", "她同意了。"],
    ],
)
def test_scripts_without_spaces(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


def test_hard_wrapped_lines_are_joined() -> None:
    assert split_sentences("One sentence that\nwas wrapped at\na width. And\nanother.") == [
        "One sentence that was wrapped at a width.",
        "And another.",
    ]


def test_text_without_punctuation_comes_in_pieces() -> None:
    pieces = split_sentences("word " * 1000)
    assert len(pieces) == 25
    assert all(count_words(piece) == 40 for piece in pieces)


def test_a_long_sentence_with_its_stop_stays_whole() -> None:
    sentence = "word " * (MAX_WORDS - 1) + "end."
    assert split_sentences(sentence) == [sentence]


@given(st.text())
def test_no_character_but_white_space_is_ever_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "count"),
    [("two words", 2), ("state-of-the-art", 1), ("人工智能", 4), ("हिन्दी में", 2), ("C++ and C#", 3), ("... !", 0), ("it's", 1)],
)
def test_words_are_counted_as_their_writers_do(text: str, count: int) -> None:
    assert count_words(text) == count


def test_terms_forget_plurals_and_take_han_by_pairs() -> None:
    assert terms("Models and Libraries’ classes 人工智能") == ["model", "and", "library", "classe", "人工", "工智", "智能"]
