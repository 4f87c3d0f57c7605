"""What a call costs, from its usage and a price. Unknown stays unknown, and is never nothing."""

from mmai.values.event import Usage
from mmai.values.model import Price


def cost_usd(usage: Usage, price: Price | None) -> float | None:
    """US dollars of one call; None when a price that is needed, or the count it is for, is unknown.

    Tokens: cached ones, those written to the cache and those of sound are part of the input and have prices of their own, where
    they have; a request above the long-context limit is billed at that tier from its first token; thinking is part of the output.
    An image with a price of its own pays for the tokens it is made of, whose price is that of text, and thinking is charged beside
    it. Sound is billed by the second where that is all there is, or where the provider did not count tokens.
    """
    if price is None:
        return None
    by_token = price.input_usd_per_mtok is not None or price.output_usd_per_mtok is not None
    if price.audio_usd_per_s is not None and not (by_token and usage.input_tokens is not None):
        return _times(usage.audio_s, price.audio_usd_per_s)
    if not by_token and price.image_usd is not None:
        return _times(usage.images, price.image_usd)
    tier = _tier(usage, price)
    return _sum(_input(usage, tier), _output(usage, tier, price.image_usd))


def _input(usage: Usage, tier: Price) -> float | None:
    each = tier.input_usd_per_mtok
    if not (usage.cached_tokens or usage.cache_write_tokens or usage.audio_tokens):
        return _times(usage.input_tokens, each, per=1e6)
    parts = [
        (usage.cached_tokens or 0, tier.cached_usd_per_mtok),
        (usage.cache_write_tokens or 0, tier.cache_write_usd_per_mtok),
        (usage.audio_tokens or 0, tier.audio_usd_per_mtok),
    ]
    apart = sum(count for count, _ in parts)
    plain = None if usage.input_tokens is None else max(usage.input_tokens - apart, 0)
    return _sum(_times(plain, each, per=1e6), *(_times(count, each if own is None else own, per=1e6) for count, own in parts))


def _output(usage: Usage, tier: Price, image_usd: float | None) -> float | None:
    by_token = _times(usage.output_tokens, tier.output_usd_per_mtok, per=1e6)
    if not usage.images or image_usd is None:
        return by_token
    thinking = _times(usage.reasoning_tokens or 0, tier.output_usd_per_mtok, per=1e6)
    made = _sum(_times(usage.images, image_usd), thinking)
    return None if made is None else _dearer(made, by_token)


def _tier(usage: Usage, price: Price) -> Price:
    """The prices of tokens for a request of this length. Where the longer one has no price of its own for a kind of token, it
    is the dearer of that of the shorter and the longer one's input.
    """
    long = price.long_context
    if long is None or usage.input_tokens is None or usage.input_tokens <= long.above_tokens:
        return price
    into = price.input_usd_per_mtok if long.input_usd_per_mtok is None else long.input_usd_per_mtok
    return Price(
        input_usd_per_mtok=into,
        output_usd_per_mtok=price.output_usd_per_mtok if long.output_usd_per_mtok is None else long.output_usd_per_mtok,
        cached_usd_per_mtok=into if long.cached_usd_per_mtok is None else long.cached_usd_per_mtok,
        cache_write_usd_per_mtok=_dearer(price.cache_write_usd_per_mtok, into)
        if long.cache_write_usd_per_mtok is None
        else long.cache_write_usd_per_mtok,
        audio_usd_per_mtok=_dearer(price.audio_usd_per_mtok, into),
    )


def _dearer(*each: float | None) -> float | None:
    return max((usd for usd in each if usd is not None), default=None)


def _times(count: float | None, usd: float | None, *, per: float = 1.0) -> float | None:
    """Nothing of what costs something, and anything of what costs nothing, is free; either unknown leaves the rest unknown."""
    if count == 0 or usd == 0:
        return 0.0
    return None if count is None or usd is None else count * usd / per


def _sum(*parts: float | None) -> float | None:
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def dollars(usd: float) -> str:
    """`$0.0123`, to four digits and never in powers of ten; `$5` for 5."""
    short = f"{usd:.4g}"
    if "e" not in short:
        return f"${short}"
    return f"${usd:.0f}" if usd > 1 else f"${float(short):.15f}".rstrip("0")
