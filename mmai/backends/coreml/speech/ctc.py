"""What a CTC model says of every frame, made the tokens it stands for: the likeliest each, repetitions and blanks taken out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmai.backends.coreml.wording import said_shape

Array = np.ndarray[Any, Any]


def collapsed(best: Sequence[int], *, blank: int, before: int | None = None) -> list[int]:
    """Tokens of the likeliest ones frame by frame; `before` is the last frame of what went before."""
    previous = [before, *best[:-1]] if best else []
    return [token for token, last in zip(best, previous, strict=True) if token not in (last, blank)]


def frames_of(logits: Array, *, tokens: int) -> Array:
    """Scores as frames x tokens, whichever way round the model gives them; `tokens` is how many the vocabulary has.

    Raises:
        ValueError: they are neither.
    """
    rows = logits.reshape([size for size in logits.shape[:-2] if size != 1] + list(logits.shape[-2:]))
    if rows.ndim == 3 and rows.shape[1] == 1:  # frames x batch x tokens
        rows = rows[:, 0]
    counts = (tokens, tokens + 1)
    if rows.ndim == 2 and rows.shape[1] in counts:
        return rows
    if rows.ndim == 2 and rows.shape[0] in counts:
        return rows.T
    raise ValueError(f"its scores have the shape {said_shape(logits.shape)}, and its vocabulary {tokens} tokens")


def blank_of(scores: Array, *, blank: int, tokens: int) -> int:
    """The number of the token that stands for nothing: the last, where the vocabulary has no word for it, as NeMo's have not."""
    return tokens if scores.shape[1] == tokens + 1 else blank
