"""How demanding a prompt is: how much better a strong model is expected to do than a weak one. Learned; see `data/classifier.md`."""

from collections.abc import Iterator, Sequence

from mmai.selection.classifier import Classifier
from mmai.selection.features import Features
from mmai.selection.grams import MEASURES, word_rows

DRIVERS = 5
"""How many are named."""
LEAST = 0.004
"""What moves the degree by less is not named."""


def drivers(features: Features, classifier: Classifier, *, grams: Sequence[int], bins: Sequence[int]) -> tuple[str, ...]:
    """What moved the degree up or down from the usual, the strongest first: "+ `prove`", "- words"."""
    moved = sorted(_moved(features, classifier, grams, bins), key=lambda driver: -abs(driver[1]))[:DRIVERS]
    return tuple(f"{'+' if amount > 0 else '-'} {name}" for name, amount in moved if abs(amount) >= LEAST)


def _moved(
    features: Features, classifier: Classifier, grams: Sequence[int], bins: Sequence[int]
) -> Iterator[tuple[str, float]]:
    column = classifier.complexity_column
    for name, row in zip(MEASURES, bins, strict=True):
        yield name, classifier.weigh((row,), column) * len(bins) ** -0.5
    for word in {word: None for clause in features.clauses for word in clause}:
        yield f"`{word}`", classifier.weigh(word_rows(word), column) * len(grams) ** -0.5
