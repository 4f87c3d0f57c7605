"""Whether an endpoint answers, and what it holds in memory."""

from typing import Literal

from msgspec import Struct

HealthState = Literal["healthy", "unreachable", "unauthorized", "no_key", "failing", "unknown"]


class Health(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The latest look at one endpoint."""

    state: HealthState = "unknown"
    reason: str | None = None
    """One sentence, where the state is not `healthy`, or it is and not all that was named is to be had."""
    latency_ms: float | None = None
    """Of the probe itself."""
    version: str | None = None
    """What the server says it is."""
    checked_at: float | None = None
    """Unix seconds."""


def endpoint_key(provider: str, endpoint: str | None) -> str:
    """`provider@endpoint`, or `provider` alone where it is embedded: what health is filed under."""
    return f"{provider}@{endpoint}" if endpoint else provider


class ProviderStatus(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One configured endpoint, as `discover` found it."""

    provider: str
    endpoint: str | None
    """Base URL; None for embedded models."""
    health: Health
    models: int | None = None
    """Models it lists; None when it could not be asked."""

    @property
    def key(self) -> str:
        """Its `endpoint_key`."""
        return endpoint_key(self.provider, self.endpoint)


class Loaded(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A model whose weights are in memory."""

    name: str
    size_bytes: int | None = None
    """All of it; `vram_bytes` is the part on an accelerator."""
    vram_bytes: int | None = None
    context_tokens: int | None = None
    expires_at: str | None = None
    """When the server will let it go, as it wrote it."""
    load_ms: float | None = None
