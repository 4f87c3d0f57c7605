"""Which models there are, as far as the registry, the settings and the adapters know: from a name to whom to call."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from shlex import quote

from msgspec.structs import replace

from mmai.backends.base import Library
from mmai.clock import Clock
from mmai.engine.discovery import discover, keys
from mmai.engine.session import Route, Session, unconfigured
from mmai.engine.wish import Choice, Wish
from mmai.errors import NoEligibleModel, UnknownModel
from mmai.registry.catalog import with_declared
from mmai.registry.facts import Facts
from mmai.registry.names import resolve
from mmai.registry.store import Store
from mmai.settings.providers import PROVIDERS
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard
from mmai.values.registry import Registry
from mmai.values.request import Request


class Directory:
    """Knows the registry, and asks the endpoints again where it is too old to trust."""

    def __init__(self, session: Session, store: Store, *, facts: Facts, clock: Clock, warn: Callable[[str], None]) -> None:
        self._session = session
        self._store = store
        self._facts = facts
        self._clock = clock
        self._warn = warn

    async def named(self, request: Request, wish: Wish) -> Choice:
        """The model that was named, and the fallbacks that can take the request. Nothing is probed for a full reference.

        Raises:
            NoEligibleModel: the model cannot take the request.
            UnknownModel, AmbiguousModel: see `card`.
        """
        first, *others = [await self.card(text) for text in (wish.model, *wish.fallbacks)]
        return self.routes(first, others, request)

    def routes(self, first: ModelCard, others: Sequence[ModelCard], request: Request) -> Choice:
        """Where the model can be called, and then those of the others that can take the request.

        Raises:
            NoEligibleModel: the model cannot take the request.
        """
        if refusal := self.refusal(first, request):
            name = f"`{first.ref}`"
            told = refusal if name in refusal else f"{name} cannot {'be run' if first.problem else 'take this'}: {refusal}"
            in_file = first.package or first.problem
            raise NoEligibleModel(
                told, hint=f"mmai models show {quote(str(first.ref))}" if in_file else "mmai select --explain"
            )
        return Choice(routes=(*self._session.routes(first), *self.willing(others, request)))

    async def card(self, text: str) -> ModelCard:
        """The model a user named: known ones from the registry, unknown ones on their word when the provider is configured.

        Raises:
            UnknownModel: no provider of that name is configured, and no model of that name is known.
            AmbiguousModel: a bare name fits several.
        """
        try:
            return self.known(text)
        except UnknownModel:
            await self.fresh(0.0)
            return self.known(text)

    def known(self, text: str) -> ModelCard:
        """As `card`, with nobody asked."""
        stored = self._store.read()
        names = with_declared(stored, self._session.endpoints)
        ref = resolve(names, text, providers=self._session.providers | PROVIDERS.keys())
        # Only this one is described, since the others may be hundreds.
        alone = replace(stored, models={name: card for name, card in stored.models.items() if name == str(ref)})
        if card := self._described(alone, self._session.of(ref.provider)).models.get(str(ref)):
            return card
        if not (endpoints := self._session.of(ref.provider)):
            raise UnknownModel(unconfigured(ref.provider, self._session.endpoints), hint="mmai config edit")
        return self._facts.describe(self._session.backend(endpoints[0]).assume(ref.name))

    def registry(self) -> Registry:
        """What is known, with the facts of hosted models and what the settings declare."""
        return self.described(self._store.read())

    async def fresh(self, max_age_s: float) -> Registry:
        """The same; asked for anew where the last look is older than `max_age_s`, did not cover every endpoint, or found no key
        where there is one now.
        """
        registry = self._store.read()
        oldest = self._clock.now() - max_age_s
        places = dict(zip(keys(self._session.endpoints), self._session.endpoints, strict=True))
        complete = places.keys() == registry.providers.keys() and not any(
            status.health.state == "no_key" and self._session.has_key(places[key]) for key, status in registry.providers.items()
        )
        if not complete or registry.discovered_at is None or registry.discovered_at < oldest:
            registry, _ = await discover(self._session, self._store, clock=self._clock, warn=self._warn)
        return self.described(registry)

    def described(self, registry: Registry) -> Registry:
        """A registry as it was discovered, with the facts of hosted models and what the settings declare."""
        return self._described(registry, self._session.endpoints)

    def willing(self, cards: Iterable[ModelCard], request: Request) -> Iterator[Route]:
        """The routes of those models whose adapter does not refuse the request."""
        for card in cards:
            if self.refusal(card, request) is None:
                yield from self._session.routes(card)

    def refusal(self, card: ModelCard, request: Request) -> str | None:
        """Why the model's adapter cannot take the request, or None."""
        endpoint = self._session.routes(card)[0].endpoint
        return self._session.backend(endpoint).can_handle(card, request)

    def is_library(self, card: ModelCard) -> bool:
        """Whether the model's server runs only what was downloaded to it."""
        return isinstance(self._session.backend(self._session.routes(card)[0].endpoint), Library)

    def _described(self, registry: Registry, endpoints: Iterable[Endpoint]) -> Registry:
        return with_declared(registry, endpoints, describe=self._facts.describe)
