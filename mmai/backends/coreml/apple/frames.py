"""How a message lies on the wire: eight bytes of mark and length, the message as MessagePack, then the bytes of its arrays."""

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from mmai.backends.coreml.apple.messages import Answer, Order, Value

Array = np.ndarray[Any, Any]
T = TypeVar("T")

PREFIX = struct.Struct("<4sI")
MARK = b"MMAI"
LARGEST_MESSAGE = 64 * 2**20
"""Bytes; a dictionary of a hundred thousand classes is a tenth of it."""
LARGEST_ARRAY = 4 * 2**30
"""Bytes."""
DTYPES = frozenset({"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64"})


class BadFrame(Exception):
    """Bytes that no worker of ours writes."""


def frame(message: Order | Answer, arrays: Sequence[Array] = ()) -> Iterator[bytes | memoryview]:
    """The bytes of a message and its arrays, in pieces."""
    body = msgspec.msgpack.encode(message)
    yield PREFIX.pack(MARK, len(body))
    yield body
    for array in arrays:
        if array.size:  # an empty one has no bytes, and a view of it cannot be cast
            yield np.ascontiguousarray(array).data.cast("B")


def body_bytes(prefix: bytes | bytearray) -> int:
    """How long the message is.

    Raises:
        BadFrame: the prefix is none.
    """
    mark, length = PREFIX.unpack(prefix)
    if mark != MARK or length > LARGEST_MESSAGE:
        raise BadFrame(f"a message began with {prefix.hex(' ')}")
    return int(length)


def message_of(body: bytes | bytearray, kind: type[T]) -> T:
    """The message, held to its type.

    Raises:
        BadFrame: it is none.
    """
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise BadFrame(f"a message cannot be read: {exc}") from exc


def arrays_of(message: Order | Answer) -> list[Value]:
    """The values whose bytes follow, in order.

    Raises:
        BadFrame: one is of a type or size that no array has.
    """
    arrays = [value for value in message.values if value.kind != "plain"]
    for value in arrays:
        if value.dtype not in DTYPES or min(value.shape, default=0) < 0 or array_bytes(value) > LARGEST_ARRAY:
            raise BadFrame(f"`{value.name}` cannot be {value.dtype[:20]} of {value.shape[:8]}")
    return arrays


def array_bytes(value: Value) -> int:
    """How many bytes an array has."""
    return math.prod(value.shape) * np.dtype(value.dtype).itemsize


def array_of(value: Value, data: bytes | bytearray) -> Array:
    """The array that these bytes are."""
    return np.frombuffer(data, value.dtype).reshape(value.shape)
