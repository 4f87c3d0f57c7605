"""The whole choice: analyse, filter, score. `select` shows it, `run` acts on it."""

from collections.abc import Iterable, Mapping, Sequence

from mmai.selection.analyze import UNLIMITED, analyze
from mmai.selection.candidates import MONEY, STANDING, Filter, exclusion, filters
from mmai.selection.expectations import cost_usd, latency_ms, profile_of
from mmai.selection.roster import NO_OUTCOMES, NO_PROFILES, Figures, Roster
from mmai.selection.scoring import rank
from mmai.values.budget import Spending
from mmai.values.decision import Candidate, Decision, PolicyName, Weights
from mmai.values.model import ModelCard, Profile
from mmai.values.outcome import Observed
from mmai.values.request import Request
from mmai.values.task import Constraints, TaskAnalysis, TaskType

DEFAULT_WEIGHTS = Weights()
ALL_AVAILABLE: Mapping[str, str] = {}


class Choices:
    """Models made ready once, to be chosen from for one prompt after another."""

    def __init__(
        self,
        cards: Iterable[ModelCard],
        *,
        profiles: Mapping[str, Profile] = NO_PROFILES,
        observed: Mapping[str, Mapping[str, Observed]] = NO_OUTCOMES,
        now: float | None = None,
    ) -> None:
        """`profiles` maps references to what was measured, `observed` to outcomes by task. `now` is in Unix seconds; without it
        nothing measured is old, and no day of retirement has come.
        """
        self.roster = Roster(cards, profiles=profiles, observed=observed, now=now)
        self._standing: dict[object, tuple[list[Figures], list[Candidate]]] = {}

    def decide(
        self,
        request: Request,
        *,
        constraints: Constraints = UNLIMITED,
        weights: Weights = DEFAULT_WEIGHTS,
        policy: PolicyName | None = None,
        task: TaskType | None = None,
        unavailable: Mapping[str, str] = ALL_AVAILABLE,
        preferred: str | None = None,
        budget: Sequence[Spending] = (),
        analysis: TaskAnalysis | None = None,
    ) -> Decision:
        """Rank the models that may take a request; say of the others why not.

        `policy` is the name the weights go by. `unavailable` maps a reference, a provider or `provider@endpoint` to the reason it
        does not answer; `preferred` is a provider, for ties; `budget` is what is left to spend; `analysis` is what `analyze` read
        from the request, where somebody has it. Sentences for the scores are explain.py's.

        Raises:
            UsageError: the weights rank nothing.
        """
        seen = analyze(request, constraints=constraints, task=task) if analysis is None else analysis
        checks = filters(
            seen,
            max_tokens=request.options.max_tokens,
            unavailable=unavailable,
            profiles=self.roster.profiles,
            budget=budget,
            now=self.roster.now,
        )
        passing, excluded = self._pass(checks, seen)
        ranked = rank(self.roster, seen, weights=weights, among=passing, preferred=preferred)
        return Decision(analysis=seen, weights=weights, policy=policy, ranked=ranked, excluded=tuple(excluded))

    def _pass(self, checks: Sequence[Filter], analysis: TaskAnalysis) -> tuple[list[Figures], list[Candidate]]:
        """Who passes every filter, and who does not, by reference; the filters that stand are asked once for each kind of prompt."""
        limits = analysis.constraints
        kind = (
            (limits.provider, limits.exclude, limits.local_only, limits.policy, limits.require),
            (analysis.required_capabilities, analysis.modality, analysis.task_type),
        )
        standing = self._standing.get(kind)
        if standing is None:
            lasting = [check for check in checks if check[0] in STANDING]
            standing = self._standing[kind] = self._split(self.roster.figures, lasting, analysis)
        remaining = [check for check in checks if check[0] not in STANDING]
        passing, excluded = self._split(standing[0], remaining, analysis)
        if not excluded:
            return passing, standing[1]
        return passing, sorted([*standing[1], *excluded], key=lambda each: (each.card.provider, each.card.name))

    def _split(
        self, figures: Iterable[Figures], checks: Sequence[Filter], analysis: TaskAnalysis
    ) -> tuple[list[Figures], list[Candidate]]:
        passing, excluded = [], []
        for each in figures:
            objection = exclusion(each.card, checks)
            if objection is None:
                passing.append(each)
            else:
                excluded.append(self._excluded(each.card, objection, analysis))
        return passing, excluded

    def _excluded(self, card: ModelCard, objection: tuple[str, str], analysis: TaskAnalysis) -> Candidate:
        name, reason = objection
        late = name == "max_latency"
        profile = profile_of(card, self.roster.profiles) if late else None
        return Candidate(
            card=card,
            excluded=reason,
            excluded_by=name,
            cost_usd=cost_usd(card, analysis) if name in MONEY else None,
            latency_ms=latency_ms(card, profile, analysis, now=self.roster.now) if late else None,
        )


def decide(
    request: Request,
    cards: Iterable[ModelCard],
    *,
    profiles: Mapping[str, Profile] = NO_PROFILES,
    observed: Mapping[str, Mapping[str, Observed]] = NO_OUTCOMES,
    now: float | None = None,
    constraints: Constraints = UNLIMITED,
    weights: Weights = DEFAULT_WEIGHTS,
    policy: PolicyName | None = None,
    task: TaskType | None = None,
    unavailable: Mapping[str, str] = ALL_AVAILABLE,
    preferred: str | None = None,
    budget: Sequence[Spending] = (),
) -> Decision:
    """One choice out of `cards`, whose order does not matter; as `Choices.decide`, which does for several."""
    return Choices(cards, profiles=profiles, observed=observed, now=now).decide(
        request,
        constraints=constraints,
        weights=weights,
        policy=policy,
        task=task,
        unavailable=unavailable,
        preferred=preferred,
        budget=budget,
    )
