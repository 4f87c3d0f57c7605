"""Elements that are no whole number of bytes, or of a kind that NumPy has not."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.types import BITS, STORED


def packed_bytes(dtype: str, count: int) -> int:
    """How many bytes `count` elements take."""
    if dtype in BITS:
        return -(-count * BITS[dtype] // 8)
    return count * {"bfloat16": 2, "float8e4m3fn": 1, "float8e5m2": 1}.get(dtype, STORED[dtype].itemsize)


def unpack(raw: Array, dtype: str, count: int) -> Array:
    """Elements from their bytes (uint8), which are at least `packed_bytes` many."""
    if dtype in BITS:
        return _signed(unpack_bits(raw, BITS[dtype], count)) if dtype == "int4" else unpack_bits(raw, BITS[dtype], count)
    raw = raw[: packed_bytes(dtype, count)]
    match dtype:
        case "bfloat16":
            return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
        case "float8e4m3fn":
            return _float8(exponent_bits=4)[raw]
        case "float8e5m2":
            return (raw.astype(np.uint16) << 8).view(np.float16).astype(np.float32)
        case _:
            return raw.view(STORED[dtype].newbyteorder("<")).astype(STORED[dtype], copy=False)


def unpack_bits(raw: Array, bits: int, count: int) -> Array:
    """Elements of 1, 2, 3, 4, 6 or 8 bits as uint8. The first stands in the lowest bits of the first byte.

    Source: coremltools, `constexpr_lut_to_dense` of iOS 16; `restore_elements_from_packed_bits`.
    """
    if bits == 8:
        return raw[:count]
    width = 1 if 8 % bits == 0 else 3  # bytes after which elements begin at a byte again
    each = width * 8 // bits
    groups = -(-count // each)
    padded = np.zeros((groups, width), np.uint8)
    padded.reshape(-1)[: min(raw.size, padded.size)] = raw[: padded.size]
    words = padded[:, 0] if width == 1 else (padded.astype(np.uint32) << np.arange(0, 24, 8, dtype=np.uint32)).sum(1, np.uint32)
    elements = np.empty((groups, each), np.uint8)
    for position in range(each):
        elements[:, position] = (words >> (bits * position)) & ((1 << bits) - 1)
    return elements.reshape(-1)[:count]


def _signed(elements: Array) -> Array:
    return (elements ^ 8).view(np.int8) - np.int8(8)


def _float8(*, exponent_bits: int) -> Array:
    """The value of every byte: a sign, an exponent, a fraction, and no infinity; all ones is no number.

    Source: "FP8 Formats for Deep Learning", table 1, E4M3.
    """
    code = np.arange(256)
    fraction_bits = 7 - exponent_bits
    bias = (1 << exponent_bits - 1) - 1
    exponent = code >> fraction_bits & (1 << exponent_bits) - 1
    fraction = (code & (1 << fraction_bits) - 1) / (1 << fraction_bits)
    size = np.where(exponent == 0, fraction * 2.0 ** (1 - bias), (1 + fraction) * 2.0 ** (exponent - bias))
    values = np.where(code >> 7, -size, size)
    values[[0x7F, 0xFF]] = np.nan
    return values.astype(np.float32)
