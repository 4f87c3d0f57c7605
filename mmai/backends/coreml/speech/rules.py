"""Which tokens may come next: what is never said, and how times stand around what is said.

Source: Whisper, `decoding.py`, SuppressTokens, SuppressBlank and ApplyTimestampRules.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmai.backends.coreml.speech.vocabulary import Specials

Array = np.ndarray[Any, Any]

FIRST_TIME_STEPS = 50
"""Speech begins within the first second, or the window begins with what is no speech."""

NEVER = -np.inf


def allowed(scores: Array, said: Sequence[int], specials: Specials, *, timed: bool) -> Array:
    """The scores, minus infinity for what may not follow `said`."""
    scores = scores.copy()
    _forbid(scores, specials.suppressed)
    if not said:
        _forbid(scores, specials.suppressed_first)
    if specials.times_from is None:
        return scores
    if not timed:
        scores[specials.times_from :] = NEVER
        return scores
    _keep_order(scores, said, specials.times_from, specials.end_id)
    times = scores[specials.times_from :]
    if _log_sum(times) > scores[: specials.times_from].max(initial=NEVER):
        scores[: specials.times_from] = NEVER
    return scores


def _keep_order(scores: Array, said: Sequence[int], times_from: int, end_id: int) -> None:
    """Times come in pairs around text, but for one at the end, and never go back."""
    if not said:
        scores[:times_from] = NEVER
        scores[times_from + FIRST_TIME_STEPS + 1 :] = NEVER
        return
    last_is_time = said[-1] >= times_from
    pair = last_is_time and (len(said) < 2 or said[-2] >= times_from)
    if pair:
        scores[times_from:] = NEVER
    elif last_is_time:
        end = scores[end_id]
        scores[:times_from] = NEVER
        scores[end_id] = end
    times = [token for token in said if token >= times_from]
    if times:
        # The one that opens may be the one that closed; one that closes is later than the one that opened.
        scores[times_from : times[-1] + (0 if last_is_time and not pair else 1)] = NEVER


def _forbid(scores: Array, tokens: Sequence[int]) -> None:
    scores[[token for token in tokens if 0 <= token < len(scores)]] = NEVER


def log_probability(scores: Array, token: int) -> float:
    """Of one token among all, at most 0."""
    return float(scores[token]) - _log_sum(scores)


def _log_sum(scores: Array) -> float:
    most = scores.max(initial=NEVER)
    return float(most + np.log(np.exp(scores - most).sum())) if np.isfinite(most) else float(NEVER)
