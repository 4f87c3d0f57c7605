"""What the name of a Claude model says of the options it takes, since the API refuses those it does not.

Source: platform.claude.com/docs, "Thinking" and the migration guides up to Claude 5.5, October 2026.
"""

import re

from msgspec import Struct

Generation = tuple[int, int]

LAST_SAMPLING: Generation = (4, 6)
"""Later ones refuse `temperature`, `top_p` and `top_k`."""
FIRST_THINKING: Generation = (3, 7)
FIRST_ADAPTIVE: Generation = (4, 6)
"""From here on the model decides how much it thinks, and is told an effort and no budget."""
FIRST_BY_DEFAULT: Generation = (5, 0)
"""From here on it thinks unless told not to."""
NEWEST: Generation = (99, 0)
ALWAYS_THINKING = ("fable", "mythos")
LINES = ("haiku", "sonnet", "opus", *ALWAYS_THINKING)


class Family(Struct, frozen=True):
    """A line of Claude models, and the version within it."""

    line: str | None
    generation: Generation

    @property
    def samples(self) -> bool:
        """It takes a temperature."""
        return self.generation <= LAST_SAMPLING

    @property
    def thinks(self) -> bool:
        """It can think before it answers."""
        return self.generation >= FIRST_THINKING

    @property
    def adapts(self) -> bool:
        """It decides itself how much to think."""
        return self.generation >= FIRST_ADAPTIVE

    @property
    def unthinking(self) -> str | None:
        """The `thinking.type` that turns thinking off, empty where it is off anyway; None where nothing does."""
        if self.line in ALWAYS_THINKING:
            return None
        if self.generation < FIRST_BY_DEFAULT:
            return ""
        if self.generation < (5, 5) or self.line == "haiku":
            return "disabled"
        return "between_tools" if self.line == "sonnet" else None


def family(name: str) -> Family | None:
    """The family a name tells: `claude-opus-4-7`, `claude-3-5-sonnet-20241022`, `anthropic/claude-haiku-4.5`.

    None is another maker's model behind the same API. A Claude without a version counts as newer than all.
    """
    _, claude, rest = name.lower().partition("claude")
    if not claude:
        return None
    words = re.findall(r"[a-z]+|\d+", rest)
    numbers = [int(word) for word in words if word.isdigit() and len(word) <= 2]
    generation = (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else NEWEST
    return Family(next((word for word in words if word in LINES), None), generation)
