"""Constants of a program as NumPy has them, whether they stand in it or in a file of weights."""

from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.packing import packed_bytes, unpack
from mmai.backends.coreml.reference.types import STORED, hold
from mmai.backends.coreml.reference.weights import Weights
from mmai.dialects.coreml.mil import BlobFile, Elements, Entries, Items, TensorType, Value
from mmai.errors import CannotRun


class Constant:
    """A value known before anything runs, made when it is first asked for."""

    def __init__(self, value: Value, weights: Weights) -> None:
        self._value = value
        self._weights = weights

    @property
    def stored(self) -> Any:
        """As the file has it: what compressed weights are unpacked from."""
        return read_constant(self._value, self._weights)

    @cached_property
    def held(self) -> Any:
        """As kernels see it, and not to be written to."""
        return frozen(self.stored)


def frozen(value: Any) -> Any:
    """A constant in the form kernels see. It is marked so that writing to it is an error."""
    if not isinstance(value, np.ndarray):
        return value
    held = hold(value)
    held.flags.writeable = False
    return held


def read_constant(value: Value, weights: Weights) -> Any:
    """An array; a `str`, or a list where the constant is a list; a dictionary.

    Raises:
        CannotRun: type and content do not fit.
    """
    match value.content:
        case Items(values):
            return [_item(each, weights) for each in values]
        case Entries(pairs):
            return {_item(key, weights): _item(entry, weights) for key, entry in pairs}
        case None:
            raise CannotRun("its program has a constant without a value")
        case content if isinstance(value.type, TensorType):
            return _tensor(value.type, content, weights)
        case _:
            raise CannotRun("its program has a constant without a type")


def _item(value: Value, weights: Weights) -> Any:
    """An element of a list: a scalar is a plain number, so that names of classes can be keys."""
    found = read_constant(value, weights)
    return found.item() if isinstance(found, np.ndarray) and found.ndim == 0 else found


def _tensor(kind: TensorType, content: Elements | BlobFile, weights: Weights) -> Any:
    shape = tuple(size for size in kind.shape or () if size is not None)
    if kind.shape is None or len(shape) != len(kind.shape):
        raise CannotRun("its program has a constant whose shape is open")
    if kind.dtype == "string":
        return _text(content, shape)
    if kind.dtype not in STORED:
        raise CannotRun(f"its program has a constant of the type `{kind.dtype}`, which is not known")
    count = prod(shape)
    flat = (
        weights.read(content, dtype=kind.dtype, count=count) if isinstance(content, BlobFile) else _flat(kind, content, count)
    )
    if flat.size != count:
        raise CannotRun(f"its program has a constant of {flat.size} elements where its shape has {count}")
    return flat.reshape(shape)


def _text(content: Elements | BlobFile, shape: tuple[int, ...]) -> str | list[str]:
    items = content.items if isinstance(content, Elements) and content.form == "text" else ()
    if len(items) != prod(shape):
        raise CannotRun(f"its program has a constant of {len(items)} texts where its shape has {prod(shape)}")
    return [str(item) for item in items] if shape else str(items[0])


def _flat(kind: TensorType, content: Elements, count: int) -> Array:
    stored = STORED[kind.dtype]
    match content.form:
        case "packed":
            raw = np.frombuffer(content.raw, np.uint8)
            if raw.size != packed_bytes(kind.dtype, count):
                raise CannotRun(
                    f"its program has a constant of {raw.size} bytes where {count} of {kind.dtype} have another size"
                )
            return unpack(raw, kind.dtype, count)
        case "whole":
            return _whole(content, stored)
        case "float32" | "float64":
            floats = np.dtype(content.form).newbyteorder("<")
            whole = len(content.raw) // floats.itemsize * floats.itemsize
            return np.frombuffer(content.raw[:whole], floats).astype(stored, copy=False)
        case _:
            raise CannotRun(f"its program has a text where a constant of {kind.dtype} belongs")


def _whole(content: Elements, stored: Any) -> Array:
    try:
        return np.array(content.items, np.int64).astype(stored)
    except OverflowError as exc:
        raise CannotRun("its program has a whole number that is too large") from exc
