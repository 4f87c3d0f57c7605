"""The same elements in another shape or order; and shapes as values."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def reshape(x: Array, *, shape: Array) -> Array:
    """To `shape`, where -1 takes what is left, and 0 keeps the size of `x` there, counted from the last axis (before it: 1)."""
    wanted = shape.reshape(-1).tolist()
    sizes = ([1] * len(wanted) + list(x.shape))[len(x.shape) :]
    return x.reshape([own if size == 0 and x.size else size for size, own in zip(wanted, sizes, strict=True)])


def reshape_like(x: Array, *, ref_tensors: list[Array], begins: Array, ends: Array, end_masks: Array) -> Array:
    """To the sizes of other tensors, a run of axes from each."""
    sizes: list[int] = []
    for tensor, begin, end, open_end in zip(ref_tensors, begins, ends, end_masks, strict=True):
        sizes += tensor.shape[int(begin) : None if open_end else int(end)]
    return x.reshape(sizes)


def expand_dims(x: Array, *, axes: Array) -> Array:
    """With an axis of size one at each of `axes`."""
    return np.expand_dims(x, tuple(int(axis) for axis in np.atleast_1d(axes)))


def squeeze(x: Array, *, axes: Array | None = None) -> Array:
    """Without those of `axes`, or without any of size one."""
    out: Array = np.squeeze(x, None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes)))
    return out


def transpose(x: Array, *, perm: Array) -> Array:
    """With its axes in the order `perm`."""
    return np.transpose(x, [int(axis) for axis in perm])


def flatten2d(x: Array, *, axis: Array | int = 1) -> Array:
    """Two axes: those before `axis`, and the rest."""
    at = int(axis) + x.ndim if int(axis) < 0 else int(axis)
    return x.reshape(int(np.prod(x.shape[:at], dtype=np.int64)), -1)


def stack(*, values: list[Array], axis: Array | int) -> Array:
    """Along a new axis."""
    return np.stack(values, int(axis))


def concat(*, values: list[Array], axis: Array | int, interleave: Array | bool = False) -> Array:
    """Along an axis; interleaved, the first of each comes before the second of any."""
    if not values[0].ndim:
        return np.stack(values)
    if not bool(interleave):
        return np.concatenate(values, int(axis))
    at = int(axis) % values[0].ndim
    shape = list(values[0].shape)
    shape[at] *= len(values)
    return np.stack(values, at + 1).reshape(shape)


def split(
    x: Array, *, axis: Array | int, num_splits: Array | int | None = None, split_sizes: Array | None = None
) -> tuple[Array, ...]:
    """Into pieces along an axis: of `split_sizes`, or as many as `num_splits` of one size."""
    at = int(axis)
    if split_sizes is None:
        if num_splits is None:
            raise ValueError("it says neither how many pieces nor how large")
        return tuple(np.split(x, int(num_splits), at))
    return tuple(np.split(x, np.cumsum(split_sizes)[:-1].tolist(), at))


def tile(x: Array, *, reps: Array) -> Array:
    """Repeated along every axis."""
    return np.tile(x, [int(count) for count in reps])


def reverse(x: Array, *, axes: Array | None = None) -> Array:
    """Backwards along `axes`, or along all."""
    return np.flip(x, None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes)))


def reverse_sequence(x: Array, *, lengths: Array, seq_axis: Array | int = 0, batch_axis: Array | int = 0) -> Array:
    """Each sequence of a batch backwards over its own length; what follows stays."""
    moved = np.moveaxis(x, (int(batch_axis), int(seq_axis)), (0, 1))
    at = np.arange(moved.shape[1])[None]
    length = np.asarray(lengths).reshape(-1, 1)
    order = np.where(at < length, length - 1 - at, at)
    out = moved[np.arange(moved.shape[0])[:, None], order]
    return np.moveaxis(out, (0, 1), (int(batch_axis), int(seq_axis)))


MODES = {"reflect": "reflect", "replicate": "edge"}


def pad(x: Array, *, pad: Array, mode: str = "constant", constant_val: Array | float = 0.0) -> Array:
    """Longer at both ends of the last axes; `pad` has two numbers an axis."""
    rows = np.asarray(pad).reshape(-1, 2).tolist()
    widths = [(0, 0)] * (x.ndim - len(rows)) + [(int(before), int(after)) for before, after in rows]
    if mode == "constant":
        return np.pad(x, widths, constant_values=np.asarray(constant_val).astype(x.dtype))
    if mode not in MODES:
        raise ValueError(f"there is no padding mode `{mode}`")
    return np.pad(x, widths, mode=MODES[mode])  # type: ignore[call-overload]


def shape(x: Array) -> Array:
    """Its sizes as int32."""
    return np.array(x.shape, np.int32)


OPS: Table = {
    "concat": concat,
    "expand_dims": expand_dims,
    "flatten2d": flatten2d,
    "pad": pad,
    "reshape": reshape,
    "reshape_like": reshape_like,
    "reverse": reverse,
    "reverse_sequence": reverse_sequence,
    "shape": shape,
    "split": split,
    "squeeze": squeeze,
    "stack": stack,
    "tile": tile,
    "transpose": transpose,
}
