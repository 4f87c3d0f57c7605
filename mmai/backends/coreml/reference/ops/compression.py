"""Weights that are stored smaller than they are used: quantized, looked up in a palette, sparse.

Kernels of `constexpr_` operations see constants as they are stored (float16 is float16) and give what coremltools'
`decompress_weights` gives, bit for bit. Those of iOS 16 and of iOS 18 have the same names and other inputs.
"""

from math import prod

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.packing import packed_bytes, unpack_bits

CODES = {"float32": np.float32, "fp32": np.float32, "float16": np.float16, "fp16": np.float16}


def affine_dequantize(quantized_data: Array, zero_point: Array, scale: Array, axis: Array) -> Array:
    """`scale * (quantized - zero point)`, computed in float32."""
    return _dequantized(quantized_data, scale, zero_point, axis).astype(scale.dtype)


def blockwise_shift_scale(data: Array, scale: Array, offset: Array | None = None) -> Array:
    """`scale * (data - offset)` with one scale for every block, computed in the type of the scale."""
    values = data.astype(scale.dtype)
    if offset is not None:
        values = values - _spread(offset, data.shape)
    found: Array = _spread(scale, data.shape) * values
    return found


def lut_to_dense(indices: Array, lut: Array, shape: Array | None = None, vector_axis: Array | None = None) -> Array:
    """Every index replaced by its entry of the palette. With `shape`, the indices are packed bits, and there is one palette."""
    if shape is None:
        return _looked_up(indices, lut, vector_axis)
    sizes = tuple(int(size) for size in shape)
    bits = int(lut.size).bit_length() - 1
    if lut.size != 1 << bits or indices.size != packed_bytes(f"uint{bits}", prod(sizes)):
        raise ValueError(f"{indices.size} bytes of indices do not fit a palette of {lut.size} and {sizes}")
    found: Array = lut[unpack_bits(indices, bits, prod(sizes))].reshape(sizes)
    return found


def sparse_to_dense(nonzero_data: Array, mask: Array, shape: Array | None = None) -> Array:
    """Values in the places the mask has, zeros elsewhere. With `shape`, the mask is packed bits."""
    if shape is not None:
        sizes = tuple(int(size) for size in shape)
        if mask.size != packed_bytes("uint1", prod(sizes)):
            raise ValueError(f"a mask of {mask.size} bytes does not fit {sizes}")
        mask = unpack_bits(mask, 1, prod(sizes)).reshape(sizes)
    dense = np.zeros(mask.shape, nonzero_data.dtype)
    dense[mask != 0] = nonzero_data
    return dense


def cast_constant(source_val: Array, output_dtype: str) -> Array:
    """A constant in another type of float."""
    if output_dtype not in CODES:
        raise ValueError(f"constants are cast to fp16 and fp32, not to `{output_dtype}`")
    return source_val.astype(CODES[output_dtype])


def lut_to_sparse(
    indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: Array | None = None
) -> tuple[Array, Array]:
    """Mask and values of a sparse tensor whose values are indices of palettes."""
    dense = _looked_up(sparse_to_dense(indices_nonzero_data, indices_mask), lut, vector_axis)
    mask = indices_mask if vector_axis is None else np.repeat(indices_mask, lut.shape[-1], axis=int(vector_axis))
    return mask, dense[mask != 0]


def sparse_blockwise_shift_scale(
    data_mask: Array, nonzero_data: Array, scale: Array, offset: Array | None = None
) -> tuple[Array, Array]:
    """Mask and values of a sparse tensor whose values are quantized."""
    dense = blockwise_shift_scale(sparse_to_dense(nonzero_data, data_mask), scale, offset)
    return data_mask, dense[data_mask != 0]


def quantize(
    input: Array,
    scale: Array,
    output_dtype: str,
    zero_point: Array | None = None,
    axis: Array | None = None,
) -> Array:
    """`round(input / scale) + zero point`, halves to even, held to what the type can hold."""
    limits = np.iinfo(output_dtype)
    values = np.around(input / _along(scale, input, axis))
    if zero_point is not None:
        values = values + _along(zero_point, input, axis).astype(np.float32)
    return np.clip(values, limits.min, limits.max).astype(output_dtype)


def dequantize(
    input: Array,
    scale: Array,
    zero_point: Array | None = None,
    axis: Array | None = None,
) -> Array:
    """`scale * (input - zero point)`."""
    return _dequantized(input, scale, zero_point, axis)


def _dequantized(data: Array, scale: Array, zero_point: Array | None, axis: Array | None) -> Array:
    values = data.astype(np.float32)
    if zero_point is not None:
        values -= _along(zero_point, data, axis).astype(np.float32)
    values *= _along(scale, data, axis)
    return values


def _along(parameter: Array, data: Array, axis: Array | None) -> Array:
    """One value for all, or one for each position of an axis."""
    if parameter.ndim == 0 or axis is None:
        return parameter
    sizes = [1] * data.ndim
    sizes[int(axis)] = -1
    return parameter.reshape(sizes)


def _spread(parameter: Array, shape: tuple[int, ...]) -> Array:
    """One value for each block, repeated over the block."""
    if parameter.ndim < len(shape):
        raise ValueError(f"the blocks {parameter.shape} do not fit {shape}")
    for axis, size in enumerate(shape):
        blocks = parameter.shape[axis]
        if blocks == 0 or size % blocks:
            raise ValueError(f"the blocks {parameter.shape} do not fit {shape}")
        if 1 < blocks < size:
            parameter = np.repeat(parameter, size // blocks, axis)
    return parameter


def _looked_up(indices: Array, lut: Array, vector_axis: Array | None) -> Array:
    """Palettes lie in blocks over the indices; their last two dimensions are the entries and the vector of each."""
    if lut.ndim != indices.ndim + 2:
        raise ValueError(f"a palette of {lut.shape} does not fit indices of {indices.shape}")
    blocks = [
        np.arange(size).reshape([-1 if at == axis else 1 for at in range(indices.ndim)]) * lut.shape[axis] // size
        for axis, size in enumerate(indices.shape)
    ]
    if any(size % count for size, count in zip(indices.shape, lut.shape, strict=False)):
        raise ValueError(f"a palette of {lut.shape} does not fit indices of {indices.shape}")
    found: Array = lut[(*blocks, indices.astype(np.intp))]
    if vector_axis is None:
        return found[..., 0]
    axis = int(vector_axis) % indices.ndim
    sizes = [size * (lut.shape[-1] if at == axis else 1) for at, size in enumerate(indices.shape)]
    return np.moveaxis(found, -1, axis + 1).reshape(sizes)


OPS: Table = {
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_blockwise_shift_scale": blockwise_shift_scale,
    "constexpr_cast": cast_constant,
    "constexpr_lut_to_dense": lut_to_dense,
    "constexpr_lut_to_sparse": lut_to_sparse,
    "constexpr_sparse_blockwise_shift_scale": sparse_blockwise_shift_scale,
    "constexpr_sparse_to_dense": sparse_to_dense,
    "dequantize": dequantize,
    "quantize": quantize,
}
