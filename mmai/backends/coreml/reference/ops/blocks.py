"""Elements moved between space, channels and batch, cut off at the borders, or cut into windows: no arithmetic."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def crop(x: Array, *, crop_height: Array, crop_width: Array) -> Array:
    """*lead, height, width, without so many rows and columns at either side."""
    (top, bottom), (left, right) = np.ravel(crop_height), np.ravel(crop_width)
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


def depth_to_space(x: Array, *, block_size: Array | int) -> Array:
    """n, channels / block², height * block, width * block; the place in the block is the slow part of the channel."""
    block = int(block_size)
    n, channels, height, width = x.shape
    _divide("channels", channels, block * block)
    split = x.reshape(n, block, block, channels // block**2, height, width)
    return split.transpose(0, 3, 4, 1, 5, 2).reshape(n, channels // block**2, height * block, width * block)


def space_to_depth(x: Array, *, block_size: Array | int) -> Array:
    """n, channels * block², height / block, width / block: what `depth_to_space` undoes."""
    block = int(block_size)
    n, channels, height, width = x.shape
    split = _split(x, block, block)
    return split.transpose(0, 3, 5, 1, 2, 4).reshape(n, channels * block**2, height // block, width // block)


def pixel_shuffle(x: Array, *, upscale_factor: Array | int) -> Array:
    """n, channels / factor², height * factor, width * factor; the place in the block is the fast part of the channel."""
    factor = int(upscale_factor)
    n, channels, height, width = x.shape
    _divide("channels", channels, factor * factor)
    split = x.reshape(n, channels // factor**2, factor, factor, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(n, channels // factor**2, height * factor, width * factor)


def pixel_unshuffle(x: Array, *, downscale_factor: Array | int) -> Array:
    """n, channels * factor², height / factor, width / factor: what `pixel_shuffle` undoes."""
    factor = int(downscale_factor)
    n, channels, height, width = x.shape
    split = _split(x, factor, factor)
    return split.transpose(0, 1, 3, 5, 2, 4).reshape(n, channels * factor**2, height // factor, width // factor)


def space_to_batch(x: Array, *, block_shape: Array, paddings: Array) -> Array:
    """n * blocks, channels, padded height / block, padded width / block; the place in the block is the slow part."""
    rows, columns = (int(size) for size in block_shape)
    padded = np.pad(x, ((0, 0), (0, 0), *(tuple(pair) for pair in paddings)))
    n, channels, height, width = padded.shape
    split = _split(padded, rows, columns)
    return split.transpose(3, 5, 0, 1, 2, 4).reshape(n * rows * columns, channels, height // rows, width // columns)


def batch_to_space(x: Array, *, block_shape: Array, crops: Array) -> Array:
    """n / blocks, channels, height * block, width * block, then cropped: what `space_to_batch` undoes."""
    rows, columns = (int(size) for size in block_shape)
    n, channels, height, width = x.shape
    _divide("examples", n, rows * columns)
    split = x.reshape(rows, columns, n // (rows * columns), channels, height, width)
    joined = split.transpose(2, 3, 4, 0, 5, 1).reshape(n // (rows * columns), channels, height * rows, width * columns)
    return crop(joined, crop_height=crops[0], crop_width=crops[1])


def sliding_windows(x: Array, *, axis: Array | int, size: Array | int, stride: Array | int = 1) -> Array:
    """*ahead, windows, size, *behind: all windows of `size` along `axis`, `stride` apart; a view."""
    along = int(axis) % x.ndim
    if not 1 <= int(size) <= x.shape[along]:
        raise ValueError(f"sliding_windows of {int(size)} do not fit an axis of {x.shape[along]}")
    windows = np.lib.stride_tricks.sliding_window_view(x, int(size), axis=along)
    picked = windows[(slice(None),) * along + (slice(None, None, int(stride)),)]
    return np.moveaxis(picked, -1, along + 1)


def _split(x: Array, rows: int, columns: int) -> Array:
    """n, channels, blocks down, rows, blocks across, columns."""
    n, channels, height, width = x.shape
    _divide("rows", height, rows)
    _divide("columns", width, columns)
    return x.reshape(n, channels, height // rows, rows, width // columns, columns)


def _divide(what: str, count: int, parts: int) -> None:
    if parts < 1 or count % parts:
        raise ValueError(f"{count} {what} cannot be cut into blocks of {parts}")


OPS: Table = {
    "batch_to_space": batch_to_space,
    "crop": crop,
    "depth_to_space": depth_to_space,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "sliding_windows": sliding_windows,
    "space_to_batch": space_to_batch,
    "space_to_depth": space_to_depth,
}
