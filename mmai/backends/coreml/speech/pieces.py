"""Recordings longer than a model hears at once, cut into pieces."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.speech.recording import Samples

UNBOUNDED_S = 30
"""What a model without a limit hears at once: one with attention needs memory as the square of it."""

OVERLAP = 6
"""A model that spells frame by frame hears a sixth of its window before and after what it is taken at its word for."""

QUIET_S = 0.1
"""How long a pause between words is at least."""

STUB_S = 0.04
"""What is left after the last piece is not heard where it is shorter than any sound of speech."""


class Piece(Struct, frozen=True):
    """Samples from `start` to `end`, of which those from `kept_start` to `kept_end` are no other piece's."""

    start: int
    end: int
    kept_start: int
    kept_end: int


def overlapping(length: int, *, window: int) -> Iterator[Piece]:
    """Pieces of at most `window` samples that share their ends; what they keep adds up to everything, once."""
    margin = window // OVERLAP
    start = 0
    while start + window < length:
        yield Piece(start, start + window, start + (margin if start else 0), start + window - margin)
        start += max(window - 2 * margin, 1)
    yield Piece(start, length, start + (margin if start else 0), length)


def quiet_end(samples: Samples, *, window: int, sample_rate: int) -> int:
    """Where the first piece of `samples` best ends: all of them if they fit `window`, or at the quietest place of its last third."""
    if len(samples) <= window:
        return len(samples)
    pause = max(round(QUIET_S * sample_rate), 1)
    first = window * 2 // 3
    stretch = samples[first:window].astype(np.float64)
    count = len(stretch) // pause
    if not count:
        return window
    energy = (stretch[len(stretch) - count * pause :].reshape(count, pause) ** 2).mean(axis=1)
    quietest = count - 1 - int(np.argmin(energy[::-1]))
    return window - (count - quietest) * pause + pause // 2
