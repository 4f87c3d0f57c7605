"""A prompt as two sets of small numbers: hashed n-grams of its words, and bins of its shape. The classifier has a row for each."""

from math import log2
from zlib import crc32

from mmai.selection.features import Features
from mmai.selection.words import Clause, opener

BUCKETS = 1 << 15
"""Rows for n-grams; different ones may share a row."""
BINS = 256
"""Rows for the shape, after those."""

PREFIX_CHARS = 5
"""Beginning of a longer word that stands for its forms and for most misspellings of it."""

_WORD, _PREFIX, _OPENING, _LATER_OPENING, _CLOSING, _CHARACTERS = (
    crc32(kind) for kind in (b"word", b"prefix", b"opening", b"later opening", b"closing", b"characters")
)
_UNSPACED_FROM, _UNSPACED_TO = "\u0e00", "\uffff"
"""Scripts from Thai to Hangul, most of which put no space between words."""


MEASURES = (
    "words", "clauses", "numbers", "letters a word", "options or list items", "turns of a dialogue", "marks of code",
    "marks of mathematics", "sums", "lines of a table", "how it ends", "what stands in paragraphs of its own",
)  # fmt: skip
"""What the shape is made of, in the order of its bins."""
STEPS = 20
"""Bins of one measure."""


def grams(features: Features) -> set[int]:
    """Rows of words, pairs of neighbours, beginnings of words, and of how clauses open where people say what they want.

    Numbers count as one word. Words of scripts without spaces are taken as pairs of characters.
    """
    rows: set[int] = set()
    for clause in features.clauses:
        before = 0
        for word in clause:
            if word.isdigit():
                word = "0"
            elif not word.isascii() and _UNSPACED_FROM <= max(word) <= _UNSPACED_TO:
                rows.update(crc32(word[at : at + 2].encode(), _CHARACTERS) % BUCKETS for at in range(max(1, len(word) - 1)))
                before = 0
                continue
            encoded = word.encode()
            here = crc32(encoded, _WORD)
            rows.add(here % BUCKETS)
            if before:
                rows.add(crc32(encoded, before) % BUCKETS)
            if len(word) > PREFIX_CHARS:
                rows.add(_prefix(word))
            before = here
    for at, clause in enumerate(features.clauses[:3]):
        rows.update(_opening(clause, _LATER_OPENING if at else _OPENING))
    if len(features.clauses) > 1:
        rows.update(_opening(features.clauses[-1], _CLOSING))
    return rows


def word_rows(word: str) -> tuple[int, ...]:
    """Those that a word has wherever it stands, for naming what moved a figure."""
    word = "0" if word.isdigit() else word
    row = crc32(word.encode(), _WORD) % BUCKETS
    return (row, _prefix(word)) if len(word) > PREFIX_CHARS else (row,)


def _prefix(word: str) -> int:
    return crc32(word[:PREFIX_CHARS].encode(), _PREFIX) % BUCKETS


def _opening(clause: Clause, kind: int) -> tuple[int, ...]:
    start = opener(clause)
    words = clause[start : start + 2]
    first = crc32(words[0].encode(), kind)
    return (first % BUCKETS, crc32(words[1].encode(), first) % BUCKETS) if len(words) == 2 else (first % BUCKETS,)


def bins(features: Features) -> tuple[int, ...]:
    """One row, after `BUCKETS`, for each of `MEASURES`: by halves of a power of two, or by count up to seven."""
    measures = (
        _halves(features.words),
        _halves(len(features.clauses)),
        _halves(features.numbers),
        _halves(len(features.text) // (1 + features.words)),
        *(
            min(7, count)
            for count in (
                features.options,
                features.speakers,
                features.code_marks,
                features.math_marks,
                features.sums,
                features.columns,
                features.asks + 2 * features.greets,
                len(features.edges),
            )
        ),
    )
    return tuple(BUCKETS + STEPS * place + measure for place, measure in enumerate(measures))


def _halves(count: int) -> int:
    return min(STEPS - 1, int(2 * log2(1 + count)))
