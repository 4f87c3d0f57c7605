"""Utility curves: what a wait, a price and a quality are worth to a person, each 0 (nothing) to 1 (as good as it gets)."""

from math import exp, sqrt

HALF_WAIT_MS = 20_000.0
"""A wait that is worth half of none: about where people turn to something else."""
READING_MS = 100.0
"""A token in fast reading, 450 words a minute: of text that comes quicker, a reader waits for none."""
READING_SHARE = 0.25
"""What a millisecond of writing counts for that passes while one reads; some only want the end of it."""

PAID = 0.8
"""The most that a price above nothing scores: to pay at all takes an account, and somebody else's machine."""
HALF_COST_USD = 0.01
"""A price that halves that: what the specification's example allows for one request."""

EASIEST_NEEDS = 0.2
HARDEST_NEEDS = 0.8
"""Expected quality that scores 0.5, for a complexity of 0 and of 1: the simplest prompt is answered well by nearly every model."""
QUALITY_STEP = 0.08
"""How far around that the curve is steep: a step more scores 0.73, two 0.88, three 0.95, and as much less as many fewer."""


def waited_token_ms(token_ms: float) -> float:
    """What of the time a token takes is felt as waiting, by a reader of streamed text."""
    read = token_ms if token_ms < READING_MS else READING_MS
    return token_ms - (1.0 - READING_SHARE) * read


def performance(wait_ms: float) -> float:
    """Hill curve 1 / (1 + (wait / 20 s)^3): 2 s scores 0.999, 5 s 0.98, 10 s 0.89, 20 s 0.5, 40 s 0.11."""
    share = wait_ms / HALF_WAIT_MS
    return 1.0 / (1.0 + share * share * share)


def frugality(usd: float) -> float:
    """1 for nothing, else 0.8 / (1 + (cost / 1 cent)^1.5): a twentieth of a cent scores 0.79, half a cent 0.59, a cent 0.4."""
    if usd <= 0.0:
        return 1.0
    share = usd / HALF_COST_USD
    return PAID / (1.0 + share * sqrt(share))


def needed_quality(complexity: float) -> float:
    """The expected quality, for a prompt of middling complexity, of a model that is half enough for this one."""
    return EASIEST_NEEDS + (HARDEST_NEEDS - EASIEST_NEEDS) * complexity


def capability(quality: float, needed: float) -> float:
    """1 / (1 + e^((needed - quality) / 0.08)): more than enough earns next to nothing.

    The item characteristic curve of Rasch's model, with the prompt for the item. Source: Lord & Novick, Statistical Theories of
    Mental Test Scores, ch. 17.
    """
    return 1.0 / (1.0 + exp((needed - quality) / QUALITY_STEP))
