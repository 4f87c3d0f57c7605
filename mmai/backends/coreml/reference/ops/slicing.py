"""Parts of a tensor by where they begin and end, read or replaced."""

from typing import Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def slice_by_index(x: Array, *, begin: Array, end: Array, **how: Any) -> Array:
    """x[begin:end:stride] along every axis. A masked bound is open, a squeezed axis is one element and gone.

    Args:
        how: `stride`, `begin_mask`, `end_mask` and `squeeze_mask`, one element an axis.
    """
    return x[_window(x.shape, begin, end, **how)]


def slice_by_size(x: Array, *, begin: Array, size: Array) -> Array:
    """From `begin` on `size` elements of every axis; -1 is all that are left."""
    starts = [int(start) + length if start < 0 else int(start) for start, length in zip(begin, x.shape, strict=True)]
    return x[
        tuple(slice(start, None if count == -1 else start + int(count)) for start, count in zip(starts, size, strict=True))
    ]


def slice_update(x: Array, *, update: Array, begin: Array, end: Array, **how: Any) -> Array:
    """`x` with what `slice_by_index` would give replaced."""
    out = np.array(x)
    out[_window(x.shape, begin, end, **how)] = update
    return out


def _window(
    shape: tuple[int, ...],
    begin: Array,
    end: Array,
    *,
    stride: Array | None = None,
    begin_mask: Array | None = None,
    end_mask: Array | None = None,
    squeeze_mask: Array | None = None,
) -> tuple[int | slice, ...]:
    window: list[int | slice] = []
    for at in range(len(shape)):
        step = 1 if stride is None else int(stride[at])
        first = None if begin_mask is not None and begin_mask[at] else int(begin[at])
        last = None if end_mask is not None and end_mask[at] else int(end[at])
        if squeeze_mask is not None and squeeze_mask[at]:
            window.append(0 if first is None else first)
        else:
            window.append(slice(first, last, step))
    return tuple(window)


def band_part(x: Array, *, lower: Array | int = -1, upper: Array | int = -1) -> Array:
    """The last two axes as a matrix, with zeros further than `lower` below and `upper` above its diagonal; negative is no limit."""
    rows, columns = np.indices(x.shape[-2:], sparse=True)
    inside = np.ones(x.shape[-2:], np.bool_)
    if int(lower) >= 0:
        inside &= rows - columns <= int(lower)
    if int(upper) >= 0:
        inside &= columns - rows <= int(upper)
    return np.where(inside, x, np.zeros((), x.dtype))


OPS: Table = {
    "band_part": band_part,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "slice_update": slice_update,
}
