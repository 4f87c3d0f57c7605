"""The whole choice: analyse, filter, score. `select` shows it, `run` acts on it."""

from collections.abc import Iterable, Mapping, Sequence

from mmai.selection.analyze import UNLIMITED, analyze
from mmai.selection.candidates import MONEY, exclusion, filters
from mmai.selection.expectations import cost_usd, latency_ms, profile_of
from mmai.selection.scoring import rank
from mmai.values.budget import Spending
from mmai.values.decision import Candidate, Decision, Weights
from mmai.values.model import ModelCard, Profile
from mmai.values.request import Request
from mmai.values.task import Constraints, TaskAnalysis, TaskType

DEFAULT_WEIGHTS = Weights()


def decide(
    request: Request,
    cards: Iterable[ModelCard],
    *,
    constraints: Constraints = UNLIMITED,
    weights: Weights = DEFAULT_WEIGHTS,
    task: TaskType | None = None,
    unavailable: Mapping[str, str] | None = None,
    profiles: Mapping[str, Profile] | None = None,
    preferred: str | None = None,
    budget: Sequence[Spending] = (),
) -> Decision:
    """Rank the models that may take a request; say of the others why not. The order of `cards` does not matter.

    `unavailable` maps a reference, a provider or `provider@endpoint` to the reason it does not answer; `profiles` maps
    references to what was measured; `preferred` is a provider, for ties; `budget` is what is left to spend. Sentences for the scores are explain.py's.

    Raises:
        UsageError: the weights rank nothing.
    """
    analysis = analyze(request, constraints=constraints, task=task)
    checks = filters(analysis, max_tokens=request.options.max_tokens, unavailable=unavailable, profiles=profiles, budget=budget)
    eligible, excluded = [], []
    for card in cards:
        if (objection := exclusion(card, checks)) is None:
            eligible.append(card)
        else:
            excluded.append(_excluded(card, objection, analysis, profiles or {}))
    return Decision(
        analysis=analysis,
        weights=weights,
        ranked=rank(eligible, analysis, weights=weights, profiles=profiles, preferred=preferred),
        excluded=tuple(sorted(excluded, key=lambda candidate: (candidate.card.provider, candidate.card.name))),
    )


def _excluded(
    card: ModelCard, objection: tuple[str, str], analysis: TaskAnalysis, profiles: Mapping[str, Profile]
) -> Candidate:
    name, reason = objection
    return Candidate(
        card=card,
        excluded=reason,
        excluded_by=name,
        cost_usd=cost_usd(card, analysis) if name in MONEY else None,
        latency_ms=latency_ms(card, profile_of(card, profiles), analysis) if name == "max_latency" else None,
    )
