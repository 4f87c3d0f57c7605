"""What is learned of models from what came of their answers, and where it is kept.

Ratings, benchmarks, A/B verdicts and validations are added up in the registry. What runs tell by themselves is counted from the
history when a model is chosen, so that no run writes the registry.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from mmai.clock import Clock
from mmai.registry import outcomes
from mmai.registry.store import Store
from mmai.selection.abilities import prior
from mmai.selection.silence import soft
from mmai.values.outcome import Judged, Observed, Outcome, Tally, joined
from mmai.values.registry import Registry

WINDOW_S = 90 * 86400.0
"""How far back runs that nobody rated count: three half-lives."""


class Runs(Protocol):
    """Where the runs that nobody rated are counted. Never raises."""

    def judged(self, *, since: float, now: float) -> Sequence[Judged]:
        """From `since` on, as they count at `now`; both in unix seconds."""


class Forgotten(Struct, frozen=True, kw_only=True):
    """What a reset has thrown away."""

    outcomes: dict[str, dict[str, Tally]]
    """By reference and task type."""
    judged: tuple[Judged, ...]
    learning_since: float


class Learning:
    """The door for outcomes of every kind."""

    def __init__(self, store: Store, runs: Runs, clock: Clock) -> None:
        self._store = store
        self._runs = runs
        self._clock = clock

    def record(self, *added: Outcome, instead_of: Outcome | None = None) -> None:
        """Count outcomes, in place of one that was counted before.

        Raises:
            StorageError: the registry cannot be written; nothing was changed.
        """

        def change(registry: Registry) -> Registry:
            if instead_of is not None:
                registry = outcomes.take_back(registry, instead_of)
            for outcome in added:
                registry = outcomes.add(registry, outcome)
            return registry

        self._store.update(change)

    def observed(self, registry: Registry) -> Mapping[str, Mapping[str, Observed]]:
        """By reference and task type, all that counts now."""
        now = self._clock.now()
        seen = outcomes.observed(registry, now=now)
        judged = self._judged(registry, now)
        priors = {runs.model: prior(registry.models[runs.model]) for runs in judged if runs.model in registry.models}
        for ref, tasks in soft(judged, priors).items():
            into = seen.setdefault(ref, {})
            for task, silent in tasks.items():
                into[task] = joined(into.get(task), silent)
        return seen

    def reset(self) -> Forgotten:
        """Forget everything; runs and ratings stay in the history, and count no more.

        Raises:
            StorageError: the registry cannot be written; nothing was forgotten.
        """
        now = self._clock.now()
        judged: Sequence[Judged] = ()
        before = Registry()

        def change(registry: Registry) -> Registry:
            nonlocal before, judged
            before, judged = registry, self._judged(registry, now)
            return outcomes.reset(registry, now=now)

        self._store.update(change)
        return Forgotten(outcomes=before.outcomes, judged=tuple(judged), learning_since=now)

    def _judged(self, registry: Registry, now: float) -> Sequence[Judged]:
        return self._runs.judged(since=max(registry.learning_since or 0.0, now - WINDOW_S), now=now)
