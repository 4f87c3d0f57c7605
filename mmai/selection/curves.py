"""Utility curves: what a wait, a price and a quality are worth to a person, each 0 (nothing) to 1 (as good as it gets).

The harder a prompt, the longer somebody waits for the answer and the more it may cost: the points at which these curves have fallen
by half move with the complexity. The expected quality has the complexity in it already.
"""

from math import exp, sqrt
from typing import NamedTuple

from mmai.values.task import TaskAnalysis

READING_MS = 100.0
"""A token in fast reading, 450 words a minute: of text that comes quicker, a reader waits for none."""
READING_SHARE = 0.2
"""What a millisecond of writing counts for that passes while one reads; some only want the end of it."""

PATIENCE_MS = 15_000.0
"""A wait that scores 0.5 where the answer is short and the prompt as simple as can be."""
PATIENCE_TOKEN_MS = 20.0
"""Longer, for each token of the answer."""
AFFORDABLE_USD = 0.004
"""A price that halves the score of what costs anything, for the simplest prompt; for one of complexity 0.4 it is a cent, as in the
specification's example."""
HARDEST = 10.0
"""How many times as much wait and money the hardest prompt is worth."""
PAYING = 0.2
"""What any price above nothing takes off, for the simplest prompt, down to nothing for the hardest: to pay at all takes an account,
and what is free is as good for small talk."""

HALF_ENOUGH = 0.5
"""Expected quality that scores 0.5: an answer with as much to mend as to keep."""
QUALITY_STEP = 0.1
"""How far around that the curve is steep: a step more scores 0.73, two 0.88, three 0.95, and as much less as many fewer."""


class Stakes(NamedTuple):
    """What a prompt is worth to whoever asks it: where the curves of wait and price have fallen by half."""

    patience_ms: float
    affordable_usd: float
    paid: float
    """What the smallest price scores."""


def stakes(analysis: TaskAnalysis) -> Stakes:
    """By the complexity, and for the wait by the length of the answer."""
    worth = HARDEST**analysis.complexity
    return Stakes(
        patience_ms=PATIENCE_MS * worth + PATIENCE_TOKEN_MS * analysis.output_tokens,
        affordable_usd=AFFORDABLE_USD * worth,
        paid=1.0 - PAYING * (1.0 - analysis.complexity),
    )


def waited_token_ms(token_ms: float) -> float:
    """What of the time a token takes is felt as waiting, by a reader of streamed text."""
    read = token_ms if token_ms < READING_MS else READING_MS
    return token_ms - (1.0 - READING_SHARE) * read


def performance(wait_ms: float, patience_ms: float) -> float:
    """Hill curve 1 / (1 + (wait / patience)^3): a tenth of the patience scores 0.999, a quarter 0.98, half 0.89, all 0.5, twice 0.11."""
    share = wait_ms / patience_ms
    return 1.0 / (1.0 + share * share * share)


def frugality(usd: float, affordable_usd: float, paid: float) -> float:
    """1 for nothing, else the Hill curve paid / (1 + (cost / affordable)^1.5): a twentieth loses 1 % of `paid`, a quarter 11 %."""
    if usd <= 0.0:
        return 1.0
    share = usd / affordable_usd
    return paid / (1.0 + share * sqrt(share))


def capability(quality: float) -> float:
    """1 / (1 + e^((0.5 - quality) / 0.1)): what is better than very good, or worse than useless, makes next to no difference."""
    return 1.0 / (1.0 + exp((HALF_ENOUGH - quality) / QUALITY_STEP))
