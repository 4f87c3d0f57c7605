"""What a call costs, from tokens and prices. Unknown stays unknown."""

from mmai.values.event import Usage
from mmai.values.model import Price


def cost_usd(usage: Usage, price: Price | None) -> float | None:
    """US dollars of one call.

    Cached input tokens are billed at `cached_usd_per_mtok`, or at the full price when that is unknown. None when a price that
    is needed, or the count it is for, is unknown.
    """
    if price is None or price.input_usd_per_mtok is None or price.output_usd_per_mtok is None:
        return None
    if price.input_usd_per_mtok == price.output_usd_per_mtok == 0:
        return 0.0
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = usage.cached_tokens or 0
    cached_price = price.cached_usd_per_mtok if price.cached_usd_per_mtok is not None else price.input_usd_per_mtok
    fresh = max(usage.input_tokens - cached, 0)
    return (
        fresh * price.input_usd_per_mtok + cached * cached_price + usage.output_tokens * price.output_usd_per_mtok
    ) / 1_000_000
