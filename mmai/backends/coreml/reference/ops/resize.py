"""Images made larger or smaller along their last axes."""

from collections.abc import Callable

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.sampling import grid, interpolate, pick

Along = Callable[[Array, int, int], Array]
"""Resizes one axis: the array, the axis, its new size."""


def upsample_nearest_neighbor(
    x: Array, *, scale_factor_height: Array | float = 1, scale_factor_width: Array | float = 1
) -> Array:
    """*lead, floor(height * scale), floor(width * scale); element `i` is floor(i * size / new size).

    The new size decides, not the factor. Source: coremltools' tests, which ran on macOS (3 elements by 1.12 stay as they are).
    """
    return _resized(x, _scaled(x, scale_factor_height, scale_factor_width), _floored)


def upsample_bilinear(
    x: Array,
    *,
    scale_factor_height: Array | float = 1,
    scale_factor_width: Array | float = 1,
    align_corners: Array | bool = True,
    half_pixel_centers: Array | bool | None = None,
) -> Array:
    """*lead, floor(height * scale), floor(width * scale).

    Raises:
        ValueError: corners and half pixels both aligned, which is no grid.
    """
    aligned = bool(align_corners)
    centered = not aligned if half_pixel_centers is None else bool(half_pixel_centers)
    if aligned and centered:
        raise ValueError("upsample_bilinear takes align_corners or half_pixel_centers, not both")
    mode = "STRICT_ALIGN_CORNERS" if aligned else "UNALIGN_CORNERS" if centered else "DEFAULT"
    return _resized(x, _scaled(x, scale_factor_height, scale_factor_width), _linear(mode))


def resize_nearest_neighbor(x: Array, *, target_size_height: Array | int, target_size_width: Array | int) -> Array:
    """*lead, target height, target width; the element whose middle is nearest.

    Source: coremltools lowers TensorFlow's `half_pixel_centers=True` to it.
    """
    return _resized(x, [int(target_size_height), int(target_size_width)], _nearest("DEFAULT"))


def resize_bilinear(
    x: Array, *, target_size_height: Array | int = 1, target_size_width: Array | int = 1, sampling_mode: str = "DEFAULT"
) -> Array:
    """*lead, target height, target width."""
    return _resized(x, [int(target_size_height), int(target_size_width)], _linear(sampling_mode))


def resize(
    x: Array,
    *,
    shape: Array,
    resized_dims: Array | int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Array:
    """The last `resized_dims` axes take the last sizes of `shape`; a size of 0 leaves its axis as it is.

    Raises:
        ValueError: more axes than there are, or an unknown mode.
    """
    count = int(resized_dims)
    if count > len(shape) or count > x.ndim:
        raise ValueError(f"resize of {count} axes takes as many sizes and axes, not {len(shape)} and {x.ndim}")
    if interpolation_mode not in ("LINEAR", "NEAREST_NEIGHBOR"):
        raise ValueError(f"interpolation_mode `{interpolation_mode}` is neither LINEAR nor NEAREST_NEIGHBOR")
    old = x.shape[x.ndim - count :]
    sizes = [int(size) or kept for size, kept in zip(shape[len(shape) - count :], old, strict=True)]
    return _resized(x, sizes, _linear(sampling_mode) if interpolation_mode == "LINEAR" else _nearest(sampling_mode))


def _scaled(x: Array, *factors: Array | float) -> list[int]:
    """In float32, as coremltools finds the declared shape: 10 * 0.7 is 7."""
    return [int(np.floor(np.float32(size) * np.float32(factor))) for size, factor in zip(x.shape[-2:], factors, strict=True)]


def _resized(x: Array, sizes: list[int], along: Along) -> Array:
    """Axes that shrink come first, outer ones ahead; then those that grow, inner ones ahead, which are the slowest to read."""
    changes = [(axis, size) for axis, size in enumerate(sizes, x.ndim - len(sizes))]
    shrink = [(axis, size) for axis, size in changes if size <= x.shape[axis]]
    grow = [(axis, size) for axis, size in reversed(changes) if size > x.shape[axis]]
    for axis, size in shrink + grow:
        x = along(x, axis, size)
    return x


def _linear(mode: str) -> Along:
    return lambda x, axis, size: interpolate(x, axis, grid(x.shape[axis], size, mode))


def _nearest(mode: str) -> Along:
    """Halves go up, except in the default mode, which is by middles: what doubles an axis doubles each element."""
    by = "UNALIGN_CORNERS" if mode == "DEFAULT" else mode
    return lambda x, axis, size: pick(x, axis, np.floor(grid(x.shape[axis], size, by) + 0.5))


def _floored(x: Array, axis: int, size: int) -> Array:
    return pick(x, axis, np.arange(size) * x.shape[axis] // size)


OPS: Table = {
    "resize": resize,
    "resize_bilinear": resize_bilinear,
    "resize_nearest_neighbor": resize_nearest_neighbor,
    "upsample_bilinear": upsample_bilinear,
    "upsample_nearest_neighbor": upsample_nearest_neighbor,
}
