"""Who is called, and in which order: the model that was named, or the best one for the prompt."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct, structs

from mmai.backends.base import Library
from mmai.clock import Clock
from mmai.engine.discovery import discover, keys
from mmai.engine.session import Route, Session, unconfigured
from mmai.errors import AuthError, BudgetExceeded, ConfigError, NoEligibleModel, UnknownModel
from mmai.registry.catalog import with_declared
from mmai.registry.health import unavailable
from mmai.registry.names import resolve
from mmai.registry.profiles import effective
from mmai.registry.store import Store
from mmai.selection.analyze import UNLIMITED, analyze
from mmai.selection.candidates import exclusion, filters
from mmai.selection.decide import decide
from mmai.selection.explain import explain
from mmai.selection.misses import no_eligible
from mmai.values.decision import Decision, Weights
from mmai.values.model import ModelCard, Profile
from mmai.values.registry import Registry
from mmai.values.request import Request
from mmai.values.task import Constraints, TaskType

RUNNERS_UP = 3
"""How many of the next best models an automatic choice may fall back to."""

AUTO = "auto"

LIMITS = frozenset({"provider", "exclude", "local_only", "max_cost", "max_latency", "min_reliability", "max_memory"})
"""Filters that hold for a model somebody named, too: limits the user set. What it can do is between the model and its server."""


class Wish(Struct, frozen=True, kw_only=True):
    """What the user said about who should answer."""

    model: str = AUTO
    fallbacks: tuple[str, ...] = ()
    task: TaskType | None = None
    constraints: Constraints = UNLIMITED
    weights: Weights = Weights()
    preferred: str | None = None
    """Provider to take where scores are equal."""


class Choice(Struct, frozen=True, kw_only=True):
    """Whom to call, first to last, and the ranking behind an automatic choice."""

    routes: tuple[Route, ...]
    decision: Decision | None = None


class Chooser:
    """Knows the registry and refreshes it when it is too old to trust."""

    def __init__(
        self,
        session: Session,
        store: Store,
        *,
        profiles: Callable[[], Mapping[str, Profile]],
        max_age_s: float,
        recheck_s: float,
        clock: Clock,
        warn: Callable[[str], None],
    ) -> None:
        """A choice rests on a look no older than `max_age_s`, and one that finds no real model on one within `recheck_s`."""
        self._session = session
        self._store = store
        self._profiles = profiles
        self._max_age_s = max_age_s
        self._recheck_s = recheck_s
        self._clock = clock
        self._warn = warn

    async def choose(self, request: Request, wish: Wish, *, explained: bool = False) -> Choice:
        """The routes a run may take.

        A named model is called and nothing else, unless fallbacks are named too; nothing is probed for it. An automatic choice
        falls back to the runners-up.

        Raises:
            NoEligibleModel: nothing fits, or the named model breaks a limit or cannot take the request.
        """
        if wish.model != AUTO:
            named = [await self.card(text) for text in (wish.model, *wish.fallbacks)]
            return Choice(routes=tuple(self._named_routes(named, request, wish)))
        decision = await self.decide(request, wish, explained=explained)
        fallbacks = [await self.card(text) for text in wish.fallbacks]
        willing = list(
            islice(self._willing((each.card for each in decision.ranked), request), 1 if fallbacks else 1 + RUNNERS_UP)
        )
        if not willing:
            refusal = self._refusal(decision.ranked[0].card, request)
            raise NoEligibleModel(f"none of the models that fit can take this: {refusal}", hint="mmai select --explain")
        return Choice(routes=(*willing, *self._willing(fallbacks, request)), decision=decision)

    async def decide(self, request: Request, wish: Wish, *, explained: bool = False) -> Decision:
        """The ranking of every known model for a request, with a sentence for every score when `explained`.

        Raises:
            NoEligibleModel: none is left.
        """
        registry = await self._fresh(self._max_age_s)
        decision = self._decide(registry, request, wish)
        if decision.choice is None or decision.choice.card.locality == "embedded":
            # Perhaps a server was started, or a model pulled, since the last look.
            registry = await self._fresh(self._recheck_s)
            decision = self._decide(registry, request, wish)
        if decision.choice is None:
            raise no_eligible(decision)
        return explain(decision, profiles=effective(registry, self._profiles())) if explained else decision

    def _decide(self, registry: Registry, request: Request, wish: Wish) -> Decision:
        down = unavailable(registry, now=self._clock.now(), ttl_s=self._max_age_s)
        return decide(
            request,
            tuple(registry.models.values()),
            constraints=wish.constraints,
            weights=wish.weights,
            task=wish.task,
            unavailable=down | self._refusals(registry, request, wish),
            profiles=effective(registry, self._profiles()),
            preferred=wish.preferred,
        )

    def _refusals(self, registry: Registry, request: Request, wish: Wish) -> dict[str, str]:
        """Reference to reason, for models only their adapter can rule out: embedded ones know which wording they can serve,
        and a library which of its declared models were never downloaded.
        """
        analysis = analyze(request, task=wish.task)
        asked = structs.replace(request, task=analysis.task_type)
        refusals: dict[str, str] = {}
        for ref, card in registry.models.items():
            if card.locality != "embedded" and card.source != "configured":
                continue
            try:
                if card.locality == "embedded" and (reason := self._refusal(card, asked)):
                    refusals[ref] = reason
                elif card.source == "configured" and self._is_library(card):
                    refusals[ref] = f"it is not downloaded: `mmai pull {ref}`"
            except (ConfigError, AuthError) as error:
                refusals[ref] = error.message
        return refusals

    async def card(self, text: str) -> ModelCard:
        """The model a user named: known ones from the registry, unknown ones on their word when the provider is configured.

        Raises:
            UnknownModel: no provider of that name is configured, and no model of that name is known.
            AmbiguousModel: a bare name fits several.
        """
        try:
            return self.known(text)
        except UnknownModel:
            await self._fresh(0.0)
            return self.known(text)

    def known(self, text: str) -> ModelCard:
        """As `card`, with nobody asked."""
        registry = self._known(self._store.read())
        ref = resolve(registry, text, providers=self._session.providers)
        if card := registry.models.get(str(ref)):
            return card
        if not (endpoints := self._session.of(ref.provider)):
            raise UnknownModel(unconfigured(ref.provider, self._session.endpoints), hint="mmai config edit")
        return self._session.backend(endpoints[0]).assume(ref.name)

    async def _fresh(self, max_age_s: float) -> Registry:
        """The registry; asked for anew where the last look is older than `max_age_s`, or did not cover every endpoint."""
        registry = self._store.read()
        oldest = self._clock.now() - max_age_s
        complete = set(keys(self._session.endpoints)) == registry.providers.keys()
        if not complete or registry.discovered_at is None or registry.discovered_at < oldest:
            registry, _ = await discover(self._session, self._store, clock=self._clock, warn=self._warn)
        return self._known(registry)

    def _known(self, registry: Registry) -> Registry:
        return with_declared(registry, self._session.endpoints)

    def _named_routes(self, cards: Sequence[ModelCard], request: Request, wish: Wish) -> list[Route]:
        if wish.constraints != UNLIMITED:
            self._hold_to_limits(cards, request, wish)
        first, *others = cards
        if refusal := self._refusal(first, request):
            raise NoEligibleModel(f"`{first.ref}` cannot take this: {refusal}", hint="mmai select --explain")
        return [*self._session.routes(first), *self._willing(others, request)]

    def _hold_to_limits(self, cards: Sequence[ModelCard], request: Request, wish: Wish) -> None:
        analysis = analyze(request, constraints=wish.constraints, task=wish.task)
        registry = self._known(self._store.read())
        checks = filters(analysis, max_tokens=request.options.max_tokens, profiles=effective(registry, self._profiles()))
        limits = [check for check in checks if check[0] in LIMITS]
        for card in cards:
            match exclusion(card, limits):
                case "max_cost", reason:
                    raise BudgetExceeded(f"`{card.ref}` was not called: {reason}")
                case _, reason:
                    raise NoEligibleModel(f"`{card.ref}` was not called: {reason}", hint="mmai select --explain")
                case _:
                    missing = set(wish.constraints.require) - set(card.capabilities)
                    if missing:
                        raise NoEligibleModel(f"`{card.ref}` was not called: it has no {', '.join(sorted(missing))}")

    def _is_library(self, card: ModelCard) -> bool:
        return isinstance(self._session.backend(self._session.routes(card)[0].endpoint), Library)

    def _willing(self, cards: Iterable[ModelCard], request: Request) -> Iterator[Route]:
        for card in cards:
            if self._refusal(card, request) is None:
                yield from self._session.routes(card)

    def _refusal(self, card: ModelCard, request: Request) -> str | None:
        endpoint = self._session.routes(card)[0].endpoint
        return self._session.backend(endpoint).can_handle(card, request)


def with_task(request: Request, decision: Decision | None, wish: Wish) -> Request:
    """The request as the chosen model gets it: told which task it is for."""
    task = wish.task or (decision.analysis.task_type if decision else None)
    return structs.replace(request, task=task)
