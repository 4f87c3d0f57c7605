"""Which sentences of a document stand for all of it."""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct

from mmai.backends.builtin.document import Document, Sentence
from mmai.backends.builtin.graph import Bags, Vector
from mmai.backends.builtin.sentences import ends_in_stop
from mmai.backends.builtin.stopwords import stop_words
from mmai.backends.builtin.words import count_words, size_bytes, stem, terms

DEFAULT_WORDS = 160
"""A summary of no stated length stops growing here."""
MAX_PASSED = 5
"""Once something is chosen, a shorter sentence that ranks further down is no better than none."""
SEPARATOR_BYTES = 3
"""Around one sentence at most: a dash, a space, a line break."""

_HANGING = re.compile(
    r"(?:this|that|these|those|which|it|its|he|she|they|his|her|their|such|however|but|and|or|so|also|then|thus|therefore|moreover|furthermore"
    r"|otherwise|instead|here|see|note|click|please|based|alternatively|additionally|similarly|for (?:more|further|details|\w*\s?information|example"
    r"|instance)|as such|in (?:addition|this|these|such|that)|the (?:following|above|below)|after that|aber|und|dies\w*|jedoch|mais|et|cel[ai]|pero|y|esto|ma|e|mas)\b",
    re.IGNORECASE,
)
_NOTICE = re.compile(r"copyright|©|\(c\)|all rights reserved", re.IGNORECASE)
_SIGNS = re.compile(r"[{}\[\]<>|\\=/_@#$]|https?:")
_PAIRS = ("()", "[]", "«»", "「」", "（）")
_QUOTES = re.compile('["“”„]')


class Limits(Struct, frozen=True):
    """How much may be chosen. None is no limit of that kind."""

    sentences: int | None = None
    words: int | None = None
    size_bytes: int | None = None
    """Of the summary as UTF-8."""


class Choice(Struct, frozen=True):
    """Sentences in the order of the document; none when not a single one fits the limits."""

    sentences: tuple[str, ...]
    cut: bool = False
    """`Limits.size_bytes` left out sentences that were asked for by number."""


def rank_sentences(document: Document) -> Iterator[int]:
    """Indices of the sentences, the best first, each next one the best by what those before it leave to say.

    The rank is centrality on the graph of sentences, in a walk that restarts near the beginning and near the headings, times how
    well a sentence stands alone. What is like a chosen sentence loses that share of it, so a repeated one comes last.
    Source: Mihalcea and Tarau 2004, "TextRank"; Carbonell and Goldstein 1998 for the redundancy.
    """
    bags = [terms(sentence.text) for sentence in document.sentences]
    common = {stem(word) for word in stop_words([word for bag in bags for word in bag])}
    bags = [[term for term in bag if term not in common] or bag for bag in bags]
    graph = Bags(bags)
    centrality = graph.centrality(_restart(bags, {term for heading in document.headings for term in terms(heading)} - common))
    standing = np.array([_place(i, sentence) * _form(sentence.text) for i, sentence in enumerate(document.sentences)])
    left = centrality / centrality.max() * standing
    waiting = np.ones(len(left), dtype=bool)
    while waiting.any():
        best = int(np.argmax(np.where(waiting, left, -1.0)))
        yield best
        waiting[best] = False
        left *= 1.0 - np.minimum(graph.likeness(best), 1.0)


def choose(document: Document, order: Iterable[int], limits: Limits) -> Choice:
    """Take sentences in the given order while they fit; what does not fit is passed over.

    Without a limit on sentences or words the length follows the document's: a third of it, 3 at most, 5 of a long one.
    """
    sentences = document.sentences
    wanted = min(len(sentences), limits.sentences or (len(sentences) if limits.words else default_length(len(sentences))))
    max_words = limits.words or (None if limits.sentences else DEFAULT_WORDS)
    taken: list[int] = []
    words = size = passed = 0
    for i in order:
        more_words, more_bytes = count_words(sentences[i].text), size_bytes(sentences[i].text) + SEPARATOR_BYTES
        too_many = max_words is not None and words + more_words > max_words and (bool(taken) or limits.words is not None)
        if too_many or (limits.size_bytes is not None and size + more_bytes > limits.size_bytes):
            passed += bool(taken)
            if passed > MAX_PASSED:
                break
            continue
        taken.append(i)
        words, size = words + more_words, size + more_bytes
        if len(taken) == wanted or (max_words is not None and words >= max_words):
            break
    cut = limits.sentences is not None and len(taken) < wanted
    return Choice(tuple(sentences[i].text for i in sorted(taken)), cut and limits.size_bytes is not None)


def default_length(sentences: int) -> int:
    """Of a summary nobody gave a length for, in sentences."""
    if sentences <= 9:
        return max(1, -(-sentences // 3))
    return 3 if sentences < 25 else 4 if sentences < 60 else 5


def _restart(bags: Sequence[Sequence[str]], titles: set[str]) -> Vector:
    """More for the beginning, and for what takes up a heading's words."""
    return np.array([1.0 / (1.0 + i) ** 0.5 * (1.0 + 2.0 * len(titles.intersection(bag))) for i, bag in enumerate(bags)])


def _place(index: int, sentence: Sentence) -> float:
    place = 1.0 + 2.0 / (1.0 + index)
    if sentence.listed:
        return place * 0.6
    return place * (1.15 if sentence.opens else 1.0)


def _form(text: str) -> float:
    """How well a sentence can be read without those around it, 0 to 1."""
    words = count_words(text)
    form = min(1.0, words / 7.0) * min(1.0, 45.0 / words)
    if text.endswith((":", ",", ";", "：")):
        form *= 0.2 if words < 25 else 0.5
    elif not ends_in_stop(text) or text.endswith(("?", "？", "؟")):
        form *= 0.5
    if _HANGING.match(text):
        form *= 0.7
    if _NOTICE.match(text):
        form *= 0.1
    if any(text.count(pair[0]) != text.count(pair[1]) for pair in _PAIRS) or len(_QUOTES.findall(text)) % 2:
        form *= 0.6
    return form / (1.0 + 10.0 * len(_SIGNS.findall(text)) / len(text))
