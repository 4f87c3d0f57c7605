"""One row of LiteLLM's price map as facts.

Rows are mappings of about 230 fields, US dollars for one token. Source: github.com/BerriAI/litellm,
`model_prices_and_context_window.json` and `types/utils.py` (`ModelInfoBase`), seen in 1.109.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from mmai.registry.known import KnownModel
from mmai.values.model import LongContextPrice, Price
from mmai.values.task import Modality

ABILITIES = {
    "supports_vision": "vision",
    "supports_audio_input": "audio",
    "supports_function_calling": "tools",
    "supports_reasoning": "thinking",
    "supports_response_schema": "json_schema",
}
"""Flag to what a model that writes text can do beside that."""

MADE = {
    "embedding": "embedding",
    "image_generation": "image_generation",
    "audio_speech": "speech_synthesis",
    "audio_transcription": "speech_transcription",
}
"""Mode to the one thing such a model does."""

INPUT_ALONE = (272_000, 922_000)
"""Values of `max_input_tokens` that leave the answer out: those of the GPT-5 and GPT-6 families, whose windows are 400,000 and
1,050,000. Elsewhere it is the window that prompt and answer share, or for Gemini the limit of what goes in, as its list says."""

_TIER = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


def known_model(row: Mapping[str, Any]) -> KnownModel:
    """One of LiteLLM's rows as facts. What is not of the kind it should be is unknown."""
    mode = row.get("mode")
    capabilities, inputs = _abilities(row)
    deprecated, source = row.get("deprecation_date"), row.get("source")
    return KnownModel(
        capabilities=capabilities,
        inputs=inputs,
        context_tokens=_window(row),
        max_output_tokens=_tokens(row, "max_output_tokens"),
        api="responses" if mode == "responses" else None,
        price=_price(row),
        deprecated=deprecated if isinstance(deprecated, str) else None,
        source=source if isinstance(source, str) else None,
    )


def _abilities(row: Mapping[str, Any]) -> tuple[tuple[str, ...] | None, tuple[Modality, ...] | None]:
    mode = row.get("mode")
    seen = [Modality.IMAGE] if row.get("supports_vision") is True else []
    heard = [Modality.AUDIO] if row.get("supports_audio_input") is True else []
    if mode in ("chat", "responses"):
        if ABILITIES.keys().isdisjoint(row):  # somebody's own row, with prices alone
            return None, None
        able = (ability for flag, ability in ABILITIES.items() if row.get(flag) is True)
        return ("text_generation", *able), (Modality.TEXT, *seen, *heard)
    if mode == "audio_transcription":
        return (MADE[mode],), (Modality.AUDIO,)
    return ((MADE[mode],), (Modality.TEXT, *seen, *heard)) if mode in MADE else (None, None)


def _window(row: Mapping[str, Any]) -> int | None:
    """Input and output together."""
    into, out = _tokens(row, "max_input_tokens"), _tokens(row, "max_output_tokens")
    return into + out if into in INPUT_ALONE and out and row.get("litellm_provider") == "openai" else into


def _price(row: Mapping[str, Any]) -> Price | None:
    mode = row.get("mode")
    price = Price(
        input_usd_per_mtok=_dearer(row, "input_cost_per_token", "input_cost_per_image_token"),
        output_usd_per_mtok=_output(row),
        cached_usd_per_mtok=_dearer(row, "cache_read_input_token_cost", "cache_read_input_image_token_cost"),
        cache_write_usd_per_mtok=_usd(row, "cache_creation_input_token_cost"),
        audio_usd_per_mtok=_usd(row, "input_cost_per_audio_token"),
        image_usd=_image(row) if mode == "image_generation" else None,
        # `output_cost_per_second` repeats it: one second of sound is one, whichever way it is counted.
        audio_usd_per_s=_number(row, "input_cost_per_second") if mode == "audio_transcription" else None,
        long_context=_long(row),
    )
    return None if price in (Price(), Price(output_usd_per_mtok=0.0)) else price


def _dearer(row: Mapping[str, Any], text: str, image: str) -> float | None:
    """Of an image model, whose usage does not tell text tokens from image tokens, the higher price."""
    fields = (text, image) if row.get("mode") == "image_generation" else (text,)
    return max((usd for field in fields if (usd := _usd(row, field)) is not None), default=None)


def _output(row: Mapping[str, Any]) -> float | None:
    """Per million tokens of what such a model puts out: image tokens, sound, or text."""
    match row.get("mode"):
        case "embedding":
            return 0.0  # a vector is no tokens
        case "image_generation" if _number(row, "output_cost_per_image") is None:
            return _usd(row, "output_cost_per_image_token")
        case "audio_speech":
            return _usd(row, "output_cost_per_audio_token")
    return _usd(row, "output_cost_per_token")


def _image(row: Mapping[str, Any]) -> float | None:
    """One image made. Some rows have it as a price of input, where there is no other price at all."""
    made = _number(row, "output_cost_per_image")
    by_token = any(_number(row, f"{way}_cost_per_{kind}") for way in ("input", "output") for kind in ("token", "image_token"))
    return _number(row, "input_cost_per_image") if made is None and not by_token else made


def _long(row: Mapping[str, Any]) -> LongContextPrice | None:
    """Of several steps one is kept, which begins with the first and costs what the last does: never less than is charged."""
    steps = sorted(int(found[1]) for field in row if (found := _TIER.fullmatch(field)))
    if not steps:
        return None

    def dearest(field: str) -> float | None:
        each = (_usd(row, f"{field}_above_{step}k_tokens") for step in steps)
        return max((usd for usd in each if usd is not None), default=None)

    return LongContextPrice(
        above_tokens=steps[0] * 1000,
        input_usd_per_mtok=dearest("input_cost_per_token"),
        output_usd_per_mtok=dearest("output_cost_per_token"),
        cached_usd_per_mtok=dearest("cache_read_input_token_cost"),
        cache_write_usd_per_mtok=dearest("cache_creation_input_token_cost"),
    )


def _usd(row: Mapping[str, Any], field: str) -> float | None:
    """For a million, from a price for one; without the noise of the binary fractions."""
    each = _number(row, field)
    return None if each is None else round(each * 1e6, 6)


def _number(row: Mapping[str, Any], field: str) -> float | None:
    """A number above 0: these rows write 0 for what is free and for what nobody looked up."""
    value = row.get(field)
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    return value if known else None


def _tokens(row: Mapping[str, Any], field: str) -> int | None:
    value = _number(row, field)
    return None if value is None else int(value)
