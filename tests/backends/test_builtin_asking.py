"""Which part of a request is the text, which the instruction, and what length it asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.asking import Asked, read_request
from mmai.backends.builtin.length import Length, asked_by, asked_in
from mmai.errors import InvalidRequest
from mmai.values.request import Message, Request, TextPart

BODY = "Rivers carry water to the sea. They are fed by rain and by melting snow. Summarising them is hard."


def request(*texts: str) -> Request:
    return Request(messages=(Message("user", tuple(TextPart(text) for text in texts)),))


def test_the_last_of_several_parts_is_the_instruction() -> None:
    assert read_request(request("piped", BODY, "in two sentences")) == Asked(f"piped\n\n{BODY}", "in two sentences")


def test_a_long_last_part_is_text_and_may_open_with_the_instruction() -> None:
    asked = read_request(request(BODY, f"Summarise this in one sentence:\n\n{BODY * 20}"))
    assert asked == Asked(f"{BODY}\n\n{BODY * 20}", "Summarise this in one sentence:")


@pytest.mark.parametrize(
    "instruction",
    [
        "Summarize this in two sentences:",
        "Please summarise the following text",
        "Can you give me the key points of this article?",
        "TL;DR:",
        "List five keywords of the text below:",
        "Fasse den folgenden Text in einem Satz zusammen:",
        "Résume ce texte en deux phrases :",
        "Resume el siguiente texto:",
        "Кратко перескажи этот текст:",
        "用两句话总结：",
        "次の文章を要約してください。",
    ],
)
def test_an_instruction_on_the_first_line_is_not_part_of_the_text(instruction: str) -> None:
    assert read_request(request(f"{instruction}\n\n{BODY}")) == Asked(BODY, instruction)


@pytest.mark.parametrize(
    "instruction", ["TL;DR", "Summarise the above in one sentence.", "Now give me a summary of this text in 3 bullet points"]
)
def test_an_instruction_at_the_end_is_not_part_of_the_text(instruction: str) -> None:
    assert read_request(request(f"{BODY}\n\n{instruction}\n")) == Asked(BODY, instruction)


def test_text_behind_a_colon_on_the_same_line_is_the_text() -> None:
    assert read_request(request(f"Summarise this in one sentence: {BODY}")) == Asked(BODY, "Summarise this in one sentence:")


def test_an_instruction_alone_has_no_text() -> None:
    assert read_request(request("Summarise this in two sentences.")) == Asked("", "Summarise this in two sentences.")


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "Summarize your sales with our product. It is cheap. It is good.",
        "Hello world",
        "List price: five euros. Buy now and save.",
    ],
)
def test_text_that_only_sounds_like_an_instruction_is_text(text: str) -> None:
    assert read_request(request(text)) == Asked(text, "")


def test_no_text_at_all_is_empty() -> None:
    assert read_request(request(" ", "\n")) == Asked("", "")


def test_turns_of_the_model_are_not_read() -> None:
    turns = (*request(BODY).messages, Message("assistant", (TextPart("Said."),)), *request("in one sentence").messages)
    assert read_request(Request(messages=turns)) == Asked(BODY, "in one sentence")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Summarise this in two sentences.", Length(sentences=2)),
        ("a one-sentence summary, please", Length(sentences=1)),
        ("Give a summary in 3 short sentences", Length(sentences=3)),
        ("in a single sentence", Length(sentences=1)),
        ("two-sentence summary", Length(sentences=2)),
        ("in 2-3 sentences", Length(sentences=3)),
        ("in one or two sentences", Length(sentences=2)),
        ("in 3 bullet points", Length(sentences=3, bullets=True)),
        ("the five most important points", Length(sentences=5, bullets=True)),
        ("as bullet points", Length(bullets=True)),
        ("in at most 50 words", Length(words=50)),
        ("a 50-word summary", Length(words=50)),
        ("two sentences, max 40 words", Length(sentences=2, words=40)),
        ("5 keywords", Length(phrases=5)),
        ("the ten key phrases", Length(phrases=10)),
        ("in drei Sätzen", Length(sentences=3)),
        ("in höchstens 30 Wörtern", Length(words=30)),
        ("en deux phrases", Length(sentences=2)),
        ("cinq mots-clés", Length(phrases=5)),
        ("en tres frases", Length(sentences=3)),
        ("in due frasi", Length(sentences=2)),
        ("em duas frases", Length(sentences=2)),
        ("in twee zinnen", Length(sentences=2)),
        ("в двух предложениях", Length(sentences=2)),
        ("用两句话总结", Length(sentences=2)),
        ("三个要点", Length(sentences=3, bullets=True)),
        ("50字以内", Length(words=50)),
        ("3文で要約", Length(sentences=3)),
        ("What is a good summary?", Length()),
        ("in a word: why", Length()),
        ("0 sentences", Length()),
    ],
)
def test_a_length_is_read_from_words(text: str, length: Length) -> None:
    assert asked_in(text) == length


def test_options_are_numbers_or_text_of_numbers() -> None:
    assert asked_by({"sentences": 2, "words": "50"}, ("sentences", "words"), model="builtin:textrank") == Length(
        sentences=2, words=50
    )


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "two", "", "²", None, [1]])
def test_any_other_value_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked_by({"sentences": value}, ("sentences",), model="builtin:textrank")
    assert caught.value.message == f"`sentences` is `{value}`; it must be a whole number from 1"


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked_by({"sentance": 1}, ("sentences", "words"), model="builtin:textrank")
    assert caught.value.message == "`builtin:textrank` has no option `sentance`; it takes `sentences`, `words`"


def test_what_is_said_over_something_wins_and_the_rest_stays() -> None:
    assert Length(sentences=1).over(Length(sentences=4, words=9, bullets=True)) == Length(sentences=1, words=9, bullets=True)


@given(st.text())
def test_any_instruction_reads_without_an_error(text: str) -> None:
    length = asked_in(text)
    assert all(number is None or number >= 1 for number in (length.sentences, length.words, length.phrases))


@given(st.lists(st.text(), max_size=3))
def test_no_text_is_lost_between_document_and_instruction(texts: list[str]) -> None:
    asked = read_request(request(*texts))
    kept = "".join((asked.document + asked.instruction).split())
    assert len(kept) == len("".join("".join(texts).split()))
