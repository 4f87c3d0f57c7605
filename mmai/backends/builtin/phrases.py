"""The phrases a text is about."""

import re
from collections import Counter, defaultdict
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


class Run(Struct, frozen=True):
    """Words that stand together with nothing of grammar between; characters, where there are no spaces."""

    words: Key
    units: Key
    """The same in lower case, without a plural s."""
    first: int
    """Index of the text it is first found in."""
    count: int

    @property
    def spaceless(self) -> bool:
        """It is of a script without spaces between words."""
        return is_spaceless(self.words[0])


class Phrase(Struct):
    """One candidate: how often, how early, and in which spellings."""

    count: int
    first: int
    spellings: Counter[str]


def key_phrases(document: Document, count: int | None = None) -> list[str]:
    """The phrases that matter most, the best first, as the text spells them most often.

    Runs of words without function words or punctuation are candidates (Rose et al. 2010, "RAKE"). A word weighs what it does on
    the graph of neighbours (Mihalcea and Tarau 2004); a phrase, its words' weight, its frequency and an early place together.
    """
    runs = _runs([*document.headings, *(sentence.text for sentence in document.sentences)])
    weights = _unit_weights(runs)
    found = _candidates(runs)
    parts = _parts(found)
    scores = {key: _score(key, phrase, weights) for key, phrase in found.items() if key not in parts}
    ranked = sorted(scores, key=lambda key: -scores[key])
    return _distinct(ranked, found, count or min(DEFAULT_PHRASES, 2 + len(document.sentences)))


def _runs(texts: Sequence[str]) -> list[Run]:
    common = stop_words([word for text in texts for word in surface_words(text.casefold())])
    counts: Counter[Key] = Counter()
    first: dict[Key, int] = {}
    for i, text in enumerate(texts):
        for words in _stretches(text, common):
            counts[words] += 1
            first.setdefault(words, i)
    return [Run(words, tuple(stem(word.casefold()) for word in words), first[words], n) for words, n in counts.items()]


def _stretches(text: str, common: Set[str]) -> Iterator[Key]:
    for clause in CLAUSE_END.split(text):
        stretch: list[str] = []
        for word in surface_words(clause):
            spaceless = is_spaceless(word)
            if not spaceless and word.casefold() not in common and len(word) > 1 and any(c.isalpha() for c in word):
                stretch.append(word)
                continue
            if stretch:
                yield tuple(stretch)
                stretch = []
            if spaceless:
                yield from (tuple(piece) for piece in _FUNCTION_CHARACTERS.split(word) if len(piece) > 1)
        if stretch:
            yield tuple(stretch)


def _unit_weights(runs: Sequence[Run]) -> dict[str, float]:
    """Share of a random walk between neighbours that each word gets, relative to the mean."""
    pairs: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for pair in pairwise(run.units):
            if pair[0] != pair[1]:
                pairs[pair] += run.count
    index = {unit: i for i, unit in enumerate(dict.fromkeys(unit for run in runs for unit in run.units))}
    if not index:
        return {}
    ends = np.array([(index[a], index[b]) for a, b in pairs], dtype=np.intp).reshape(-1, 2)
    weight = np.fromiter(pairs.values(), dtype=np.float64, count=len(pairs))
    source, target = np.concatenate([ends, ends[:, ::-1]]).T
    weight = np.concatenate([weight, weight])
    share = weight / np.bincount(source, weight, minlength=len(index))[source]

    def step(scores: Vector) -> Vector:
        return np.bincount(target, scores[source] * share, minlength=len(index)).astype(np.float64, copy=False)

    ranked = stationary(step, np.ones(len(index))) * len(index)
    return dict(zip(index, ranked.tolist(), strict=True))


def _candidates(runs: Sequence[Run]) -> dict[Key, Phrase]:
    counts: Counter[Key] = Counter()
    for run in runs:
        for at in _slices(run):
            counts[run.units[at]] += run.count
    many = len(counts) > MANY
    found: dict[Key, Phrase] = {}
    for run in runs:
        for at in _slices(run):
            key = run.units[at]
            # Characters that stand together once are a word only by chance, unless they stand alone.
            if counts[key] > 1 or not (many or (run.spaceless and len(key) < len(run.units))):
                phrase = found.setdefault(key, Phrase(counts[key], run.first, Counter()))
                phrase.spellings[("" if run.spaceless else " ").join(run.words[at])] += run.count
    return found


def _slices(run: Run) -> Iterator[slice]:
    """Every part of a run that is short enough to be a phrase."""
    shortest, longest = (2, MAX_CHARACTERS) if run.spaceless else (1, MAX_WORDS)
    for start in range(len(run.units)):
        for end in range(start + shortest, min(start + longest, len(run.units)) + 1):
            yield slice(start, end)


def _parts(found: Mapping[Key, Phrase]) -> set[Key]:
    """Candidates that are little more than a piece of one word more."""
    return {
        part
        for key, phrase in found.items()
        for part in (key[1:], key[:-1])
        if part in found and phrase.count >= EXPLAINED * found[part].count
    }


def _score(key: Key, phrase: Phrase, weights: Mapping[str, float]) -> float:
    # One common noun says little of what sets a text apart; a name may say all.
    common_noun = len(key) == 1 and phrase.spellings.most_common(1)[0][0].islower()
    weight = sum(weights[unit] for unit in key) / sqrt(sqrt(len(key))) * (0.5 if common_noun else 1.0)
    return weight * log2(1 + phrase.count) / sqrt(1 + log2(1 + phrase.first))


def _distinct(ranked: Sequence[Key], found: Mapping[Key, Phrase], count: int) -> list[str]:
    """The first `count` that do not repeat a better one."""
    taken: list[Key] = []
    by_unit: defaultdict[str, list[Key]] = defaultdict(list)
    for key in ranked:
        if not any(_overlap(key, other) for unit in key for other in by_unit[unit]):
            taken.append(key)
            for unit in key:
                by_unit[unit].append(key)
        if len(taken) == count:
            break
    return [found[key].spellings.most_common(1)[0][0] for key in taken]


def _overlap(key: Key, other: Key) -> bool:
    shared = len(set(key) & set(other))
    return 2 * shared > min(len(key), len(other))
