"""The endpoints the settings name: each with its address, waiting times, declared models, and the keys it may be sent."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mmai.settings.hosts import host_of, is_private, proxied
from mmai.settings.schema import OLLAMA_URL, BackendSettings, DeclaredModel, Settings
from mmai.values.endpoint import NO_KEY, Endpoint, KeyRule, Timeouts
from mmai.values.model import Locality, ModelCard
from mmai.values.url import is_loopback

HOSTED = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Providers whose address needs no setting."""

DEFAULT_URLS = {**HOSTED, "ollama": OLLAMA_URL}

EMBEDDED = ("builtin", "coreml")
"""Kinds that run inside mmai and know no keys."""

ADAPTER_KEYS = ("keep_alive", "compute_units", "cache_dir", "directories")
"""Fields that only the adapter understands; they travel in `Endpoint.options`."""


def endpoints(settings: Settings, *, env: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """`builtin`, then every provider in the order of the settings, one endpoint for each of its addresses.

    No key is looked up here: `Endpoint.key_rule` says which may be sent, and whoever opens the endpoint asks.
    """
    found = [Endpoint(provider="builtin", kind="builtin", key_rule=NO_KEY)]
    for provider, backend in settings.backends.items():
        kind = backend.kind or provider
        for url in backend.endpoints or (DEFAULT_URLS.get(kind),):
            found.append(_endpoint(provider, kind, url, backend, settings, env=env))
    return tuple(found)


def _endpoint(
    provider: str, kind: str, url: str | None, backend: BackendSettings, settings: Settings, *, env: Mapping[str, str]
) -> Endpoint:
    foreign = _chosen_by_project(provider, settings) and not (url and is_loopback(url))
    return Endpoint(
        provider=provider,
        kind=kind,
        url=url,
        key_rule=_foreign_rule(provider) if foreign else _key_rule(provider, kind, url, backend),
        headers=_headers(provider, backend, settings, foreign=foreign),
        timeouts=_timeouts(backend),
        proxied=proxied(url, env) if url else False,
        models=tuple(_card(model, provider, url) for model in backend.models),
        options=_options(backend),
    )


def _chosen_by_project(provider: str, settings: Settings) -> bool:
    """Whether somebody's repository decided where calls of this provider go."""
    keys = (f"backends.{provider}.endpoints", f"backends.{provider}.kind")
    return any(settings.origin(key).source == "project" for key in keys)


def _headers(provider: str, backend: BackendSettings, settings: Settings, *, foreign: bool) -> dict[str, str]:
    """Headers can hold keys too: the user's own do not follow where a project file sends calls."""
    mine = settings.origin(f"backends.{provider}.headers").source != "project"
    return {} if foreign and mine else backend.headers


def _foreign_rule(provider: str) -> KeyRule:
    return replace(NO_KEY, missing=f"a project file chose where calls to `{provider}` go, so no key of yours is sent there")


def _key_rule(provider: str, kind: str, url: str | None, backend: BackendSettings) -> KeyRule:
    """Everything the user has, except that a key stored for a well-known provider goes to that provider or stays here."""
    if kind in EMBEDDED:
        return NO_KEY
    local = url is not None and is_loopback(url)
    strange = provider in HOSTED and url is not None and not local and _site(url) != _site(HOSTED[provider])
    return KeyRule(
        configured=backend.api_key,
        command=backend.key_cmd,
        # A local Ollama takes no key: asking the key file first would only delay every run.
        stored=not strange and not (local and kind == "ollama"),
        missing=backend.api_key_missing,
    )


def _site(url: str) -> str:
    """Scheme, host and port as written."""
    return "/".join(url.split("/", 3)[:3])


def _timeouts(backend: BackendSettings) -> Timeouts:
    given: dict[str, float] = {}
    if backend.connect_timeout_ms is not None:
        given["connect_s"] = backend.connect_timeout_ms / 1000
    if backend.timeout_ms is not None:
        given |= {"first_token_s": backend.timeout_ms / 1000, "stall_s": backend.timeout_ms / 1000}
    return Timeouts(**given)


def _card(model: DeclaredModel, provider: str, url: str | None) -> ModelCard:
    return replace(model.card, provider=provider, endpoints=(url,) if url else (), locality=locality(url))


def locality(url: str | None) -> Locality:
    """Where the weights behind an address run, as far as the address tells."""
    if url is None or is_loopback(url):
        return "local"
    return "network" if is_private(host_of(url)) else "cloud"


def _options(backend: BackendSettings) -> dict[str, Any]:
    """Free keys, then the adapter's own; files of models under `files`, by the model's name."""
    own = {name: value for name in ADAPTER_KEYS if (value := getattr(backend, name)) not in (None, ())}
    files = {model.card.name: _file(model) for model in backend.models if model.path is not None}
    return {**backend.options, **own, **({"files": files} if files else {})}


def _file(model: DeclaredModel) -> dict[str, Any]:
    return {"path": model.path, "input_shape": model.input_shape, "output_shape": model.output_shape}
