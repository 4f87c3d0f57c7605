"""The endpoints the settings name: each with its address, waiting times, declared models, and the keys it may be sent."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from mmai.settings.coreml import places
from mmai.settings.hosts import host_of, is_private, proxied
from mmai.settings.providers import PROVIDERS, is_own_site
from mmai.settings.schema import BackendSettings, DeclaredModel, Settings
from mmai.values.endpoint import NO_KEY, Endpoint, KeyRule, Timeouts
from mmai.values.model import Locality, ModelCard
from mmai.values.service import Service, served
from mmai.values.url import is_loopback

T = TypeVar("T")

EMBEDDED = ("builtin", "coreml")
"""Kinds that run inside mmai and know no keys."""

SERVICE_FIRST_TOKEN_S = 120.0
"""How long a company's service, which loads no model for us, is waited for; some think for a minute before their first word."""

ADAPTER_KEYS = ("keep_alive", "executor", "compute_units", "load_timeout_ms", "predict_timeout_ms")
"""Fields that only the adapter understands; they travel in `Endpoint.options`."""


def endpoints(settings: Settings, *, env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """`builtin`, then every provider in the order of the settings, one endpoint for each of its addresses; and `coreml`.

    No key is looked up here: `Endpoint.key_rule` says which may be sent, and whoever opens the endpoint asks.
    """
    found = [Endpoint(provider="builtin", kind="builtin", key_rule=NO_KEY)]
    backends = {**settings.backends, "coreml": settings.backends.get("coreml", BackendSettings())}
    for provider, backend in backends.items():
        kind = backend.kind or (PROVIDERS[provider].kind if provider in PROVIDERS else provider)
        for place, url in enumerate(backend.endpoints or (PROVIDERS[kind].url if kind in PROVIDERS else None,)):
            region, cost = _at(backend.regions, place), _at(backend.costs, place)
            for credential, keyed in enumerate(_keyed(backend)):
                endpoint = _endpoint(provider, kind, url, keyed, settings, env=env)
                found.append(replace(endpoint, credential=credential, region=region, cost=cost))
    return tuple(found)


def _at(given: tuple[T, ...], place: int) -> T | None:
    return given[place] if place < len(given) else None


def _keyed(backend: BackendSettings) -> list[BackendSettings]:
    """The backend as it is, or with each of its several keys."""
    return [replace(backend, api_key=key) for key in backend.api_keys] or [backend]


def _endpoint(
    provider: str, kind: str, url: str | None, backend: BackendSettings, settings: Settings, *, env: Mapping[str, str]
) -> Endpoint:
    service = _service(backend)
    foreign = _chosen_by_project(provider, settings) and not (url and is_loopback(url) and not _is_cloud(provider))
    return Endpoint(
        provider=provider,
        kind=kind,
        url=url,
        key_rule=_foreign_rule(provider) if foreign else _key_rule(provider, kind, url, backend, settings),
        headers=_headers(provider, backend, settings, foreign=foreign),
        timeouts=(waits := _timeouts(provider, url, backend)),
        model_timeouts={model.card.name: replace(waits, **model.timeouts) for model in backend.models if model.timeouts},
        max_parallel=backend.max_parallel or _server_parallel(kind, url, env),
        proxied=proxied(url, env) if url else False,
        locality=locality(provider, url),
        models=tuple(_card(model, provider, url, service) for model in backend.models),
        options=_options(backend, service) | (places(provider, backend, settings, env=env) if kind == "coreml" else {}),
    )


def _chosen_by_project(provider: str, settings: Settings) -> bool:
    """Whether somebody's repository decided where calls of this provider go, or what they do there."""
    keys = ("endpoints", "kind", "request", "auth", "health")
    return any(settings.origin(f"backends.{provider}.{key}").source == "project" for key in keys)


def _headers(provider: str, backend: BackendSettings, settings: Settings, *, foreign: bool) -> dict[str, str]:
    """Headers can hold keys too: the user's own do not follow where a project file sends calls."""
    mine = settings.origin(f"backends.{provider}.headers").source != "project"
    return {} if foreign and mine else backend.headers


def _foreign_rule(provider: str) -> KeyRule:
    return replace(NO_KEY, missing=f"a project file chose where calls to `{provider}` go, so no key of yours is sent there")


def _key_rule(provider: str, kind: str, url: str | None, backend: BackendSettings, settings: Settings) -> KeyRule:
    """Everything the user has, except that a key goes only where it was meant to.

    One kept for a known provider goes to that provider's own site. One in the settings goes to the address the settings have,
    and not to one that a variable put in its place: who sets the address there sets the key there too.
    """
    if kind in EMBEDDED:
        return NO_KEY
    strange = _is_cloud(provider) and not is_own_site(provider, url)
    diverted = strange and settings.origin(f"backends.{provider}.endpoints").source == "environment"
    local_ollama = url is not None and is_loopback(url) and kind == "ollama"
    return KeyRule(
        configured=None if diverted else backend.api_key,
        command=None if diverted else backend.key_cmd,
        # A local Ollama takes no key: asking the key file first would only delay every run.
        stored=not strange and not local_ollama,
        missing=f"keys kept for `{provider}` are not sent to `{host_of(url or '')}`" if strange else backend.api_key_missing,
        required=_is_cloud(provider) and not strange,
    )


def _server_parallel(kind: str, url: str | None, env: Mapping[str, str]) -> int | None:
    """How many calls Ollama on this machine answers at a time, where the variable it reads itself says so."""
    number = env.get("OLLAMA_NUM_PARALLEL", "").strip()
    local = kind == "ollama" and url is not None and is_loopback(url)
    return int(number) if local and number.isascii() and number.isdecimal() and int(number) > 0 else None


def _timeouts(provider: str, url: str | None, backend: BackendSettings) -> Timeouts:
    given: dict[str, float] = {"first_token_s": SERVICE_FIRST_TOKEN_S} if locality(provider, url) == "cloud" else {}
    if backend.timeout_ms is not None:
        given |= {"first_token_s": backend.timeout_ms / 1000, "stall_s": backend.timeout_ms / 1000}
    for name in ("connect", "first_token", "stall", "total"):
        if (ms := getattr(backend, f"{name}_timeout_ms")) is not None:
            given[f"{name}_s"] = ms / 1000
    return Timeouts(**given)


def _card(model: DeclaredModel, provider: str, url: str | None, service: Service | None) -> ModelCard:
    card = replace(model.card, provider=provider, endpoints=(url,) if url else (), locality=locality(provider, url))
    return card if service is None else served(card, service)


def locality(provider: str, url: str | None) -> Locality:
    """Where the weights behind an address run, as far as provider and address tell.

    A company's service stays one behind an address on this machine, where a proxy may pass everything on.
    """
    if _is_cloud(provider):
        return "cloud"
    if url is None or is_loopback(url):
        return "local"
    return "network" if is_private(host_of(url)) else "cloud"


def _is_cloud(provider: str) -> bool:
    return provider in PROVIDERS and PROVIDERS[provider].is_cloud


def _service(backend: BackendSettings) -> Service | None:
    if backend.request is None or backend.response is None:
        return None
    return Service(request=backend.request, response=backend.response, auth=backend.auth or "bearer", health=backend.health)


def _options(backend: BackendSettings, service: Service | None) -> dict[str, Any]:
    """Free keys, then the adapter's own."""
    own = {name: value for name in ADAPTER_KEYS if (value := getattr(backend, name)) is not None}
    return {**backend.options, **own, **({"service": service} if service else {})}
