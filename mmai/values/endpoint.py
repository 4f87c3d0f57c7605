"""Where a provider is reached, with which credential, and how long to wait for it."""

from typing import Any

from msgspec import Struct

from mmai.values.model import Locality, ModelCard


def is_provider_name(text: str) -> bool:
    """Lower-case ASCII letters, digits, `-` and `_`, beginning with a letter: what may stand before the colon of a reference."""
    return text.isascii() and text[:1].isalpha() and text == text.lower() and text.replace("-", "").replace("_", "").isalnum()


VARIABLES = {"google": ("GOOGLE_API_KEY", "GEMINI_API_KEY")}
"""Providers whose variable is not simply `<NAME>_API_KEY`."""


def key_variables(provider: str) -> tuple[str, ...]:
    """The variables of the environment that may hold the provider's key; the first that is set wins."""
    return VARIABLES.get(provider, (f"{provider.upper().replace('-', '_')}_API_KEY",))


class Secret:
    """A credential that cannot be printed by accident: `repr`, `str`, JSON and tracebacks show asterisks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself, for the one header it goes into."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('****')"

    __str__ = __repr__


class KeyRule(Struct, frozen=True, kw_only=True):
    """Which keys may be sent to an endpoint, decided by who chose its address. The default lets every source through."""

    configured: Secret | None = None
    """The key written in the settings."""
    command: str | None = None
    """A command whose first line of output is the key."""
    environment: bool = True
    """The provider's own variable may be used."""
    stored: bool = True
    """Keys kept by `mmai keys set` may be used."""
    missing: str | None = None
    """Why there is no key in the settings, or why none may be sent; one sentence."""
    required: bool = False
    """The address is the provider's own, which answers nobody without a key."""


NO_KEY = KeyRule(environment=False, stored=False)


class Timeouts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How long one call may be silent, in seconds. The whole request's deadline is the engine's."""

    connect_s: float = 5.0
    first_token_s: float = 300.0
    """From sending to the first byte of the answer; long enough for a local server to load a large model."""
    stall_s: float = 60.0
    """Between two reads of an answer that has begun."""
    total_s: float | None = None
    """One whole call; None leaves that to the deadline of the request."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One place to call: a row of the settings with everything an adapter needs."""

    provider: str
    """The name before the colon of a reference; several endpoints may share it."""
    kind: str
    """Which adapter speaks to it: `ollama`, `builtin`, or the name of a `mmai.backends` entry point."""
    url: str | None = None
    """Base URL without a trailing slash, user name or password; None for embedded models."""
    locality: Locality = "local"
    """Where the weights behind it run, as far as its name and address tell."""
    credential: int = 0
    """Which of several keys for the same address it is called with, counted from 0."""
    region: str | None = None
    """Where it stands, as the settings call that."""
    cost: float | None = None
    """What a call costs here beside the other endpoints of its provider, in any unit."""
    max_parallel: int | None = None
    """Most calls at a time that it may be given."""
    key: Secret | None = None
    key_rule: KeyRule = KeyRule()
    """Where `key` may be looked for when the endpoint is opened; a key command is never run before."""
    headers: dict[str, str] = {}
    timeouts: Timeouts = Timeouts()
    model_timeouts: dict[str, Timeouts] = {}
    """Of models that have times of their own, by name."""
    proxied: bool = False
    """The environment names a proxy for hosts like this one."""
    models: tuple[ModelCard, ...] = ()
    """What the settings declare of its models."""
    options: dict[str, Any] = {}
    """Keys of the settings that are this adapter's own."""
