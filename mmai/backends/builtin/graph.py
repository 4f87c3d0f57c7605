"""Ranking on a graph: who is named by those that count, by power iteration, without ever writing the graph down."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

DAMPING = 0.85
"""Share of a walk that follows edges. Source: Brin and Page 1998; Mihalcea and Tarau 2004 keep it."""
TOLERANCE = 1e-6
MAX_STEPS = 100


def stationary(step: Callable[[Vector], Vector], restart: Vector, *, damping: float = DAMPING) -> Vector:
    """Where a random walk spends its time: one probability per node, summing to 1.

    `step` takes probabilities along the edges and may lose what stands on nodes without any, which then restarts too.
    `restart` holds weights of at least 0 with a positive sum: where the walk begins again with probability 1 - `damping`.
    """
    home: Vector = restart / restart.sum()
    scores = home
    for _ in range(MAX_STEPS):
        moved = damping * step(scores)
        after: Vector = moved + (1.0 - moved.sum()) * home
        if np.abs(after - scores).sum() < TOLERANCE:
            return after
        scores = after
    return scores


class Bags:
    """Texts as unit vectors of tf-idf over their terms, kept as coordinates: memory and time grow with the number of words.

    Two texts are alike by the cosine of their vectors. Source: Erkan and Radev 2004, "LexRank", without its threshold.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.size = len(texts)
        counts = [Counter(words) for words in texts]
        frequency = Counter(term for bag in counts for term in bag)
        index = {term: i for i, term in enumerate(frequency)}
        self.width = len(index)
        self._rows = np.repeat(np.arange(self.size), [len(bag) for bag in counts])
        self._columns = np.fromiter((index[term] for bag in counts for term in bag), dtype=np.intp, count=len(self._rows))
        tf = np.fromiter((n for bag in counts for n in bag.values()), dtype=np.float64, count=len(self._rows))
        # The 1 keeps what every text says from counting for nothing, which would leave two alike sentences unconnected.
        idf = np.log((1.0 + self.size) / (1.0 + np.fromiter(frequency.values(), np.float64, count=self.width))) + 0.1
        weights = (1.0 + np.log(tf)) * idf[self._columns]
        norms = np.sqrt(np.bincount(self._rows, weights * weights, minlength=self.size))
        self._weights = weights / norms[self._rows]
        self._by_column = np.argsort(self._columns, kind="stable")
        self._column_starts = np.searchsorted(self._columns[self._by_column], np.arange(self.width + 1))
        self._row_starts = np.searchsorted(self._rows, np.arange(self.size + 1))

    def likeness(self, text: int) -> Vector:
        """Cosine of one text with every text, 0 to 1."""
        found = np.zeros(self.size)
        for entry in range(self._row_starts[text], self._row_starts[text + 1]):
            column = self._columns[entry]
            sharing = self._by_column[self._column_starts[column] : self._column_starts[column + 1]]
            found[self._rows[sharing]] += self._weights[entry] * self._weights[sharing]
        return found

    def centrality(self, restart: Vector) -> Vector:
        """How much each text is the neighbour of central ones: probabilities that sum to 1.

        The graph joins every two texts by their cosine. It is never built: a step through it is two passes over the words.
        """
        degree = self._spread(np.ones(self.size))
        outward = np.divide(1.0, degree, out=np.zeros(self.size), where=degree > 1e-12)
        return stationary(lambda scores: self._spread(scores * outward), restart)

    def _spread(self, scores: Vector) -> Vector:
        """`scores` through the cosines, without each text's likeness to itself."""
        by_term = np.bincount(self._columns, self._weights * scores[self._rows], minlength=self.width)
        spread = np.bincount(self._rows, self._weights * by_term[self._columns], minlength=self.size)
        own = np.where(np.diff(self._row_starts) > 0, scores, 0.0)
        return np.maximum(spread - own, 0.0)
