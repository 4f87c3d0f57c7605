"""What one request should take and cost on a model: measured figures first, declared ones next, stated assumptions last."""

from collections.abc import Mapping
from typing import NamedTuple

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

ASSUMED_RUNS = 1.0
"""Calls that an assumed speed weighs as much as."""
HALF_LIFE_S = 30 * 86_400.0
"""After a month without a call, what was measured counts half."""

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


class Speed(NamedTuple):
    """How long a model takes, in milliseconds."""

    load_ms: float
    """Of weights that are known not to be in memory."""
    first_ms: float
    """To the first token of an answer to an empty prompt; the whole call of a model that does not generate tokens."""
    input_token_ms: float
    """Longer, for each token of the prompt."""
    token_ms: float
    """For each token of the answer."""
    known: bool
    """It was measured or declared, or follows from where the model runs or how large it is."""


def speed(card: ModelCard, profile: Profile | None, *, now: float | None = None) -> Speed:
    """Measured figures drawn toward the assumed ones: a measured time weighs `confidence`, the assumed one the rest, and they
    meet in their weighted geometric mean. `now` is in Unix seconds; None takes every figure as fresh.
    """
    assumed = _assumed_speed(card)
    if profile is None:
        return assumed
    weight = confidence(profile, now=now)
    load_ms, first_ms, input_token_ms, token_ms, known = assumed
    if load_ms and profile.cold_start_ms is not None:
        load_ms = _drawn(profile.cold_start_ms, load_ms, weight)
    if profile.latency_ms is not None and profile.tokens_per_second is None:
        whole_ms = _drawn(profile.latency_ms, first_ms, weight)
        return Speed(load_ms, whole_ms, (1.0 - weight) * input_token_ms, (1.0 - weight) * token_ms, known=True)
    if profile.ttft_ms is not None:
        first_ms = _drawn(profile.ttft_ms, first_ms, weight)
        input_token_ms *= 1.0 - weight
    if profile.tokens_per_second:
        token_ms, known = _drawn(1_000 / profile.tokens_per_second, token_ms, weight), True
    return Speed(load_ms, first_ms, input_token_ms, token_ms, known)


def _drawn(measured_ms: float, assumed_ms: float, weight: float) -> float:
    return measured_ms if weight == 1.0 or not assumed_ms else float(measured_ms**weight * assumed_ms ** (1.0 - weight))


def _assumed_speed(card: ModelCard) -> Speed:
    match card.locality:
        case "cloud":
            first_ms, token_ms = ASSUMED_CLOUD_FIRST_TOKEN_MS, ASSUMED_CLOUD_MS_PER_TOKEN
            return Speed(0.0, first_ms, ASSUMED_CLOUD_MS_PER_INPUT_TOKEN, token_ms, known=True)
        case "embedded":
            return Speed(0.0, ASSUMED_EMBEDDED_MS, ASSUMED_EMBEDDED_MS_PER_INPUT_TOKEN, 0.0, known=True)
    known = weights_bytes(card)
    weights = known or ASSUMED_WEIGHTS_BYTES
    token_ms = 1_000 * weights / ASSUMED_BYTES_PER_SECOND
    load_ms = 1_000 * weights / ASSUMED_LOAD_BYTES_PER_SECOND if card.loaded is False else 0.0
    return Speed(load_ms, ASSUMED_OVERHEAD_MS, token_ms / ASSUMED_PREFILL_SPEEDUP, token_ms, known=known is not None)


def freshness(profile: Profile, *, now: float | None) -> float:
    """What a call of this profile still counts for: 1 of today's, halved every 30 days since the latest."""
    if now is None or profile.updated_at is None or now <= profile.updated_at:
        return 1.0
    return float(0.5 ** ((now - profile.updated_at) / HALF_LIFE_S))


def confidence(profile: Profile, *, now: float | None = None) -> float:
    """How far its figures are believed, 0 to 1: n / (n + 1) for n calls as fresh as they are. What a person declared is certain."""
    if not profile.runs:
        return 1.0
    calls = profile.runs * freshness(profile, now=now)
    return calls / (calls + ASSUMED_RUNS)


def latency_ms(card: ModelCard, profile: Profile | None, analysis: TaskAnalysis, *, now: float | None = None) -> float:
    """Expected milliseconds of the whole request."""
    pace = speed(card, profile, now=now)
    first_ms = pace.first_ms + pace.input_token_ms * analysis.context_tokens
    return pace.load_ms + first_ms + pace.token_ms * analysis.output_tokens


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


def success_rate(profile: Profile | None, *, now: float | None = None) -> float:
    """Share of calls expected to succeed: the mean of `successes`."""
    answered, failed = successes(profile, now=now)
    return answered / (answered + failed)


def successes(profile: Profile | None, *, now: float | None = None) -> tuple[float, float]:
    """(a, b) of the beta distribution of that share: Beta(19 + answered, 1 + failed), both faded with their age."""
    if profile is None:
        return PRIOR_SUCCESSES, PRIOR_FAILURES
    weight = freshness(profile, now=now)
    return PRIOR_SUCCESSES + weight * profile.runs, PRIOR_FAILURES + weight * profile.failures


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
