"""What a model's name says of where it comes from: its product line and version, and so its age; its size, or its place in the line.

Names differ between providers (`llama3.1:8b-instruct-q4_K_M`, `meta-llama/Llama-3.1-8B-Instruct`); only letters and digits count.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct

Versions = tuple[tuple[float, float], ...]
"""(version, year and its part when it came out), in order."""

LINES: dict[str, Versions] = {
    "gpt": ((3.5, 2022.9), (4, 2023.7), (4.1, 2025.3), (4.5, 2025.2), (5, 2025.6), (5.6, 2026.5), (6, 2026.75), (6.1, 2026.85)),
    "gpt4o": ((1, 2024.4),),
    "gpt4turbo": ((1, 2023.9),),
    "gpt41106": ((1, 2023.85),),
    "gpt40125": ((1, 2024.05),),
    "claude": ((2, 2023.5), (3, 2024.2), (3.5, 2024.5), (3.7, 2025.15), (4, 2025.4), (4.5, 2025.8), (5, 2026.6), (5.5, 2026.8)),
    "gemini": ((1, 2023.95), (1.5, 2024.4), (2, 2025.1), (2.5, 2025.4), (3, 2025.9), (3.5, 2026.4), (4, 2026.85)),
    "grok": ((1, 2023.9), (2, 2024.6), (3, 2025.1), (4, 2025.55), (4.5, 2026.4)),
    "qwen": ((1, 2023.7), (1.5, 2024.1), (2, 2024.45), (2.5, 2024.75), (3, 2025.35), (3.5, 2026.1)),
    "qwq": ((1, 2025.2),),
    "llama": ((1, 2023.15), (2, 2023.55), (3, 2024.3), (3.1, 2024.55), (3.2, 2024.75), (3.3, 2024.95), (4, 2025.3)),
    "gemma": ((1, 2024.15), (2, 2024.5), (3, 2025.2), (4, 2026.3)),
    "phi": ((1, 2023.5), (2, 2023.95), (3, 2024.3), (3.5, 2024.65), (4, 2024.95)),
    "deepseek": ((1, 2023.9), (2, 2024.4), (2.5, 2024.7), (3, 2025.0), (3.1, 2025.6), (3.2, 2025.9), (4, 2026.3)),
    "deepseekr": ((1, 2025.1),),
    "deepseekcoder": ((1, 2023.9), (2, 2024.45)),
    "mistral": ((1, 2024.4), (3, 2025.5), (4, 2026.4)),
    "mistral7b": ((0.1, 2023.75), (0.2, 2023.95), (0.3, 2024.4)),
    "mixtral": ((0.1, 2023.95),),
    "mistralnemo": ((1, 2024.55),),
    "ministral": ((1, 2024.8), (3, 2025.95)),
    "codestral": ((1, 2024.4),),
    "devstral": ((1, 2025.4), (2, 2025.95)),
    "magistral": ((1, 2025.45),),
    "pixtral": ((1, 2024.8),),
    "gptoss": ((1, 2025.6),),
    "glm": ((4, 2024.45), (4.5, 2025.6), (4.6, 2025.75), (5, 2026.2), (5.3, 2026.6)),
    "kimi": ((2, 2025.55),),
    "minimax": ((1, 2025.0), (2, 2025.8)),
    "commandr": ((1, 2024.2),),
    "commanda": ((1, 2025.2),),
    "aya": ((1, 2024.2),),
    "granite": ((3, 2024.8), (3.3, 2025.3), (4, 2025.8)),
    "smollm": ((1, 2024.55), (2, 2024.85), (3, 2025.5)),
    "olmo": ((1, 2024.1), (2, 2024.9), (3, 2025.9)),
    "nemotron": ((3, 2024.5), (4, 2024.5)),
    "yi": ((1, 2023.85), (1.5, 2024.4)),
    "internlm": ((2, 2024.05), (2.5, 2024.5), (3, 2025.05)),
    "falcon": ((1, 2023.4), (2, 2024.35), (3, 2024.95)),
    "exaone": ((3, 2024.6), (3.5, 2024.95), (4, 2025.55)),
    "solar": ((1, 2023.95),),
    "stablelm": ((1, 2023.3), (2, 2024.05)),
    "tinyllama": ((1, 2024.0),),
    "codellama": ((1, 2023.65),),
    "codegemma": ((1, 2024.3),),
    "starcoder": ((1, 2023.35), (2, 2024.15)),
    "vicuna": ((1, 2023.3),),
    "wizard": ((1, 2023.5), (2, 2024.3)),
    "orca": ((1, 2023.6), (2, 2023.9)),
    "zephyr": ((1, 2023.8),),
    "openchat": ((1, 2023.8),),
    "hermes": ((2, 2024.0), (3, 2024.65), (4, 2025.65)),
    "dolphin": ((2, 2023.9), (3, 2025.0)),
    "chatqa": ((1.5, 2023.3),),
    "palmyra": ((1, 2024.7),),
    "jamba": ((1, 2024.25), (1.5, 2024.65)),
    "reka": ((1, 2024.25),),
    "dbrx": ((1, 2024.25),),
    "nova": ((1, 2024.95), (2, 2025.95)),
    "lfm": ((2, 2025.55),),
    "o": ((1, 2024.8), (3, 2025.3), (4, 2025.3)),
}
"""Without separators. Where names have two of them the longer counts, and of equals the one that stands first."""

SEPARATORS = frozenset("-_ .:")
YEAR_UNKNOWN = 2024.5

TIERS = {
    "nano": 4.0,
    "tiny": 4.0,
    "lite": 8.0,
    "luna": 15.0,
    "mini": 20.0,
    "small": 20.0,
    "flash": 25.0,
    "haiku": 25.0,
    "instant": 25.0,
    "turbo": 100.0,
    "medium": 120.0,
    "terra": 120.0,
    "sonnet": 250.0,
    "large": 250.0,
    "pro": 500.0,
    "opus": 500.0,
    "ultra": 500.0,
    "max": 500.0,
    "sol": 400.0,
}
"""Words for a place in a product line, to billions of parameters that do as well; an assumption, since providers tell no sizes."""
FLAGSHIP = 300.0
"""Of a hosted model without such a word."""

_TIER = re.compile(rf"(?<![a-z])(?:{'|'.join(TIERS)})(?![a-z])")
_SIZE = re.compile(r"(?<![a-z0-9.])(?:(\d{1,2})x)?(\d{1,4}(?:\.\d{1,2})?)(b|m)(?![a-z0-9])|(?<=[:\-_ ])e(\d)b(?![a-z0-9])")
_YEAR_MONTH = re.compile(r"(?<!\d)(2[3-9])(0[1-9]|1[0-2])(?!\d)")
_VERSION = re.compile(r"^(?:[-_ ][a-z]+)*?[-_ .:]*(?:[a-z]*[-_ ])?v?(\d{1,2}(?:[.\-]\d{1,2}(?![\db]))?)")
_NOISE = re.compile(r"(?:19|20)\d\d[-_]?\d\d[-_]?\d\d|:free|:latest|-latest|\.gguf$")
_QUANTIZED = re.compile(r"(?:^|[-_:. ])(?:iq|q)([1-8])(?:[_k0-9]|$)|(?:^|[-_:. ])int([48])|(?:^|[-_:. ])([248])bit")
_MIXTURE = re.compile(r"(\d+)b[-_]a(\d+)b")


class Lineage(Struct, frozen=True, kw_only=True):
    """As much as a name tells. None is untold."""

    line: str | None
    version: float | None
    year: float | None
    """Year and its part when it came out, where the line or the name tells."""
    billions: float | None
    """Parameters; of a mixture of experts the geometric mean of all and those at work."""
    tier: float | None
    """Billions of parameters its place in the line stands for."""
    bits: int | None
    """Of a weight, where the name tells."""


def lineage(name: str) -> Lineage:
    """Read a name, as any provider writes it."""
    text = _NOISE.sub("", name.lower().rsplit("/", 1)[-1])
    line, version = _line(text)
    return Lineage(
        line=line,
        version=version,
        year=_year(text, line, version),
        billions=_billions(text),
        tier=TIERS[place[0]] if (place := _TIER.search(text)) is not None else None,
        bits=next((int(digits) for found in _QUANTIZED.finditer(text) for digits in found.groups() if digits), None),
    )


def _line(text: str) -> tuple[str | None, float | None]:
    """The longest line in the name, wherever separators stand, and its version."""
    kept = [at for at, char in enumerate(text) if char not in SEPARATORS]
    compact = "".join(text[at] for at in kept)
    best, end = None, 0
    for line in LINES:
        start = -1 if best is not None and len(line) <= len(best) else _starts(line, compact, text, kept)
        if start >= 0:
            best, end = line, kept[start + len(line) - 1] + 1
    return (None, None) if best is None else (best, _version(text[end:]))


def _starts(line: str, compact: str, text: str, kept: Sequence[int]) -> int:
    """Where a line's name begins in the name without separators, at the beginning of a word; -1 where it does not."""
    start = compact.find(line)
    while start >= 0:
        at, behind = kept[start], compact[start + len(line) : start + len(line) + 1]
        if (at == 0 or not text[at - 1].isalpha()) and (len(line) > 1 or behind.isdigit()):
            return start
        start = compact.find(line, start + 1)
    return -1


def _version(rest: str) -> float | None:
    """The number behind the line's name, or behind words and then: `gemma3:4b`, `claude-opus-4-1`, `mistral-small3.2`."""
    found = _VERSION.match(rest)
    if found is None or re.match(r"[\d.]*(?:b|x\d)", rest[found.start(1) :]) or (len(found[1]) > 1 and found[1].isdecimal()):
        return None
    return float(found[1].replace("-", "."))


def _year(text: str, line: str | None, version: float | None) -> float | None:
    if (month := _YEAR_MONTH.search(text)) is not None:
        return 2000 + int(month[1]) + (int(month[2]) - 1) / 12
    if line is None:
        return None
    versions = LINES[line]
    if version is None:
        return versions[-1][1]
    return released(versions, version)


def released(versions: Versions, version: float) -> float:
    """When a version came out: between two known ones in proportion, before and after them as the nearest."""
    numbers = [number for number, _ in versions]
    at = bisect_left(numbers, version)
    if at == len(numbers):
        return versions[-1][1]
    if at == 0 or numbers[at] == version:
        return versions[at][1]
    (low, early), (high, late) = versions[at - 1], versions[at]
    return early + (late - early) * (version - low) / (high - low)


def _billions(text: str) -> float | None:
    if (mixture := _MIXTURE.search(text)) is not None:
        return float((int(mixture[1]) * int(mixture[2])) ** 0.5)
    sizes: Sequence[tuple[str, str, str, str]] = _SIZE.findall(text)
    if not sizes:
        return None
    experts, count, unit, edge = sizes[-1] if len(sizes) == 1 else max(sizes, key=lambda size: float(size[1] or 0))
    if edge:
        return float(edge)
    billions = float(count) / (1_000 if unit == "m" else 1)
    # Two of eight experts answer each token, and all of them have learned.
    return 0.5 * int(experts) * billions if experts else billions
