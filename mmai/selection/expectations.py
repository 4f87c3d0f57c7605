"""What one request should take and cost on a model: measured figures first, declared ones next, stated assumptions last."""

from collections.abc import Mapping

import msgspec

from mmai.values.cost import cost_usd as charge_usd
from mmai.values.event import Usage
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.task import Modality, TaskAnalysis, TaskType

ASSUMED_BYTES_PER_SECOND = 50e9
"""Memory traffic of a laptop while decoding; every token reads all weights once."""
ASSUMED_PREFILL_SPEEDUP = 10.0
"""Prompt tokens are read in batches, so many times faster than answers are written."""
ASSUMED_LOAD_BYTES_PER_SECOND = 1e9
"""From disk into memory."""
ASSUMED_WEIGHTS_BYTES = 5e9
"""A model of unknown size that runs on one's own machines: 8 billion parameters at 4 bits."""
BYTES_PER_PARAMETER = 0.6
"""The usual 4-bit formats with their scales."""
ASSUMED_OVERHEAD_MS = 200.0
ASSUMED_CLOUD_FIRST_TOKEN_MS = 1_000.0
ASSUMED_CLOUD_MS_PER_TOKEN = 1_000 / 60
ASSUMED_CLOUD_MS_PER_INPUT_TOKEN = 0.1
ASSUMED_EMBEDDED_MS = 100.0
ASSUMED_EMBEDDED_MS_PER_INPUT_TOKEN = 0.01

PRIOR_SUCCESSES = 19.0
PRIOR_FAILURES = 1.0
"""An unknown model counts as one that answered 19 calls of 20."""

WORST_INPUT_FACTOR = 1.25
"""Prompt tokens are estimated; a promise about money allows for a quarter more."""

ASSUMED_TOKENS_PER_AUDIO_S = 16.0
WORST_TOKENS_PER_AUDIO_S = 4.0
"""Tokens are estimated from the bytes of a recording, whose length nobody has read: 1,000 bytes a token, 128 kbit/s as usual MP3s,
and at worst the 32 kbit/s of dictation."""

_MEDIA = (TaskType.IMAGE_GENERATION, TaskType.SPEECH_SYNTHESIS)
_WITHOUT_TOKENS = (TaskType.EMBEDDING, *_MEDIA)

MEMORY_PER_WEIGHT_BYTE = 1.2
"""Weights, and the cache of a conversation beside them."""


def profile_of(card: ModelCard, profiles: Mapping[str, Profile]) -> Profile | None:
    """The measured profile under the model's reference; figures it lacks come from the card's declared one."""
    measured = profiles.get(f"{card.provider}:{card.name}") if profiles else None
    declared = card.profile
    if measured is None or declared is None:
        return measured or declared
    missing = {name: getattr(declared, name) for name in measured.__struct_fields__ if getattr(measured, name) is None}
    return msgspec.structs.replace(measured, **missing)


def pace(card: ModelCard, profile: Profile | None, input_tokens: int) -> tuple[float, float, float]:
    """(milliseconds to the first token, milliseconds a token after it, milliseconds to load the weights first).

    A model that does not generate tokens takes its whole call for the first. Loading counts only where the weights are known
    not to be in memory.
    """
    if card.locality == "cloud":
        first_ms = ASSUMED_CLOUD_FIRST_TOKEN_MS + ASSUMED_CLOUD_MS_PER_INPUT_TOKEN * input_tokens
        token_ms = ASSUMED_CLOUD_MS_PER_TOKEN
        load_ms = 0.0
    elif card.locality == "embedded":
        first_ms = ASSUMED_EMBEDDED_MS + ASSUMED_EMBEDDED_MS_PER_INPUT_TOKEN * input_tokens
        token_ms = load_ms = 0.0
    else:
        weights = weights_bytes(card) or ASSUMED_WEIGHTS_BYTES
        token_ms = 1_000 * weights / ASSUMED_BYTES_PER_SECOND
        first_ms = ASSUMED_OVERHEAD_MS + token_ms * input_tokens / ASSUMED_PREFILL_SPEEDUP
        load_ms = 1_000 * weights / ASSUMED_LOAD_BYTES_PER_SECOND if card.loaded is False else 0.0
    if profile is None:
        return first_ms, token_ms, load_ms
    if load_ms and profile.cold_start_ms is not None:
        load_ms = profile.cold_start_ms
    if profile.latency_ms is not None and profile.tokens_per_second is None:
        return profile.latency_ms, 0.0, load_ms
    if profile.ttft_ms is not None:
        first_ms = profile.ttft_ms
    if profile.tokens_per_second:
        token_ms = 1_000 / profile.tokens_per_second
    return first_ms, token_ms, load_ms


def latency_ms(card: ModelCard, profile: Profile | None, analysis: TaskAnalysis) -> float:
    """Expected milliseconds of the whole request."""
    first_ms, token_ms, load_ms = pace(card, profile, analysis.context_tokens)
    return load_ms + first_ms + token_ms * analysis.output_tokens


def weights_bytes(card: ModelCard) -> float | None:
    """Size on disk, or what the parameters come to at 4 bits."""
    if card.size_bytes:
        return card.size_bytes
    return card.parameter_count * BYTES_PER_PARAMETER if card.parameter_count else None


def memory_bytes(card: ModelCard, profile: Profile | None) -> float | None:
    """What a model takes of this machine's memory: nothing where it runs elsewhere or inside mmai, None when unknown."""
    if card.locality != "local":
        return 0
    if profile is not None and profile.memory_bytes is not None:
        return profile.memory_bytes
    weights = weights_bytes(card)
    return weights * MEMORY_PER_WEIGHT_BYTE if weights else None


def success_rate(profile: Profile | None) -> float:
    """Share of calls expected to succeed: the mean of Beta(19 + successes, 1 + failures)."""
    runs, failures = (profile.runs, profile.failures) if profile is not None else (0, 0)
    return (PRIOR_SUCCESSES + runs) / (PRIOR_SUCCESSES + PRIOR_FAILURES + runs + failures)


def cost_usd(card: ModelCard, analysis: TaskAnalysis) -> float | None:
    """Expected price of the request; None when the price is not known, or how much of it the answer takes."""
    seconds = analysis.context_tokens / ASSUMED_TOKENS_PER_AUDIO_S
    longest = card.max_output_tokens
    output_tokens = analysis.output_tokens if longest is None else min(longest, analysis.output_tokens)
    return _priced(card.price, analysis, analysis.context_tokens, output_tokens, audio_s=seconds)


def longest_answer(card: ModelCard, analysis: TaskAnalysis, *, max_tokens: int | None) -> int | None:
    """The least of `max_tokens`, the model's own limit and the rest of its window, in tokens; None when none is known.

    An embedding, an image or speech has no tokens at all.
    """
    if analysis.task_type in _WITHOUT_TOKENS:
        return 0
    room = card.context_tokens - analysis.context_tokens if card.context_tokens is not None else None
    limits = [limit for limit in (max_tokens, card.max_output_tokens, room) if limit is not None]
    return max(0, min(limits)) if limits else None


def worst_cost_usd(card: ModelCard, analysis: TaskAnalysis, *, max_tokens: int | None) -> float | None:
    """The most the request can cost: the prompt and a quarter, and the longest answer.

    None when a price is unknown, or the answer has no known limit and is not free.
    """
    input_tokens = round(analysis.context_tokens * WORST_INPUT_FACTOR)
    longest = longest_answer(card, analysis, max_tokens=max_tokens)
    return _priced(card.price, analysis, input_tokens, longest, audio_s=input_tokens / WORST_TOKENS_PER_AUDIO_S)


def _priced(
    price: Price | None, analysis: TaskAnalysis, input_tokens: int, output_tokens: int | None, *, audio_s: float
) -> float | None:
    """What a usage of this kind would be charged. How many tokens an image or a voice takes is not known beforehand."""
    if price is None:
        return None
    heard = analysis.modality is Modality.AUDIO
    text, sound = price.input_usd_per_mtok, price.audio_usd_per_mtok
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=None if analysis.task_type in _MEDIA else output_tokens,
        audio_tokens=input_tokens if heard and sound is not None and (text is None or sound > text) else None,
        images=1 if analysis.task_type is TaskType.IMAGE_GENERATION else None,
        audio_s=audio_s if heard else None,
    )
    return charge_usd(usage, price)
