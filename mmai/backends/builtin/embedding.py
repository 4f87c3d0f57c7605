"""A text as one vector of hashed n-grams: texts that share words, or parts of words, point the same way."""

from collections import Counter
from collections.abc import Iterator
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mmai.backends.builtin.stopwords import stop_words
from mmai.backends.builtin.words import terms

DIMENSIONS = 512
MIN_GRAM = 3
MAX_GRAM = 5
MAX_LETTERS = 48
"""Of one word; what follows in a longer one, mostly encoded data, is not read."""
COMMON_WEIGHT = 0.2
"""Of a function word, where another word has 1."""


def embed(text: str) -> NDArray[np.float64]:
    """A vector of `DIMENSIONS` numbers and length 1, the same for the same text in every process.

    Every word gives itself and its character n-grams to signed buckets, each word weighing 1 + log of how often it occurs.
    The text must hold a character that is not white space. Source: Weinberger et al. 2009, "Feature hashing"; Bojanowski et
    al. 2017 for the n-grams.
    """
    counts = Counter(terms(text)) or Counter(text.split())
    common = stop_words(counts)
    vector = np.zeros(DIMENSIONS)
    for word, count in counts.items():
        grams = list(_grams(word))
        weight = (1.0 + log(count)) * (COMMON_WEIGHT if word in common else 1.0) / len(grams) ** 0.5
        for gram in grams:
            bucket = crc32(gram.encode(errors="surrogatepass"))
            vector[bucket % DIMENSIONS] += weight if bucket & 0x80000000 else -weight
    length = float(np.sqrt(vector @ vector))
    return vector / length if length > 1e-9 else _one(counts)


def _grams(word: str) -> Iterator[str]:
    yield word
    marked = f"<{word[:MAX_LETTERS]}>"
    for size in range(MIN_GRAM, MAX_GRAM + 1):
        for start in range(len(marked) - size + 1):
            yield marked[start : start + size]


def _one(counts: Counter[str]) -> NDArray[np.float64]:
    """What is left when all signs cancelled out: the direction of the first word alone."""
    vector = np.zeros(DIMENSIONS)
    vector[crc32(next(iter(counts)).encode(errors="surrogatepass")) % DIMENSIONS] = 1.0
    return vector
