"""Ranking of the models that may take a request: four scores in [0, 1] and their weighted sum.

What is not known of a model is taken as the median of its peers: a price as that of those that cost anything, the speed of one
that runs on one's own machines as that of the others there, a quality as that of all. The curves are curves.py's.
"""

from collections.abc import Iterable, Sequence
from math import inf
from operator import itemgetter

from mmai.errors import UsageError
from mmai.selection.curves import capability, frugality, performance, stakes
from mmai.selection.roster import Figures, Roster, costs_usd
from mmai.values.decision import Candidate, Terms, Weights
from mmai.values.task import TaskAnalysis

ASSUMED_COST_USD = 0.01
"""Of a model of unknown price, among others of which none is known to cost anything."""
ASSUMED_QUALITY = 0.5
"""Of a model of which nothing is known, among others of which nothing is known."""
OWN = ("local", "network")
"""Where the speed of a model depends on its size and on the machine."""
EQUAL = 1e-3
"""Scores are compared in steps of this size: what is smaller is no reason to prefer a model."""


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


def median(values: Iterable[float]) -> float | None:
    """The middle of the values, or the mean of the two in the middle; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def peer_cost_usd(costs: Iterable[float | None]) -> float:
    """What a model of unknown price is taken to cost: the median of those that cost anything, a cent when none does.

    Free models are no peers of it: a price nobody knows is seldom nothing.
    """
    return median(cost for cost in costs if cost) or ASSUMED_COST_USD


def peer_quality(qualities: Iterable[float | None]) -> float:
    """What a model of unknown quality is taken to answer with: the median of the others."""
    known = median(quality for quality in qualities if quality is not None)
    return ASSUMED_QUALITY if known is None else known


def rank(
    roster: Roster,
    analysis: TaskAnalysis,
    *,
    weights: Weights,
    among: Sequence[Figures] | None = None,
    preferred: str | None = None,
) -> tuple[Candidate, ...]:
    """Best first, `among` some of the roster or all of it. Embedded models come after all others, whatever they score.

    Equals, whose scores are the same in steps of `EQUAL`, are ordered: models that stay before those that retire, then the
    `preferred` provider's, then by what is left of the score, then by reference.
    """
    figures = roster.figures if among is None else among
    w_performance, w_cost, w_reliability, w_capability = shares(weights)
    costs = costs_usd(figures, analysis)
    by_ability = roster.qualities(analysis)
    qualities = [by_ability[each.ability] for each in figures]
    assumed_usd = peer_cost_usd(costs) if None in costs else 0.0
    assumed_quality = peer_quality(qualities) if None in qualities else 0.0
    patience_ms, affordable_usd, paid = stakes(analysis)
    scored = []
    for each, (wait_ms, latency), cost, quality in zip(figures, times_ms(figures, analysis), costs, qualities, strict=True):
        quick = performance(wait_ms, patience_ms)
        frugal = frugality(assumed_usd if cost is None else cost, affordable_usd, paid)
        able = capability(assumed_quality if quality is None else quality)
        score = w_performance * quick + w_cost * frugal + w_reliability * each.reliability + w_capability * able
        # Steps of one are for what orders equals; below a step the score itself does.
        place = each.place - 4 * int(score / EQUAL + 0.5) + (each.card.provider != preferred) - score / 2
        scored.append((place, each, score, quick, frugal, able, cost, latency, quality))
    scored.sort(key=itemgetter(0))
    return tuple(
        Candidate(
            card=each.card,
            score=score,
            terms=Terms(performance=quick, cost=frugal, reliability=each.reliability, capability=able),
            cost_usd=cost,
            latency_ms=latency,
            expected_quality=quality,
        )
        for _, each, score, quick, frugal, able, cost, latency, quality in scored
    )


def times_ms(figures: Sequence[Figures], analysis: TaskAnalysis) -> list[tuple[float, float | None]]:
    """For each model the wait that is felt and the whole time of a request, the time None where it is not known."""
    asked, answered = analysis.context_tokens, analysis.output_tokens
    times: list[tuple[float, float | None]] = []
    strange = []
    for each in figures:
        load_ms, first_ms, input_token_ms, token_ms, known = each.speed
        first_ms += load_ms + input_token_ms * asked
        if not known:
            strange.append(len(times))
        times.append((first_ms + each.waited_token_ms * answered, first_ms + token_ms * answered if known else None))
    if strange:
        peers = [times[at][0] for at, each in enumerate(figures) if each.speed.known and each.card.locality in OWN]
        assumed = median(peers)
        for at in strange:
            times[at] = (times[at][0] if assumed is None else assumed, None)
    return times
