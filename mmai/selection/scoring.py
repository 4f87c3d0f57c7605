"""Ranking of the models that may take a request: four scores in [0, 1] and their weighted sum."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from operator import itemgetter

from mmai.errors import UsageError
from mmai.selection.expectations import cost_usd, latency_ms, profile_of, success_rate
from mmai.selection.fit import fit
from mmai.values.decision import Candidate, Terms, Weights
from mmai.values.model import ModelCard, Profile
from mmai.values.task import TaskAnalysis

HALF_LATENCY_MS = 5_000.0
"""Expected time that scores 0.5: what the specification's example allows for one request."""
HALF_COST_USD = 0.01
"""Expected price that scores 0.5: what the specification's example allows for one request."""


def performance(expected_ms: float) -> float:
    """1 / (1 + latency / 5 s): 1 s scores 0.83, 5 s 0.5, 45 s 0.1; every further second weighs less."""
    return 1.0 / (1.0 + expected_ms / HALF_LATENCY_MS)


def frugality(expected_usd: float) -> float:
    """1 / (1 + cost / $0.01): nothing scores 1, a tenth of a cent 0.91, a cent 0.5, ten cents 0.09."""
    return 1.0 / (1.0 + expected_usd / HALF_COST_USD)


def shares(weights: Weights) -> tuple[float, float, float, float]:
    """What performance, cost, reliability and capability count for, summing to 1.

    Raises:
        UsageError: one is negative or not a number, or none is above 0.
    """
    values = (weights.performance, weights.cost, weights.reliability, weights.capability)
    total = sum(values)
    if not all(0 <= value < inf for value in values) or total <= 0:
        shown = ", ".join(f"{value:g}" for value in values)
        raise UsageError(
            f"weights {shown} do not rank anything: each must be 0 or more, and one above 0",
            hint="mmai config show --origin",
        )
    return values[0] / total, values[1] / total, values[2] / total, values[3] / total


def peer_cost_usd(costs: Iterable[float | None]) -> float:
    """What a model of unknown price is taken to cost: the median of those that cost anything, a cent when none does.

    Free models are no peers of it: a price nobody knows is seldom nothing.
    """
    known = sorted(cost for cost in costs if cost)
    if not known:
        return HALF_COST_USD
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def rank(
    cards: Sequence[ModelCard],
    analysis: TaskAnalysis,
    *,
    weights: Weights,
    profiles: Mapping[str, Profile] | None = None,
    preferred: str | None = None,
) -> tuple[Candidate, ...]:
    """Best first; of equal scores the `preferred` provider's, then by reference. Embedded models come after all others, whatever they score.

    Reliability is the expected success rate, capability is `fit`. A model of unknown price takes `peer_cost_usd`; every other
    score depends on the model alone.
    """
    measured = profiles or {}
    w_performance, w_cost, w_reliability, w_capability = shares(weights)
    costs = [cost_usd(card, analysis) for card in cards]
    assumed = peer_cost_usd(costs)
    scored = []
    for card, cost in zip(cards, costs, strict=True):
        profile = profile_of(card, measured)
        latency = latency_ms(card, profile, analysis)
        terms = (
            performance(latency),
            frugality(assumed if cost is None else cost),
            success_rate(profile),
            fit(card, analysis),
        )
        score = w_performance * terms[0] + w_cost * terms[1] + w_reliability * terms[2] + w_capability * terms[3]
        key = (card.locality == "embedded", -score, card.provider != preferred, card.provider, card.name)
        scored.append((key, card, score, terms, cost, latency))
    scored.sort(key=itemgetter(0))
    return tuple(
        Candidate(
            card=card,
            score=score,
            terms=Terms(performance=terms[0], cost=terms[1], reliability=terms[2], capability=terms[3]),
            cost_usd=cost,
            latency_ms=latency,
        )
        for _, card, score, terms, cost, latency in scored
    )
