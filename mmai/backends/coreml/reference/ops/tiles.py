"""Pieces of a grid of places, small enough that what is gathered for one of them stays in cache."""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

Piece = tuple[slice, ...]


def pieces(steps: Sequence[int], most: int) -> Iterator[Piece]:
    """The grid `steps` in row-major order, in boxes of at most `most` places, one at the least.

    Each box is a run of places that follow one another: one axis is cut, those ahead of it have one index, those behind it all.
    """
    below = [prod(steps[axis + 1 :]) for axis in range(len(steps))]
    cut = next((axis for axis, places in enumerate(below) if places <= most), len(steps) - 1)
    parts = max(1, -(-steps[cut] // max(1, most // below[cut])))
    length = max(1, -(-steps[cut] // parts))  # of equal parts: a thin last one would be the slowest
    behind = tuple(slice(0, size) for size in steps[cut + 1 :])
    for ahead in np.ndindex(*steps[:cut]):
        for start in range(0, steps[cut], length):
            yield (*(slice(index, index + 1) for index in ahead), slice(start, min(start + length, steps[cut])), *behind)


def run(piece: Sequence[slice], steps: Sequence[int]) -> slice:
    """Where the places of one box of `pieces` lie among all of the grid, in row-major order."""
    start = sum(part.start * prod(steps[axis + 1 :]) for axis, part in enumerate(piece))
    return slice(start, start + prod(part.stop - part.start for part in piece))
