"""Durations as people write them: `30s`, `500ms`, `2m`, `1h`, or a plain number of seconds."""

import re

UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 1e9
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.ASCII)


def duration_s(text: str) -> float:
    """Seconds.

    Raises:
        ValueError: not a duration, or more than thirty years.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    number, unit = found.groups()
    seconds = round(float(number) * UNIT_S[unit or "s"], 6)
    if seconds > LONGEST_S:
        raise ValueError(text)
    return seconds


def written_duration(seconds: float) -> str:
    """The shortest form `duration_s` reads back as the same number."""
    for unit in ("d", "h", "m", "s", "ms"):
        count = seconds / UNIT_S[unit]
        if count >= 1 and count == int(count) and duration_s(f"{int(count)}{unit}") == seconds:
            return f"{int(count)}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
