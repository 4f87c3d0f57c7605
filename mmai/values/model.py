"""What is known of a model: its reference, its card, its price, and how it has performed."""

from typing import Literal, Self

from msgspec import Struct

from mmai.errors import UsageError
from mmai.values.package import Package
from mmai.values.task import Modality, TaskType

Locality = Literal["embedded", "local", "network", "cloud"]
"""Where the weights run: inside mmai, on this machine, on a machine of one's own network, at a provider's."""


class ModelRef(Struct, frozen=True, order=True):
    """`provider:name`, split at the first colon: `ollama:gemma3:4b`."""

    provider: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `provider:name`.

        Raises:
            UsageError: there is no colon, a side of it is empty, or there is a control character, or white space in what is no
                path.
        """
        provider, colon, name = text.partition(":")
        spaced = " " in provider or (" " in name and "/" not in name)
        if not (provider and colon and name) or spaced or not text.isprintable():
            raise UsageError(
                f"`{text}` is not a model reference, which is `provider:name` as in `ollama:gemma3:4b`",
                hint="mmai models",
            )
        return cls(provider, name)

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}"


class LongContextPrice(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a whole request costs once its prompt has more than `above_tokens` tokens."""

    above_tokens: int
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cached_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None


class Price(Struct, frozen=True, omit_defaults=True):
    """US dollars for one million tokens. None is unknown, and never means free."""

    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cached_usd_per_mtok: float | None = None
    """Input tokens the provider had in its cache."""
    cache_write_usd_per_mtok: float | None = None
    """Input tokens the provider put into its cache; None where that costs no more than reading them."""
    audio_usd_per_mtok: float | None = None
    """Input tokens that are sound; None where they cost the same as text."""
    image_usd: float | None = None
    """One generated image, the tokens it is made of included."""
    audio_usd_per_s: float | None = None
    """One second of sound that is transcribed, in place of a price for its tokens."""
    long_context: LongContextPrice | None = None
    reason: str | None = None
    """Why the price is what it is, such as `runs on this machine`."""
    source: str | None = None
    """The page or file it was read from; None where the provider itself or the settings tell it."""
    read_on: str | None = None
    """The day it was read, `2026-11-22`."""


FREE = Price(input_usd_per_mtok=0.0, output_usd_per_mtok=0.0, cached_usd_per_mtok=0.0, reason="runs on this machine")


class Profile(Struct, frozen=True, omit_defaults=True):
    """How a model performs on this machine. None is not measured."""

    ttft_ms: float | None = None
    """Milliseconds from sending the request to the first token, median."""
    tokens_per_second: float | None = None
    """Decoding speed after the first token, median."""
    latency_ms: float | None = None
    """Milliseconds for one whole call, of a model that does not generate tokens, median."""
    cold_start_ms: float | None = None
    memory_bytes: int | None = None
    runs: int = 0
    """Calls the figures rest on; 0 when a person declared them."""
    failures: int = 0
    """Calls, beside `runs`, that failed for a reason of the model's or its server's own."""
    updated_at: float | None = None
    """Unix seconds of the latest observation."""


class ModelCard(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One model as its provider, the catalogue and the user's settings describe it together. None is unknown."""

    provider: str
    name: str
    endpoints: tuple[str, ...] = ()
    """Base URLs that offer it, best first; empty for embedded models."""
    locality: Locality = "cloud"
    capabilities: tuple[str, ...] = ("text_generation",)
    """What it can technically do: text_generation, embedding, vision, audio, tools, thinking, json_schema, insert,
    image_generation, speech_synthesis, speech_transcription, image_classification, text_classification, audio_classification. A
    required one is a hard filter."""
    capabilities_guessed: bool = False
    """Nobody said what it can do: an automatic choice goes by `capabilities`, and a user who names it is not contradicted."""
    tasks: tuple[TaskType, ...] = ()
    """Task types it is declared good at; empty says nothing. A preference, never a filter, unless `only_tasks`."""
    only_tasks: bool = False
    """It can do `tasks` and nothing else (an embedded summariser, an image classifier); with no tasks it is a baseline, which
    runs when it is named and is never chosen."""
    inputs: tuple[Modality, ...] = (Modality.TEXT,)
    context_tokens: int | None = None
    """Input and output together, as the provider counts them."""
    max_output_tokens: int | None = None
    api: str | None = None
    """Which of its provider's protocols it needs, where there are several: `responses`; None is the usual one."""
    size_bytes: int | None = None
    """Weights on disk."""
    parameter_count: int | None = None
    quantization: str | None = None
    family: str | None = None
    digest: str | None = None
    price: Price | None = None
    profile: Profile | None = None
    """Figures a person declared in the settings; measured ones live in the registry and win."""
    loaded: bool | None = None
    """Weights in memory when last discovered."""
    deprecated: str | None = None
    """The date or reason, when its provider retires it."""
    problem: str | None = None
    """Why it cannot be run as it is, such as `weights are missing`; one sentence."""
    package: Package | None = None
    """Its files, where it is one on this machine that mmai runs itself."""
    source: Literal["discovered", "configured"] = "discovered"

    @property
    def ref(self) -> ModelRef:
        """`provider:name`."""
        return ModelRef(self.provider, self.name)
