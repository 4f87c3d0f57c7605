"""Figures as people read them. None is always a word, never 0."""

from mmai.render.clean import clean_line
from mmai.values.model import Price

UNKNOWN = "unknown"


def size(count: float | None) -> str:
    """Bytes in decimal units, as disks and `ollama list` count: `4.9 GB`."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{_short(count)} {unit}"
    return f"{_short(count / 1000)} TB"


def tokens(count: int | None) -> str:
    """A context window: `128k` for 131072 and for 128000, `1M`, `512`."""
    if count is None:
        return UNKNOWN
    thousand = 1024 if count % 1000 and not count % 1024 else 1000
    if count < thousand:
        return str(count)
    if count < thousand**2:
        return f"{_short(count / thousand)}k"
    return f"{_short(count / thousand**2)}M"


def duration(ms: float | None) -> str:
    """Milliseconds as `45 ms`, `0.3 s`, `12 s` or `2 min 5 s`; `<1 ms` for less."""
    if ms is None:
        return UNKNOWN
    if ms < 99.5:
        return f"{ms:.0f} ms" if ms >= 0.5 else "<1 ms"
    if ms < 9_950:
        return f"{ms / 1000:.1f} s"
    if ms < 59_500:
        return f"{ms / 1000:.0f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


def money(usd: float | None) -> str:
    """US dollars, two digits of what matters: `$0.0003`, `$0.25`, `$12.30`; `$0` only for exactly nothing."""
    if usd is None:
        return UNKNOWN
    if usd == 0:
        return "$0"
    if usd < 0.000001:
        return "<$0.000001"
    if usd >= 0.0995:
        return f"${usd:.2f}"
    return f"${float(f'{usd:.1e}'):.8f}".rstrip("0")


def price(value: Price | None) -> str:
    """What a model charges: `$0.25/$1.25 per M` tokens in and out, `$0.02 per M` where nothing else is charged, `free`, and the
    prices of an image or a minute of sound.
    """
    if value is None:
        return UNKNOWN
    each = (_per_million(value), _each(value.image_usd, "image"), _minute(value.audio_usd_per_s))
    return ", ".join(filter(None, each)) or UNKNOWN


def price_details(value: Price) -> str | None:
    """What `price` leaves out: `cached $0.02, cache writes $0.25, above 272k tokens $0.4/$1.8 per M`."""
    long = value.long_context
    kinds = (
        ("cached", value.cached_usd_per_mtok),
        ("cache writes", value.cache_write_usd_per_mtok),
        ("sound", value.audio_usd_per_mtok),
    )
    parts = [f"{kind} {_exact(usd)}" for kind, usd in kinds if usd]
    if long is not None:
        into, out = _exact(long.input_usd_per_mtok), _exact(long.output_usd_per_mtok)
        parts.append(f"above {tokens(long.above_tokens)} tokens {into}/{out}")
    return f"{', '.join(parts)} per M" if parts else None


def _per_million(value: Price) -> str:
    into, out = value.input_usd_per_mtok, value.output_usd_per_mtok
    if into is None and out is None:
        return ""
    if out == 0:
        return "free" if into == 0 else f"{_exact(into)} per M"
    return f"{_exact(into)}/{_exact(out)} per M"


def _exact(usd: float | None) -> str:
    """A price as it is published, with the cents: `$10.00`, `$0.125`."""
    if usd is None or 0 < usd < 0.0000005:
        return money(usd)
    whole, _, part = f"{usd:.6f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def _each(usd: float | None, what: str) -> str:
    return "" if usd is None else f"{_exact(usd)} per {what}"


def _minute(usd_per_s: float | None) -> str:
    return "" if usd_per_s is None else _each(usd_per_s * 60, "minute")


def share(value: float | None) -> str:
    """A score or probability, 0 to 1: `0.81`."""
    return UNKNOWN if value is None else f"{value:.2f}"


def _short(value: float) -> str:
    """At most three digits: `4.9`, `12`, `128`."""
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:.0f}"


def digest_name(digest: str) -> str:
    """The start of a digest, as Ollama abbreviates it."""
    return clean_line(digest).rpartition(":")[2][:12]
