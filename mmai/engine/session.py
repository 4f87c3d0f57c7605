"""The adapters in use: each endpoint opened once, shared, and closed together."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from mmai import backends
from mmai.backends.base import Backend
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard


class Route(Struct, frozen=True):
    """A model at one of the endpoints that offer it."""

    card: ModelCard
    endpoint: Endpoint


class Session:
    """Every configured endpoint; adapters are opened when first asked for."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._open: dict[tuple[str, str | None], Backend] = {}

    @property
    def providers(self) -> frozenset[str]:
        """The names before the colon."""
        return frozenset(endpoint.provider for endpoint in self.endpoints)

    @property
    def names(self) -> str:
        """The providers for a sentence."""
        return ", ".join(f"`{name}`" for name in sorted(self.providers))

    def backend(self, endpoint: Endpoint) -> Backend:
        """The adapter of an endpoint.

        Raises:
            ConfigError: no adapter speaks its kind.
        """
        key = (endpoint.provider, endpoint.url)
        if key not in self._open:
            self._open[key] = backends.load(endpoint)
        return self._open[key]

    def of(self, provider: str) -> tuple[Endpoint, ...]:
        """The endpoints of one provider, in the settings' order."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.provider == provider)

    def routes(self, card: ModelCard) -> list[Route]:
        """Where a model can be called: the endpoints it was seen at, or all of its provider's when that is not known."""
        of_provider = self.of(card.provider)
        seen = [endpoint for endpoint in of_provider if endpoint.url in card.endpoints]
        return [Route(card, endpoint) for endpoint in seen or of_provider]

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
