"""Linear models over the rows of grams.py: a softmax and a least-squares fit, by accelerated gradient descent.

A fixed number of steps of a convex problem, in a fixed order: rounding cannot add up, so that any machine comes to the same
weights once they are rounded to eight bits.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mmai.selection.features import Features
from mmai.selection.grams import BINS, BUCKETS, bins, grams

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
ROWS = BUCKETS + BINS
STEPS = 200


def design(seen: Sequence[Features]) -> sparse.csr_array:
    """(prompts, `ROWS`): of a prompt's n grams each has 1 / sqrt(n), of its bins likewise."""
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for each in seen:
        for rows in (sorted(grams(each)), bins(each)):
            columns += rows
            values += [len(rows) ** -0.5] * len(rows) if rows else []
        starts.append(len(columns))
    return sparse.csr_array((values, columns, starts), shape=(len(seen), ROWS))


def softmax(logits: Floats) -> Floats:
    """Rows of probabilities."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def classify(rows: sparse.csr_array, labels: Labels, classes: int, weights: Floats, *, l2: float) -> tuple[Floats, Floats]:
    """(weights (`ROWS`, classes), bias (classes,)) of a softmax; each example counts for its weight."""
    return _descend(rows, np.eye(classes)[labels], weights, l2=l2, curvature=0.5, predict=softmax)


def regress(rows: sparse.csr_array, targets: Floats, weights: Floats, sources: Labels, *, l2: float) -> tuple[Floats, Floats]:
    """(weights (`ROWS`, 1), bias (1,)) of a least-squares fit, in which every source has a level of its own.

    So the n-grams explain what differs within a collection, and need not tell collections apart.
    """
    levels = np.eye(sources.max() + 1)[sources]
    found, bias = _descend(
        sparse.csr_array(sparse.hstack([rows, levels])), targets[:, None], weights, l2=l2, curvature=1.0, predict=lambda it: it
    )
    return found[: rows.shape[1]], bias


def _descend(
    rows: sparse.csr_array, wanted: Floats, weights: Floats, *, l2: float, curvature: float, predict: Callable[[Floats], Floats]
) -> tuple[Floats, Floats]:
    share = (weights / weights.sum())[:, None]
    transposed = rows.T.tocsr()
    # Grams, bins, level and bias have a length of 1 each at most, which bounds the curvature of the loss.
    rate = 1.0 / (4.0 * curvature + l2)
    here = ahead = np.zeros((rows.shape[1], wanted.shape[1]))
    bias = bias_ahead = np.zeros(wanted.shape[1])
    for step in range(STEPS):
        error = (predict(rows @ ahead + bias_ahead) - wanted) * share
        after = ahead - rate * (transposed @ error + l2 * ahead)
        bias_after = bias_ahead - rate * error.sum(axis=0)
        momentum = step / (step + 3)
        ahead, bias_ahead = after + momentum * (after - here), bias_after + momentum * (bias_after - bias)
        here, bias = after, bias_after
    return here, bias
