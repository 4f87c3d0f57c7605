"""Protocol buffers as bytes: the fields of a message, without a schema and without copying what is not asked for."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Buffer = Any
"""Bytes, or what can be sliced and indexed as they can: a memory map."""

Span = tuple[int, int]
"""Where something starts and where it ends."""

ALL_BITS = (1 << 64) - 1
"""Of a number; what others wrote beyond them is cut off, as Google's own parsers do."""

WIDTHS = {1: 8, 5: 4}
"""Wire type to the bytes of a value that has a fixed number of them."""


class Damaged(ValueError):
    """The bytes are no message."""


def varint(buffer: Buffer, at: int, end: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        if at >= end or shift > 63:
            raise Damaged("a number is cut off")
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & ALL_BITS, at


def fields(buffer: Buffer, start: int, end: int) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of every field; what has a length comes as the span it covers.

    Raises:
        Damaged: the bytes are no message. A file that was laid out and never written, all zeros, is told by its first field.
    """
    at = start
    while at < end:
        # Nearly all keys and lengths are one byte, and a call costs more than reading it.
        key = buffer[at]
        at += 1
        if key > 0x7F:
            key, at = varint(buffer, at - 1, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise Damaged("a field has no number")
        if wire == 0:
            value, at = varint(buffer, at, end)
            yield number, wire, value
            continue
        if wire == 2:
            size, at = varint(buffer, at, end)
        elif wire in WIDTHS:
            size = WIDTHS[wire]
        else:
            raise Damaged("a field is of no known form")
        if size > end - at:
            raise Damaged("a field is longer than its message")
        yield number, wire, (at, at + size)
        at += size


Item = TypeVar("Item")


def few(items: Iterable[Item], most: int, what: str) -> Iterator[Item]:
    """All of them, where no model has more than `most`; `what` they are is told in the plural.

    Raises:
        Damaged: there are more.
    """
    for count, item in enumerate(items):
        if count >= most:
            raise Damaged(f"it has more than {most} {what}")
        yield item
