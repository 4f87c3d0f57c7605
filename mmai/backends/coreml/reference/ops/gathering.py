"""Elements by their indices, read (gather) or replaced (scatter).

Negative indices count from the end, as before iOS 17; where the program has its indices validated, they are errors, as since.
An index outside is always an error: where nothing is validated, Core ML promises nothing about it.
"""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table

UFUNCS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}


def gather(
    x: Array, *, indices: Array, axis: Array | int = 0, batch_dims: Array | int = 0, validate_indices: Array | bool = False
) -> Array:
    """The slices of `x` along `axis`; the first `batch_dims` axes of both go together."""
    along, batch = int(axis) % x.ndim, int(batch_dims)
    where = _within(indices, x.shape[along], strict=bool(validate_indices))
    if not batch:
        out: Array = np.take(x, where, axis=along)
        return out
    shape = x.shape[:along] + where.shape[batch:] + x.shape[along + 1 :]
    rows = int(np.prod(x.shape[:batch], dtype=np.int64))
    each = zip(x.reshape(rows, *x.shape[batch:]), where.reshape(rows, *where.shape[batch:]), strict=True)
    return np.stack([np.take(part, at, axis=along - batch) for part, at in each]).reshape(shape)


def gather_along_axis(x: Array, *, indices: Array, axis: Array | int = 0, validate_indices: Array | bool = False) -> Array:
    """Of every line along `axis` the elements at the indices of the same line."""
    along = int(axis) % x.ndim
    return np.take_along_axis(x, _within(indices, x.shape[along], strict=bool(validate_indices)), along)


def gather_nd(x: Array, *, indices: Array, batch_dims: Array | int = 0, validate_indices: Array | bool = False) -> Array:
    """The slices of `x` at the points the last axis of `indices` names; the first `batch_dims` axes of both go together."""
    batch = int(batch_dims)
    return x[_points(x.shape, indices, batch, strict=bool(validate_indices))]


def scatter(
    *,
    data: Array,
    indices: Array,
    updates: Array,
    axis: Array | int = 0,
    mode: str = "add",
    validate_indices: Array | bool = False,
) -> Array:
    """`data` with slices along `axis` changed by `updates`, one after the other where an index comes twice."""
    along = int(axis) % data.ndim
    out = np.array(data)
    moved = np.moveaxis(out, along, 0)
    where = _within(indices, data.shape[along], strict=bool(validate_indices))
    # The axes of the indices stand in the updates where the axis stood.
    values = np.moveaxis(updates, range(along, along + where.ndim), range(where.ndim))
    _change(moved, (where,), values, mode)
    return out


def scatter_along_axis(
    *,
    data: Array,
    indices: Array,
    updates: Array,
    axis: Array | int = 0,
    mode: str = "add",
    validate_indices: Array | bool = False,
) -> Array:
    """`data` with elements of every line along `axis` changed, at the indices of the same line."""
    along = int(axis) % data.ndim
    out = np.array(data)
    where: list[Array] = list(np.indices(indices.shape, sparse=True))
    where[along] = _within(indices, data.shape[along], strict=bool(validate_indices))
    _change(out, tuple(where), updates, mode)
    return out


def scatter_nd(
    *, data: Array, indices: Array, updates: Array, mode: str = "add", validate_indices: Array | bool = False
) -> Array:
    """`data` with slices changed at the points the last axis of `indices` names."""
    out = np.array(data)
    _change(out, _points(data.shape, indices, 0, strict=bool(validate_indices)), updates, mode)
    return out


def _change(out: Array, where: tuple[Array, ...], values: Array, mode: str) -> None:
    if mode == "update":
        out[where] = values
    elif mode in UFUNCS:
        if mode == "div" and np.issubdtype(out.dtype, np.integer):
            np.floor_divide.at(out, where, values)
        else:
            UFUNCS[mode].at(out, where, values)
    else:
        raise ValueError(f"there is no scatter mode `{mode}`")


def _points(shape: tuple[int, ...], indices: Array, batch: int, *, strict: bool) -> tuple[Array, ...]:
    """One array of indices an axis: the batch's own, then those that were given."""
    own = np.indices(indices.shape[:batch], sparse=True)
    spread = tuple(each.reshape(each.shape + (1,) * (indices.ndim - 1 - batch)) for each in own)
    given = tuple(_within(indices[..., at], shape[batch + at], strict=strict) for at in range(indices.shape[-1]))
    return spread + given


def _within(indices: Array, size: int, *, strict: bool) -> Array:
    where: Array = np.asarray(indices).astype(np.int64)
    first = 0 if strict else -size
    if where.size and (int(where.min()) < first or int(where.max()) >= size):
        outside = where[(where < first) | (where >= size)].reshape(-1)[0]
        raise ValueError(f"there is no index {outside} in an axis of {size}")
    return where


OPS: Table = {
    "gather": gather,
    "gather_along_axis": gather_along_axis,
    "gather_nd": gather_nd,
    "scatter": scatter,
    "scatter_along_axis": scatter_along_axis,
    "scatter_nd": scatter_nd,
}
