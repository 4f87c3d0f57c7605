"""An answer read piece by piece, by the one rule for when a connection may be lost without harm."""

from collections.abc import AsyncIterator
from typing import Protocol

from mmai.errors import IncompleteAnswer, TimedOut


class Answering(Protocol):
    """A dialect's stream, as far as this rule looks at it."""

    @property
    def ended(self) -> bool:
        """Were the stream to break now, the answer would be whole."""
        ...


async def next_piece(chunks: AsyncIterator[bytes], stream: Answering) -> bytes:
    """More of a body; nothing at its end, or where it is lost after the answer has ended.

    Raises:
        IncompleteAnswer, TimedOut: it is lost before that.
    """
    try:
        return await anext(chunks, b"")
    except (IncompleteAnswer, TimedOut):
        if stream.ended:
            return b""
        raise
