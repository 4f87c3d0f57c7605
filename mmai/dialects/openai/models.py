"""What `GET /models` says, as cards. OpenAI itself gives names; others add facts, each in its own words.

Source: OpenAI API reference, "List models"; OpenRouter "Models API"; vLLM, llama.cpp and LM Studio servers; Mistral and Groq API
references.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.openai.errors import decode
from mmai.dialects.openai.names import capabilities_of, capability_of, is_usable
from mmai.values.model import FREE, Locality, ModelCard, Price
from mmai.values.task import Modality

OPENROUTER_PARAMETERS = {"tools": "tools", "structured_outputs": "json_schema", "reasoning": "thinking"}
MISTRAL_CAPABILITIES = {
    "completion_chat": "text_generation",
    "function_calling": "tools",
    "vision": "vision",
    "audio": "audio",
    "reasoning": "thinking",
    "audio_transcription": "speech_transcription",
    "audio_speech": "speech_synthesis",
}
LLAMACPP_CAPABILITIES = {"completion": "text_generation", "multimodal": "vision", "embedding": "embedding"}
OUTPUTS = {
    "text": "text_generation",
    "image": "image_generation",
    "audio": "speech_synthesis",
    "speech": "speech_synthesis",
    "embeddings": "embedding",
    "transcription": "speech_transcription",
}
INPUTS = {"image": "vision", "audio": "audio"}
TYPES = {
    "embedding": ("embedding",),
    "embeddings": ("embedding",),
    "image": ("image_generation",),
    "transcribe": ("speech_transcription",),
}
"""Of LM Studio and Together; `chat`, `llm` and `vlm` say too little."""
UNUSABLE_TYPES = ("moderation", "rerank", "video")
PER_MILLION = 1_000_000


class _Meta(Struct):
    """Of llama.cpp."""

    n_ctx_train: int | None = None
    n_ctx: int | None = None
    n_params: int | None = None
    size: int | None = None


class _Architecture(Struct):
    """Of OpenRouter."""

    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None


class _TopProvider(Struct):
    """Of OpenRouter."""

    max_completion_tokens: int | None = None


class _Named(Struct):
    id: str


class _Listed(Struct):
    """An entry, whoever wrote it."""

    id: str
    shutdown_date: str | None = None
    deprecation: str | None = None
    deprecation_date: str | None = None
    expiration_date: str | None = None
    context_length: int | None = None
    max_model_len: int | None = None
    max_context_length: int | None = None
    context_window: int | None = None
    max_completion_tokens: int | None = None
    max_output_length: int | None = None
    architecture: _Architecture | str | None = None
    input_modalities: list[str] | None = None
    output_modalities: list[str] | None = None
    supported_parameters: list[str] | None = None
    supported_features: list[str] | None = None
    pricing: dict[str, Any] | None = None
    top_provider: _TopProvider | None = None
    capabilities: dict[str, Any] | list[str] | None = None
    type: str | None = None
    active: bool | None = None
    meta: _Meta | None = None


class _Described(Struct):
    """An entry of llama.cpp's second list, in the form of Ollama."""

    name: str | None = None
    model: str | None = None
    capabilities: list[str] | None = None


class _List(Struct):
    data: list[msgspec.Raw]
    models: list[_Described] | None = None


def parse_models(body: bytes, *, provider: str, url: str, locality: Locality, where: str) -> list[ModelCard]:
    """The models of `GET /models` that can be used here, in the server's order, each name once.

    Raises:
        ProtocolError: it is no such list.
    """
    # Together sends the list alone.
    whole = b'{"data":%b}' % body if body.lstrip().startswith(b"[") else body
    answer = decode(whole, _List, where=where, what="its list of models")
    described = {name: entry for entry in answer.models or () for name in (entry.name, entry.model) if name}
    cards: dict[str, ModelCard] = {}
    for entry in answer.data:
        listed = _read(entry, where=where)
        if listed.active is not False and listed.type not in UNUSABLE_TYPES and (provider != "openai" or is_usable(listed.id)):
            cards.setdefault(listed.id, _card(listed, described, provider=provider, url=url, locality=locality))
    return list(cards.values())


def _read(entry: msgspec.Raw, *, where: str) -> _Listed:
    """An entry; where a fact in it has a form nobody knows, its name alone."""
    try:
        return msgspec.json.decode(entry, type=_Listed)
    except msgspec.ValidationError:
        return _Listed(decode(bytes(entry), _Named, where=where, what="its list of models").id)


def assumed(name: str, *, provider: str, locality: Locality) -> ModelCard:
    """The card of a model nobody has listed."""
    return ModelCard(
        provider=provider,
        name=name,
        locality=locality,
        capabilities=capabilities_of(name, provider),
        capabilities_guessed=True,
        price=FREE if locality == "local" else None,
    )


def _card(listed: _Listed, described: Mapping[str, _Described], *, provider: str, url: str, locality: Locality) -> ModelCard:
    told = _told_capabilities(listed)
    capabilities = told or _served_capabilities(described.get(listed.id)) or capabilities_of(listed.id, provider)
    meta = listed.meta or _Meta()
    context = (listed.context_length, listed.max_model_len, listed.max_context_length, listed.context_window, meta.n_ctx)
    most = (
        listed.max_completion_tokens,
        listed.max_output_length,
        (listed.top_provider or _TopProvider()).max_completion_tokens,
    )
    retired = (listed.shutdown_date, listed.deprecation, listed.deprecation_date, listed.expiration_date)
    return ModelCard(
        provider=provider,
        name=listed.id,
        endpoints=(url,),
        locality=locality,
        capabilities=capabilities,
        # A name that speaks of one thing is as good as told.
        capabilities_guessed=not told and capability_of(listed.id) is None,
        inputs=(
            Modality.TEXT,
            *(m for m, name in ((Modality.IMAGE, "vision"), (Modality.AUDIO, "audio")) if name in capabilities),
        ),
        context_tokens=_count(*context, meta.n_ctx_train),
        max_output_tokens=_count(*most),
        size_bytes=meta.size,
        parameter_count=meta.n_params,
        price=FREE if locality == "local" else _price(listed.pricing),
        deprecated=next((date for date in retired if date), None),
    )


def _told_capabilities(listed: _Listed) -> tuple[str, ...]:
    """All the model can do, as far as the server says; nothing where it does not."""
    if isinstance(listed.capabilities, dict):
        return _schooled(_ours(MISTRAL_CAPABILITIES, [name for name, has in listed.capabilities.items() if has is True]))
    if isinstance(listed.architecture, _Architecture) or listed.output_modalities:
        return _of_modalities(listed)
    return TYPES.get(listed.type or "", ())


def _served_capabilities(described: _Described | None) -> tuple[str, ...]:
    """What llama.cpp says, which leaves out tools and thinking."""
    return _schooled(_ours(LLAMACPP_CAPABILITIES, described.capabilities or [])) if described else ()


def _schooled(names: tuple[str, ...]) -> tuple[str, ...]:
    """Mistral and llama.cpp constrain the decoding themselves, so that every model that writes can keep to a schema."""
    return (*names, "json_schema") if "text_generation" in names else names


def _of_modalities(listed: _Listed) -> tuple[str, ...]:
    architecture = listed.architecture if isinstance(listed.architecture, _Architecture) else _Architecture()
    outputs = architecture.output_modalities or listed.output_modalities or ["text"]
    inputs = architecture.input_modalities or listed.input_modalities or []
    features = [*(listed.supported_parameters or ()), *(listed.supported_features or ())]
    return tuple(dict.fromkeys((*_ours(OUTPUTS, outputs), *_ours(INPUTS, inputs), *_ours(OPENROUTER_PARAMETERS, features))))


def _ours(table: Mapping[str, str], names: list[str]) -> tuple[str, ...]:
    return tuple(ours for theirs, ours in table.items() if theirs in names)


def _price(pricing: Mapping[str, Any] | None) -> Price | None:
    """Dollars for one token, as text. A negative number means that it depends on where the request is sent on to."""
    prices = {name: _dollars(value) for name, value in (pricing or {}).items()}
    if prices.get("prompt") is None or prices.get("completion") is None:
        return None
    return Price(
        input_usd_per_mtok=prices["prompt"],
        output_usd_per_mtok=prices["completion"],
        cached_usd_per_mtok=prices.get("input_cache_read", prices.get("input_cache_reads")),
        cache_write_usd_per_mtok=prices.get("input_cache_write", prices.get("input_cache_writes")),
        audio_usd_per_mtok=prices.get("audio"),
    )


def _dollars(value: Any) -> float | None:
    try:
        price = float(value)
    except (TypeError, ValueError):
        return None
    return round(price * PER_MILLION, 6) if 0 <= price < 1 else None


def _count(*values: int | None) -> int | None:
    """The first that says something."""
    return next((value for value in values if value and value > 0), None)
