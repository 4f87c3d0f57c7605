"""What a command that talks to models works with: open endpoints, the registry, the history."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from mmai import keys
from mmai.cli.frame import Frame
from mmai.clock import Clock
from mmai.engine.directory import Directory
from mmai.engine.session import Session
from mmai.engine.wish import Choice, Wish
from mmai.registry.facts import Facts
from mmai.registry.store import Store
from mmai.settings import BalanceSettings, BudgetSettings, RegistrySettings, ResourceSettings, endpoints
from mmai.telemetry.history import History
from mmai.values.budget import Period
from mmai.values.endpoint import Endpoint, Secret
from mmai.values.model import Profile
from mmai.values.request import Request

if TYPE_CHECKING:
    from random import Random

    from mmai.engine.budget import Budget
    from mmai.engine.choose import Chooser
    from mmai.engine.learning import Learning
    from mmai.engine.limits import Limits
    from mmai.engine.residency import Residency
    from mmai.engine.traffic import Traffic

PROFILE_WINDOW_S = 30 * 86400.0
"""How far back runs count for how a model performs."""


class World(Struct, frozen=True):
    """One command's view of the models and of what is known of them."""

    session: Session
    store: Store
    history: History
    directory: Directory
    clock: Clock
    profiles: Callable[[], Mapping[str, Profile]]
    """How models performed in the runs of the last 30 days."""
    ages: RegistrySettings
    limits: BudgetSettings
    balance: BalanceSettings
    resources: ResourceSettings

    @property
    def residency(self) -> "Residency":
        """Which local models are in memory."""
        from mmai.engine.residency import Residency

        return Residency(self.session, self.history, budget_bytes=self.resources.memory_budget_bytes, clock=self.clock)

    def traffic(self, *, shared: bool, limits: "Limits | None" = None) -> "Traffic":
        """Who decides whom to call of several, one for all requests of a command; `shared` with other processes or not, each
        endpoint given as many at a time as `limits` say. A context manager.
        """
        from mmai.engine.traffic import Traffic

        board = self.history if shared else None
        balance = self.balance
        return Traffic(board, clock=self.clock, strategy=balance.strategy, region=balance.region, limits=limits)

    @property
    def budget(self) -> "Budget | None":
        """What is left to spend; None where the settings have no limit, and nothing is read or loaded for it."""
        limits: dict[Period, float | None] = {"daily": self.limits.daily_usd, "monthly": self.limits.monthly_usd}
        if not any(limit is not None for limit in limits.values()):
            return None
        from mmai.engine.budget import Budget

        return Budget(
            {period: limit for period, limit in limits.items() if limit is not None},
            warn_at=self.limits.warn_at,
            spent=lambda since: self.history.spent_usd(since=since),
            clock=self.clock,
        )

    @property
    def learning(self) -> "Learning":
        """What came of answers. A run of a named model does without."""
        from mmai.engine.learning import Learning

        return Learning(self.store, self.history, self.clock)

    @property
    def chooser(self) -> "Chooser":
        """Who weighs models. A run of a named one does without, and without the 5 ms its rules take to load."""
        from mmai.engine.choose import Chooser

        return Chooser(
            self.directory,
            profiles=self.profiles,
            observed=self.learning.observed,
            budget=budget.spending if (budget := self.budget) else tuple,
            rng=_rng,
            max_age_s=self.ages.cache_ttl_s,
            recheck_s=self.ages.health_check_interval_s,
            clock=self.clock,
        )

    async def choose(self, request: Request, wish: Wish, *, explained: bool = False, spends: bool = True) -> Choice:
        """Whom a request goes to: a model that was named without limits is not weighed, and the budget asked only about a call
        that `spends`; raises as `Chooser.choose` does.
        """
        if wish.is_plain and not (spends and self.budget):
            return await self.directory.named(request, wish)
        return await self.chooser.choose(request, wish, explained=explained)


def _rng() -> "Random":
    from random import SystemRandom

    return SystemRandom()


@asynccontextmanager
async def world(call: Frame) -> AsyncIterator[World]:
    """Open everything, lazily, and close it whatever happens."""
    clock = Clock()
    store = Store(call.paths.registry, warn=call.warn)
    history = History(call.paths.history, warn=call.warn)

    def profiles() -> Mapping[str, Profile]:
        return history.profiles(since=clock.now() - PROFILE_WINDOW_S)

    def find_key(endpoint: Endpoint) -> Secret | None:
        found = keys.find(endpoint.provider, endpoint.key_rule, path=call.paths.keys, env=call.env)
        if found is not None and found.warning:
            call.warn(found.warning)
        return None if found is None else found.secret

    try:
        async with Session(endpoints(call.settings, env=call.env), find_key=find_key) as session:
            directory = Directory(session, store, facts=facts(call), clock=clock, warn=call.warn)
            settings = call.settings
            yield World(
                session,
                store,
                history,
                directory,
                clock,
                profiles,
                settings.registry,
                settings.budget,
                settings.balance,
                settings.resources,
            )
    finally:
        history.close()


def facts(call: Frame) -> Facts:
    """What is known of hosted models, with the user's price file over it."""
    path = call.settings.registry.price_file
    return Facts(Path(path).expanduser() if path else None, warn=call.warn)
