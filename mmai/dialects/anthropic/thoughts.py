"""What a model thought before it called a tool, kept so that it can go back unchanged.

Source: platform.claude.com/docs, "Thinking", preserving thinking blocks. Their text and signature belong together, so that the
seal on a call (`ToolCall.signature`) is the blocks themselves, as JSON.
"""

from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE

Block = dict[str, Any]
TYPES = ("thinking", "redacted_thinking")


class Thought(Struct, omit_defaults=True):
    """One block, while it grows."""

    type: str
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    """Of a redacted one."""


def seal(thoughts: list[Thought]) -> str | None:
    """The thoughts as one text; None where there are none."""
    return msgspec.json.encode(thoughts).decode() if thoughts else None


def unseal(signature: str | None) -> list[Block]:
    """The blocks of a seal; none where there is none, or where it is another provider's."""
    try:
        thoughts = msgspec.json.decode(signature or "[]", type=list[Thought])
    except UNREADABLE:
        return []
    return [msgspec.to_builtins(thought) for thought in thoughts if thought.type in TYPES]
