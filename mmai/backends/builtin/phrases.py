"""The phrases a text is about."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise
from math import log2, sqrt

import numpy as np
from msgspec import Struct

from mmai.backends.builtin.document import Document
from mmai.backends.builtin.graph import Vector, stationary
from mmai.backends.builtin.stopwords import stop_words
from mmai.backends.builtin.words import CLAUSE_END, is_spaceless, stem, surface_words

MAX_WORDS = 3
MAX_CHARACTERS = 5
"""Of a phrase in a script without spaces, where characters stand for words."""
DEFAULT_PHRASES = 10
MANY = 20_000
"""A text with more candidates has no use for those that occur once."""
EXPLAINED = 0.6
"""A phrase that stands inside a longer one this often is not one of its own."""

# Hiragana is the grammar of Japanese; these are the characters of Chinese grammar that seldom stand inside a word.
_FUNCTION_CHARACTERS = re.compile(
    r"[\u3041-\u309f的了是在与與及也就都而被把对對从從这這那我你他她它们們之其等并並很更最还還么什呢吗吧和不]"
)

Key = tuple[str, ...]


class Phrase(Struct):
    """One candidate: how often, how early, and in which spellings."""

    count: int
    first: int
    """Index of the sentence."""
    spellings: Counter[str]


def key_phrases(document: Document, count: int | None = None) -> list[str]:
    """The phrases that matter most, the best first, as the text spells them most often.

    Runs of words without function words or punctuation are candidates (Rose et al. 2010, "RAKE"); words weigh what they do on the
    graph of neighbours (Mihalcea and Tarau 2004), and a phrase its words' weight, its frequency and an early place together.
    """
    texts = [*document.headings, *(sentence.text for sentence in document.sentences)]
    common = stop_words([word for text in texts for word in surface_words(text.casefold())])
    runs = [(i, run) for i, text in enumerate(texts) for run in _runs(text, common)]
    weights = _unit_weights([[_unit(word) for word in run] for _, run in runs])
    found = _candidates(runs)
    parts = _parts(found)
    scores = {key: _score(key, phrase, weights) for key, phrase in found.items() if key not in parts}
    return _distinct(
        sorted(scores, key=lambda key: -scores[key]), found, count or min(DEFAULT_PHRASES, 2 + len(document.sentences))
    )


def _runs(text: str, common: Set[str]) -> Iterator[list[str]]:
    """Words that stand together with nothing of grammar between; characters, where there are no spaces."""
    for clause in CLAUSE_END.split(text):
        run: list[str] = []
        for word in surface_words(clause):
            if is_spaceless(word):
                yield run
                run = []
                yield from (list(piece) for piece in _FUNCTION_CHARACTERS.split(word) if len(piece) > 1)
            elif word.casefold() in common or len(word) < 2 or not any(c.isalpha() for c in word):
                yield run
                run = []
            else:
                run.append(word)
        yield run


def _unit(word: str) -> str:
    return stem(word.casefold())


def _unit_weights(runs: Sequence[Sequence[str]]) -> dict[str, float]:
    """Share of a random walk between neighbours that each word gets, relative to the mean."""
    pairs = Counter(pair for run in runs for pair in pairwise(run) if pair[0] != pair[1])
    index = {unit: i for i, unit in enumerate(dict.fromkeys(unit for run in runs for unit in run))}
    if not index:
        return {}
    ends = np.array([(index[a], index[b]) for a, b in pairs], dtype=np.intp).reshape(-1, 2)
    weight = np.fromiter(pairs.values(), dtype=np.float64, count=len(pairs))
    source, target = np.concatenate([ends, ends[:, ::-1]]).T
    weight = np.concatenate([weight, weight])
    degree = np.bincount(source, weight, minlength=len(index))

    def step(scores: Vector) -> Vector:
        return np.bincount(target, scores[source] * weight / degree[source], minlength=len(index)).astype(
            np.float64, copy=False
        )

    ranked = stationary(step, np.ones(len(index))) * len(index)
    return dict(zip(index, ranked.tolist(), strict=True))


def _candidates(runs: Sequence[tuple[int, list[str]]]) -> dict[Key, Phrase]:
    counts = Counter(key for _, run in runs for key, _ in _keys(run))
    least = 2 if len(counts) > MANY else 1
    found: dict[Key, Phrase] = {}
    for sentence, run in runs:
        for key, at in _keys(run):
            if counts[key] >= least:
                phrase = found.setdefault(key, Phrase(counts[key], sentence, Counter()))
                phrase.spellings[("" if is_spaceless(run[0]) else " ").join(run[at])] += 1
    return found


def _keys(run: Sequence[str]) -> Iterator[tuple[Key, slice]]:
    """Every stretch of a run that is short enough to be a phrase."""
    if not run:
        return
    shortest, longest = (2, MAX_CHARACTERS) if is_spaceless(run[0]) else (1, MAX_WORDS)
    units = tuple(_unit(word) for word in run)
    for start in range(len(run)):
        for end in range(start + shortest, min(start + longest, len(run)) + 1):
            yield units[start:end], slice(start, end)


def _parts(found: Mapping[Key, Phrase]) -> set[Key]:
    """Candidates that are little more than a piece of one word more."""
    return {
        part
        for key, phrase in found.items()
        for part in (key[1:], key[:-1])
        if part in found and phrase.count >= EXPLAINED * found[part].count
    }


def _score(key: Key, phrase: Phrase, weights: Mapping[str, float]) -> float:
    name = phrase.spellings.most_common(1)[0][0]
    # One common noun says little of what sets a text apart; a name may say all.
    weight: float = (
        sum(weights[unit] for unit in key) / sqrt(sqrt(len(key))) * (0.5 if len(key) == 1 and name.islower() else 1.0)
    )
    return weight * log2(1 + phrase.count) / sqrt(1 + log2(1 + phrase.first))


def _distinct(ranked: Sequence[Key], found: Mapping[Key, Phrase], count: int) -> list[str]:
    """The first `count` that do not repeat a better one."""
    taken: list[Key] = []
    for key in ranked:
        if not any(_overlap(key, other) for other in taken):
            taken.append(key)
        if len(taken) == count:
            break
    return [found[key].spellings.most_common(1)[0][0] for key in taken]


def _overlap(key: Key, other: Key) -> bool:
    shared = len(set(key) & set(other))
    return 2 * shared > min(len(key), len(other))
