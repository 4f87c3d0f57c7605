"""Protocol buffers as bytes: the fields of a message, without a schema and without copying what is not asked for."""

from collections.abc import Iterator
from typing import Any

Buffer = Any
"""Bytes, or what can be sliced and indexed as they can: a memory map."""

Span = tuple[int, int]
"""Where something starts and where it ends."""


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
            return value, at


def fields(buffer: Buffer, start: int, end: int) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of every field; what has a length comes as the span it covers."""
    at = start
    while at < end:
        key, at = varint(buffer, at, end)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(buffer, at, end)
            yield number, wire, value
            continue
        if wire == 2:
            size, at = varint(buffer, at, end)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or size > end - at:
            raise Damaged("a field is longer than its message")
        yield number, wire, (at, at + size)
        at += size
