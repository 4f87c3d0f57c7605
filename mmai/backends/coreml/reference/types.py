"""How MIL's element types are held in NumPy.

Weights are *stored* as their file has them, and *held* as the kernels take them: NumPy has no fast arithmetic in float16, and
float32 can only be more exact; whole numbers of 64 bits are 32 in Core ML.
"""

from typing import Any

import numpy as np

from mmai.dialects.coreml.mil import StateType, TensorType, Type

DType = np.dtype[Any]

STORED: dict[str, DType] = {
    name: np.dtype(kind)
    for name, kind in {
        "bool": np.bool_,
        "float16": np.float16,
        "float32": np.float32,
        "float64": np.float64,
        "bfloat16": np.float32,
        "float8e4m3fn": np.float32,
        "float8e5m2": np.float32,
        "int4": np.int8,
        "int8": np.int8,
        "int16": np.int16,
        "int32": np.int32,
        "int64": np.int64,
        "uint1": np.uint8,
        "uint2": np.uint8,
        "uint3": np.uint8,
        "uint4": np.uint8,
        "uint6": np.uint8,
        "uint8": np.uint8,
        "uint16": np.uint16,
        "uint32": np.uint32,
        "uint64": np.uint64,
    }.items()
}
"""MIL type to what its elements are as constants; those that NumPy has not are widened."""

BITS = {"uint1": 1, "uint2": 2, "uint3": 3, "int4": 4, "uint4": 4, "uint6": 6}
"""Of the types that share bytes."""

_HELD: dict[DType, DType] = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.float64): np.dtype(np.float32),
    np.dtype(np.int64): np.dtype(np.int32),
    np.dtype(np.uint32): np.dtype(np.int32),
    np.dtype(np.uint64): np.dtype(np.int32),
}


def held_as(stored: DType) -> DType:
    """The type kernels see."""
    return _HELD.get(stored, stored)


def held_type(kind: Type) -> DType | None:
    """The type of a tensor or a state as kernels see it; None for what is no tensor of numbers."""
    if isinstance(kind, StateType):
        return held_type(kind.wrapped)
    stored = STORED.get(kind.dtype) if isinstance(kind, TensorType) else None
    return None if stored is None else held_as(stored)


def hold(array: Any) -> Any:
    """A constant as kernels see it; whole numbers that are too large become the largest there are, as coremltools has it."""
    wanted = held_as(array.dtype)
    if wanted is array.dtype:
        return array
    if wanted.kind == "i":
        limits = np.iinfo(np.int32)
        # Of a scalar NumPy would make a number that is no array.
        array = np.asarray(np.clip(array, 0 if array.dtype.kind == "u" else limits.min, limits.max))
    return array.astype(wanted)
