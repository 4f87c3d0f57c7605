"""What Ollama says of its models, as cards."""

from typing import Any

from msgspec import Struct

from mmai.dialects.ollama.errors import decode
from mmai.values.health import Loaded
from mmai.values.model import FREE, Locality, ModelCard
from mmai.values.task import Modality
from mmai.values.url import is_loopback

CAPABILITIES = {"completion": "text_generation", "image": "image_generation"}
"""Ollama's names where they are not ours; source: `types/model/capability.go`."""
MAGNITUDES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
CLOUD_HOSTS = ("https://ollama.com", "https://www.ollama.com", "https://api.ollama.com")


class _Details(Struct):
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None
    context_length: int | None = None


class _Facts(Struct):
    """What tags and show share."""

    details: _Details | None = None
    capabilities: list[str] | None = None
    remote_host: str | None = None
    remote_model: str | None = None


class Listed(_Facts, kw_only=True):
    """An entry of `GET /api/tags`."""

    name: str
    size: int | None = None
    digest: str | None = None


class Shown(_Facts):
    """The answer of `POST /api/show`."""

    model_info: dict[str, Any] | None = None


class _Tags(Struct):
    models: list[Listed] | None


class _Running(Struct):
    name: str
    size: int | None = None
    size_vram: int | None = None
    context_length: int | None = None
    expires_at: str | None = None


class _Ps(Struct):
    models: list[_Running] | None


class _Version(Struct):
    version: str


def parse_tags(body: bytes, *, where: str) -> list[Listed]:
    """The models of `GET /api/tags`."""
    return decode(body, _Tags, where=where, what="its list of models").models or []


def parse_show(body: bytes, *, where: str) -> Shown:
    """The facts of `POST /api/show`."""
    return decode(body, Shown, where=where, what="a model's facts")


def parse_ps(body: bytes, *, where: str) -> list[Loaded]:
    """The models in memory, of `GET /api/ps`."""
    return [
        Loaded(
            name=model.name,
            size_bytes=model.size,
            vram_bytes=model.size_vram,
            context_tokens=model.context_length,
            expires_at=model.expires_at,
        )
        for model in decode(body, _Ps, where=where, what="its models in memory").models or []
    ]


def parse_version(body: bytes, *, where: str) -> str:
    """The version of `GET /api/version`."""
    return decode(body, _Version, where=where, what="its version").version


def full_name(name: str) -> str:
    """The name with the tag that is implied: `llama3.2` is `llama3.2:latest`."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def needs_show(listed: Listed) -> bool:
    """Whether the list leaves out what selection needs, as older servers do."""
    return not (listed.capabilities and listed.details and listed.details.context_length)


def as_card(listed: Listed, shown: Shown | None, *, provider: str, url: str, loaded: bool | None) -> ModelCard:
    """One model of the server at `url`."""
    details = listed.details or (shown.details if shown else None) or _Details()
    info = (shown.model_info if shown else None) or {}
    locality = _locality(listed, shown, url)
    capabilities = _capabilities(listed, shown, details)
    return ModelCard(
        provider=provider,
        name=listed.name,
        endpoints=(url,),
        locality=locality,
        capabilities=capabilities,
        inputs=_inputs(capabilities),
        context_tokens=_count(info.get(f"{info.get('general.architecture')}.context_length")) or details.context_length,
        # What lies here of a model that runs elsewhere is a stub of some hundred bytes.
        size_bytes=None if locality == "cloud" else listed.size,
        parameter_count=_count(info.get("general.parameter_count")) or _parameters(details.parameter_size or ""),
        quantization=details.quantization_level or None,
        family=details.family or None,
        digest=listed.digest or None,
        price=None if locality == "cloud" else FREE,
        loaded=None if locality == "cloud" else loaded,
    )


def _locality(listed: Listed, shown: Shown | None, url: str) -> Locality:
    tag = listed.name.rpartition(":")[2]
    remote = listed.remote_host or listed.remote_model or (shown and (shown.remote_host or shown.remote_model))
    if remote or tag == "cloud" or tag.endswith("-cloud") or url.startswith(CLOUD_HOSTS):
        return "cloud"
    return "local" if is_loopback(url) else "network"


def _capabilities(listed: Listed, shown: Shown | None, details: _Details) -> tuple[str, ...]:
    names = listed.capabilities or (shown.capabilities if shown else None)
    if not names:
        # Servers before 0.6.4 name none; the BERT families are their embedding models.
        names = ["embedding"] if "bert" in (details.family or "") else ["completion"]
    ours = [CAPABILITIES.get(name, name) for name in names]
    # Ollama constrains the decoding itself, so that every model that writes can keep to a schema.
    return (*ours, "json_schema") if "text_generation" in ours else tuple(ours)


def _inputs(capabilities: tuple[str, ...]) -> tuple[Modality, ...]:
    extra = {"vision": Modality.IMAGE, "audio": Modality.AUDIO}
    return (Modality.TEXT, *(modality for name, modality in extra.items() if name in capabilities))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _parameters(text: str) -> int | None:
    """`7.6B` as a number."""
    try:
        return round(float(text[:-1]) * MAGNITUDES[text[-1:].upper()])
    except (ValueError, KeyError):
        return None
