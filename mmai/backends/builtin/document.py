"""A text as the summarisers see it: its sentences in order, and what its headings say."""

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from mmai.backends.builtin.markup import Block, blocks
from mmai.backends.builtin.sentences import ends_in_stop, split_sentences
from mmai.backends.builtin.words import count_words

MIN_WORDS = 5
"""Fewer, without a full stop, are a label and not a sentence."""
MAX_TITLE_WORDS = 12


class Sentence(Struct, frozen=True):
    """One sentence and where it stands."""

    text: str
    opens: bool = False
    """First of its paragraph."""
    listed: bool = False
    """It stands in a list."""


class Document(Struct, frozen=True):
    """What was read of a text."""

    sentences: tuple[Sentence, ...]
    headings: tuple[str, ...] = ()


def read_document(text: str) -> Document:
    """Read plain text or Markdown.

    Labels, headings and code are sentences only where a text has nothing else. Empty when no line of it holds a letter or digit.
    """
    found = list(blocks(text))
    bodies = [block for block in found if not _is_heading(block)]
    sentences = tuple(sentence for block in bodies for sentence in _sentences(block) if _is_sentence(sentence))
    if sentences:
        return Document(sentences, tuple(" ".join(block.lines) for block in found if _is_heading(block)))
    return Document(tuple(_whatever(found)) or tuple(_whatever(Block("paragraph", (line,)) for line in text.splitlines())))


def _whatever(found: Iterable[Block]) -> Iterable[Sentence]:
    for block in found:
        for line in _units(block.lines):
            for sentence in split_sentences(line):
                if any(c.isalnum() for c in sentence):
                    yield Sentence(sentence)


def _is_heading(block: Block) -> bool:
    if block.kind == "heading":
        return True
    title = block.kind == "paragraph" and len(block.lines) == 1 and not ends_in_stop(block.lines[0])
    return title and count_words(block.lines[0]) <= MAX_TITLE_WORDS


def _is_sentence(sentence: Sentence) -> bool:
    words = count_words(sentence.text)
    return words >= (MIN_WORDS if not ends_in_stop(sentence.text) else 2)


def _sentences(block: Block) -> list[Sentence]:
    texts = [text for unit in _units(block.lines) for text in split_sentences(unit)]
    return [Sentence(text, opens=i == 0, listed=block.kind == "item") for i, text in enumerate(texts)]


def _units(lines: tuple[str, ...]) -> list[str]:
    """Lines wrapped at a width are one text; lines that no full stop ends, and that had room for the next word, stand alone."""
    if len(lines) < 2 or any(ends_in_stop(line) for line in lines):
        return [" ".join(lines)]
    width = max(len(line) for line in lines)
    early = sum(len(line) + 1 + len(following.split(" ", 1)[0]) <= width for line, following in pairwise(lines))
    return list(lines) if 2 * early > len(lines) - 1 else [" ".join(lines)]
