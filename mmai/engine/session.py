"""The adapters in use: each endpoint opened once, shared, and closed together."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from mmai import backends
from mmai.backends.base import Backend
from mmai.errors import AuthError, UsageError
from mmai.settings.providers import PROVIDERS
from mmai.values.endpoint import Endpoint, Secret, Timeouts, key_variables
from mmai.values.model import ModelCard

FindKey = Callable[[Endpoint], Secret | None]
"""The credential for an endpoint, or None where it needs none or there is none."""


class Route(Struct, frozen=True):
    """A model at one of the endpoints that offer it."""

    card: ModelCard
    endpoint: Endpoint


class Session:
    """Every configured endpoint; adapters are opened, and their keys found, when first asked for."""

    def __init__(self, endpoints: Sequence[Endpoint], *, find_key: FindKey) -> None:
        self.endpoints = tuple(endpoints)
        self._find_key = find_key
        self._routes: dict[str, list[Route]] = {}
        """Of the models that were asked about last, by name: many requests go to the same ones."""
        self._open: dict[tuple[str, str | None, int, Timeouts], Backend] = {}

    @property
    def providers(self) -> frozenset[str]:
        """The names before the colon."""
        return frozenset(endpoint.provider for endpoint in self.endpoints)

    def backend(self, endpoint: Endpoint) -> Backend:
        """The adapter of an endpoint.

        Raises:
            ConfigError: no adapter speaks its kind.
            AuthError: the key that was found cannot be one, or the command that gives it failed.
        """
        key = (endpoint.provider, endpoint.url, endpoint.credential, endpoint.timeouts)
        if key not in self._open:
            self._open[key] = backends.load(replace(endpoint, key=self._find_key(endpoint)))
        return self._open[key]

    def has_key(self, endpoint: Endpoint) -> bool:
        """Whether there is something that should be its key now."""
        try:
            return self._find_key(endpoint) is not None
        except AuthError:
            return True  # whoever opens it will say what is wrong with it

    def over(self, endpoints: Sequence[Endpoint]) -> "Session":
        """A session of its own over other endpoints, with the same keys."""
        return Session(endpoints, find_key=self._find_key)

    def of(self, provider: str) -> tuple[Endpoint, ...]:
        """The endpoints of one provider, in the settings' order."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.provider == provider)

    def routes(self, card: ModelCard) -> list[Route]:
        """Where a model can be called: the endpoints it was seen at, or all of its provider's when that is not known."""
        known = self._routes.get(card.name)
        if not known or known[0].card is not card:
            of_provider = self.of(card.provider)
            seen = [endpoint for endpoint in of_provider if endpoint.url in card.endpoints]
            known = self._routes[card.name] = [Route(card, _timed(endpoint, card.name)) for endpoint in seen or of_provider]
        return list(known)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every adapter that was opened."""
        while self._open:
            _, backend = self._open.popitem()
            await backend.aclose()


def _timed(endpoint: Endpoint, model: str) -> Endpoint:
    """The endpoint with the waiting times of a model that has its own."""
    own = endpoint.model_timeouts.get(model)
    return endpoint if own is None else replace(endpoint, timeouts=own)


def demand_configured(providers: Iterable[str], endpoints: Sequence[Endpoint]) -> None:
    """Hold what a user typed to the providers there are.

    Raises:
        UsageError: one of `providers` has no endpoint.
    """
    configured = {endpoint.provider for endpoint in endpoints}
    if unknown := [name for name in providers if name not in configured]:
        raise UsageError(unconfigured(unknown[0], endpoints), hint="mmai config edit")


def unconfigured(provider: str, endpoints: Sequence[Endpoint]) -> str:
    """That there is no such provider, and which there are; of a known name, what would bring it in."""
    if (known := PROVIDERS.get(provider)) is not None:
        by_key = f"`{key_variables(provider)[0]}` is not set, and " if known.is_cloud else ""
        return f"`{provider}` is not configured: {by_key}the settings have no `{provider}:` under `backends`"
    names = ", ".join(f"`{name}`" for name in sorted({endpoint.provider for endpoint in endpoints}))
    return f"no provider `{provider}` is configured: there are {names}"
