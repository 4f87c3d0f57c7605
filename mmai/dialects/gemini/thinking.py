"""How much a model is asked to think: by a level since Gemini 3, by a budget of tokens before."""

import re
from typing import Any, Literal

from msgspec import Struct

Think = bool | Literal["low", "medium", "high", "max"] | None

FIRST = {"gemini": 2.5, "gemma": 4.0}
"""Version of each family that began to think."""
LEVELS_SINCE = 3.0
NEWEST = 99.0
"""Stands for names without a version, such as `gemini-flash-latest`."""
BUDGETS = {"low": 1_024, "medium": 8_192, "high": 24_576, "max": 24_576}
"""Source: Gemini API, "OpenAI compatibility", and "Thinking" for the widest."""
PRO_BUDGETS = {"least": 128, "max": 32_768}
OWN_CHOICE = -1

_VERSION = re.compile(r"(gemini|gemma)-(\d+(?:\.\d+)?)")


class Thinking(Struct, frozen=True):
    """What a wish becomes."""

    config: dict[str, Any] | None = None
    """`generationConfig.thinkingConfig`."""
    dropped: str | None = None
    """Why the wish cannot be met, or not wholly."""


def thinking(name: str, think: Think) -> Thinking:
    """What is sent to the model of this name; thoughts are asked for wherever thinking is."""
    found = _VERSION.search(name)
    family, version = (found[1], float(found[2])) if found else ("gemini", NEWEST)
    if think is None or (think is False and version < FIRST[family]):
        return Thinking()
    if version < FIRST[family]:
        return Thinking(dropped=f"`{name}` does not think")
    pro = "-pro" in name
    config = _level(think, pro) if family == "gemma" or version >= LEVELS_SINCE else _budget(think, pro)
    if think is False:
        return Thinking(config, "Gemini Pro thinks at least a little" if pro else None)
    return Thinking(config | {"includeThoughts": True})


def _level(think: Think, pro: bool) -> dict[str, Any]:
    if think is True:
        return {}
    least = "LOW" if pro else "MINIMAL"
    return {"thinkingLevel": {"low": "LOW", "medium": "MEDIUM"}.get(str(think), "HIGH") if think else least}


def _budget(think: Think, pro: bool) -> dict[str, Any]:
    if think is True:
        return {"thinkingBudget": OWN_CHOICE}
    if think:
        return {"thinkingBudget": PRO_BUDGETS["max"] if pro and think == "max" else BUDGETS[think]}
    return {"thinkingBudget": PRO_BUDGETS["least"] if pro else 0}
