"""Thompson sampling: now and then another model than the best, as often as what is known of them leaves it open who is better."""

from typing import Protocol

from msgspec.structs import replace

from mmai.selection.curves import capability
from mmai.selection.roster import Roster
from mmai.selection.scoring import shares
from mmai.values.decision import Candidate, Decision
from mmai.values.model import ModelCard
from mmai.values.task import TaskAnalysis

LEAST_SHAPE = 0.5
"""Of either side of a beta distribution; below it nearly all mass is at its ends."""


class Draws(Protocol):
    """As `random.Random`."""

    def betavariate(self, alpha: float, beta: float) -> float:
        """A number drawn from Beta(alpha, beta)."""


def explore(decision: Decision, roster: Roster, *, rng: Draws, budget_usd: float) -> Decision:
    """The decision with that model first which scores highest when each one's quality is drawn from what is believed of it.

    The draw is from Beta(quality x n, (1 - quality) x n), n being the ratings that prior and outcomes weigh as much as. Only ranked
    models take part: none embedded, none that retires, none of unknown quality, and none that is expected to cost more than
    `budget_usd` above the best one; an unknown price is more. Source: Russo et al., A Tutorial on Thompson Sampling, 2018.
    """
    best = decision.choice
    if best is None or best.card.locality == "embedded":
        return decision
    weight = shares(decision.weights)[3]
    drawn = best
    highest = -1.0
    for candidate in (best, *(each for each in decision.ranked[1:] if _may_be_tried(each, best, budget_usd))):
        assert candidate.score is not None
        assert candidate.terms is not None
        a, b = belief(candidate, roster, decision.analysis)
        score = candidate.score + weight * (capability(rng.betavariate(a, b)) - candidate.terms.capability)
        if score > highest:
            drawn, highest = candidate, score
    if drawn is best:
        return decision
    return replace(decision, ranked=(drawn, *(each for each in decision.ranked if each is not drawn)), explored=True)


def belief(candidate: Candidate, roster: Roster, analysis: TaskAnalysis) -> tuple[float, float]:
    """(alpha, beta) of what is believed of a candidate's quality."""
    prior, seen = roster.ability(candidate.card)
    mean = 0.5 if candidate.expected_quality is None else candidate.expected_quality
    ratings = prior.strength + sum(
        share * seen[task].weight for task, share in analysis.task_probabilities.items() if task in seen
    )
    return max(mean * ratings, LEAST_SHAPE), max((1.0 - mean) * ratings, LEAST_SHAPE)


def _may_be_tried(candidate: Candidate, best: Candidate, budget_usd: float) -> bool:
    card: ModelCard = candidate.card
    if card.locality == "embedded" or card.deprecated is not None or candidate.expected_quality is None:
        return False
    return candidate.cost_usd is not None and candidate.cost_usd <= (best.cost_usd or 0.0) + budget_usd
