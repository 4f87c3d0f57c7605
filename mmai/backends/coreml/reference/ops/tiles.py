"""Pieces of a grid of places, small enough that what is gathered for one of them stays in cache."""

from collections.abc import Iterator, Sequence

Piece = tuple[slice, ...]


def pieces(steps: Sequence[int], most: int) -> Iterator[Piece]:
    """The grid `steps` in row-major order, cut along its outer axes into boxes of at most `most` places each."""
    if not steps:
        yield ()
        return
    size, *inner = steps
    below = _volume(inner)
    if below <= most or not inner:
        chunk = max(1, most // max(1, below))
        parts = -(-size // chunk)
        chunk = -(-size // max(1, parts))  # equal parts: a thin last one would be the slowest
        for start in range(0, size, max(1, chunk)):
            yield (slice(start, min(size, start + chunk)), *(slice(0, length) for length in inner))
        return
    for row in range(size):
        for piece in pieces(inner, most):
            yield (slice(row, row + 1), *piece)


def _volume(sizes: Sequence[int]) -> int:
    volume = 1
    for size in sizes:
        volume *= size
    return volume
