"""Which sentences are chosen, how many, and in what order."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.document import Document, Sentence, read_document
from mmai.backends.builtin.summary import Choice, Limits, choose, default_length, rank_sentences

TEXT = """The river floods the valley every spring. Farmers in the valley wait for the flood of the river.
The flood leaves rich mud on the fields of the farmers. My cousin once bought a red bicycle.
The river floods the valley every spring. Without the flood the fields in the valley would be poor."""


def summary(text: str, **limits: int) -> Choice:
    document = read_document(text)
    return choose(document, rank_sentences(document), Limits(**limits))


def test_the_sentence_about_something_else_is_ranked_behind_those_about_the_subject() -> None:
    document = read_document(TEXT)
    order = [document.sentences[i].text for i in rank_sentences(document)]
    assert order.index("My cousin once bought a red bicycle.") >= 4


def test_a_repeated_sentence_is_ranked_last() -> None:
    document = read_document(TEXT)
    *_, last = rank_sentences(document)
    assert document.sentences[last].text == "The river floods the valley every spring."
    assert last == 4


@pytest.mark.parametrize("text", [TEXT, "Same old words. " * 4])
def test_every_sentence_is_ranked_once(text: str) -> None:
    document = read_document(text)
    assert sorted(rank_sentences(document)) == list(range(len(document.sentences)))


def test_an_introduction_to_a_list_is_no_summary() -> None:
    text = "The tool reads files of every kind:\n\n- It reads plain files of text.\n- It reads compressed files too.\n"
    assert summary(text, sentences=1).sentences != ("The tool reads files of every kind:",)


def test_what_takes_up_a_heading_is_ranked_higher_for_it() -> None:
    fruits = ["apples", "pears", "plums", "melons", "quinces"]
    body = "Nothing else of note grows. " + " ".join(
        f"There are {fruit} in the old garden behind the house." for fruit in fruits
    )
    document = read_document(body)
    headed = Document(document.sentences, headings=("Melons",))
    melons = next(i for i, sentence in enumerate(document.sentences) if "melons" in sentence.text)
    assert list(rank_sentences(headed)).index(melons) < list(rank_sentences(document)).index(melons)


def test_sentences_come_in_the_order_of_the_text() -> None:
    chosen = summary(TEXT, sentences=3).sentences
    positions = [TEXT.replace("\n", " ").index(sentence) for sentence in chosen]
    assert positions == sorted(positions)
    assert len(chosen) == 3


@pytest.mark.parametrize(
    ("sentences", "length"), [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3), (24, 3), (25, 4), (60, 5), (10_000, 5)]
)
def test_the_default_length_follows_the_texts(sentences: int, length: int) -> None:
    assert default_length(sentences) == length


def plain(*texts: str) -> Document:
    return Document(tuple(Sentence(text) for text in texts))


def test_more_sentences_than_there_are_is_all_of_them() -> None:
    assert choose(plain("One here.", "Two here."), [1, 0], Limits(sentences=9)) == Choice(("One here.", "Two here."))


def test_a_limit_on_words_is_never_passed_and_passes_over_what_does_not_fit() -> None:
    document = plain("One two three four.", "Five six seven.", "Eight nine.")
    assert choose(document, [0, 1, 2], Limits(words=6)) == Choice(("One two three four.", "Eight nine."))


def test_a_limit_no_sentence_meets_chooses_none() -> None:
    assert choose(plain("One two three four."), [0], Limits(words=3)) == Choice(())


def test_a_limit_on_size_cuts_only_what_was_asked_for_by_number() -> None:
    document = plain("One two.", "Three four.")
    assert choose(document, [0, 1], Limits(sentences=2, size_bytes=12)) == Choice(("One two.",), cut=True)
    assert choose(document, [0, 1], Limits(size_bytes=12)) == Choice(("One two.",), cut=False)


WORDS = st.lists(st.sampled_from(["river", "flood", "field", "valley", "the", "of", "数据", "模型"]), min_size=1, max_size=9)
PARAGRAPHS = st.lists(WORDS.map(lambda words: " ".join(words).capitalize() + "."), max_size=12).map(" ".join)
TEXTS = st.one_of(st.text(), st.lists(PARAGRAPHS, max_size=4).map("\n\n".join))


@given(TEXTS, st.integers(1, 8))
def test_a_summary_is_sentences_of_the_text_in_order_and_no_more_than_asked(text: str, count: int) -> None:
    document = read_document(text)
    if not document.sentences:
        return
    chosen = choose(document, rank_sentences(document), Limits(sentences=count)).sentences
    rest = iter(sentence.text for sentence in document.sentences)
    assert all(sentence in rest for sentence in chosen)
    assert len(chosen) == min(count, len(document.sentences))


def test_a_megabyte_is_ranked() -> None:
    text = " ".join(f"Sentence number {i} speaks of river {i % 97} and valley {i % 89}." for i in range(20_000))
    assert len(text) > 1_000_000
    document = read_document(text)
    assert len(list(islice(rank_sentences(document), 5))) == 5
