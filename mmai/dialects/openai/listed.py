"""An entry of `GET /models`: what each server tells of a model, in its own words, as ours.

Source: OpenRouter "Models API"; vLLM, llama.cpp and LM Studio servers; Mistral and Groq API references.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mmai.values.model import Price

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
LLAMACPP_CAPABILITIES = {"completion": "text_generation", "multimodal": "vision", "embedding": "embedding"}
PER_MILLION = 1_000_000


class Meta(Struct):
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


class Listed(Struct):
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
    meta: Meta | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """All the model can do, as far as the server says; nothing where it does not."""
        if isinstance(self.capabilities, dict):
            return _schooled(_ours(MISTRAL_CAPABILITIES, [name for name, has in self.capabilities.items() if has is True]))
        if isinstance(self.architecture, _Architecture) or self.output_modalities:
            return _of_modalities(self)
        return TYPES.get(self.type or "", ())

    @property
    def context(self) -> int | None:
        """Tokens of its window: of what runs rather than of what was trained."""
        meta = self.meta or Meta()
        named = (self.context_length, self.max_model_len, self.max_context_length, self.context_window)
        return _count(*named, meta.n_ctx, meta.n_ctx_train)

    @property
    def longest(self) -> int | None:
        """Tokens of an answer at most."""
        top = self.top_provider or _TopProvider()
        return _count(self.max_completion_tokens, self.max_output_length, top.max_completion_tokens)

    @property
    def retired(self) -> str | None:
        """The day it goes."""
        dates = (self.shutdown_date, self.deprecation, self.deprecation_date, self.expiration_date)
        return next((date for date in dates if date), None)

    @property
    def price(self) -> Price | None:
        """Told in dollars for one token, as text. A negative number means that it depends on where the request is sent on to."""
        prices = {name: _dollars(value) for name, value in (self.pricing or {}).items()}
        if prices.get("prompt") is None or prices.get("completion") is None:
            return None
        return Price(
            input_usd_per_mtok=prices["prompt"],
            output_usd_per_mtok=prices["completion"],
            cached_usd_per_mtok=prices.get("input_cache_read", prices.get("input_cache_reads")),
            cache_write_usd_per_mtok=prices.get("input_cache_write", prices.get("input_cache_writes")),
            audio_usd_per_mtok=prices.get("audio"),
        )


class Described(Struct):
    """An entry of llama.cpp's second list, in the form of Ollama."""

    name: str | None = None
    model: str | None = None
    capabilities: list[str] | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """What llama.cpp says it can do, which leaves out tools and thinking."""
        return _schooled(_ours(LLAMACPP_CAPABILITIES, self.capabilities or []))


def _of_modalities(listed: Listed) -> tuple[str, ...]:
    architecture = listed.architecture if isinstance(listed.architecture, _Architecture) else _Architecture()
    outputs = architecture.output_modalities or listed.output_modalities or ["text"]
    inputs = architecture.input_modalities or listed.input_modalities or []
    features = [*(listed.supported_parameters or ()), *(listed.supported_features or ())]
    return tuple(dict.fromkeys((*_ours(OUTPUTS, outputs), *_ours(INPUTS, inputs), *_ours(OPENROUTER_PARAMETERS, features))))


def _schooled(names: tuple[str, ...]) -> tuple[str, ...]:
    """Mistral and llama.cpp constrain the decoding themselves, so that every model that writes can keep to a schema."""
    return (*names, "json_schema") if "text_generation" in names else names


def _ours(table: Mapping[str, str], names: list[str]) -> tuple[str, ...]:
    return tuple(ours for theirs, ours in table.items() if theirs in names)


def _dollars(value: Any) -> float | None:
    try:
        price = float(value)
    except (TypeError, ValueError):
        return None
    return round(price * PER_MILLION, 6) if 0 <= price < 1 else None


def _count(*values: int | None) -> int | None:
    """The first that says something."""
    return next((value for value in values if value and value > 0), None)
