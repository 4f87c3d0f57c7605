"""Where the elements of a resized axis lie on the one they are taken from, and what is read there."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array


def grid(size: Array | float, places: int, mode: str) -> Array:
    """Position of each of `places` elements on an axis of `size`, whose elements lie at 0, 1, … size - 1; float64.

    Several sizes, as a column, give a row of positions each.

    Positions before 0 or past the last element are not clamped here. Source: coremltools, `resize_bilinear`.

    Raises:
        ValueError: an unknown mode.
    """
    steps = np.arange(places, dtype=np.float64)
    match mode:
        case "STRICT_ALIGN_CORNERS":
            return steps * ((size - 1) / max(1, places - 1))
        case "ALIGN_CORNERS":
            return grid(size, places, "STRICT_ALIGN_CORNERS") if places > 1 else steps + (size - 1) / 2
        case "DEFAULT":
            return steps * (size / places)
        case "OFFSET_CORNERS":
            return (steps + 0.5) * (np.maximum(1, size - 1) / places)
        case "UNALIGN_CORNERS":
            return (steps + 0.5) * (size / places) - 0.5
    raise ValueError(
        f"sampling_mode `{mode}` is none of STRICT_ALIGN_CORNERS, ALIGN_CORNERS, DEFAULT, OFFSET_CORNERS, UNALIGN_CORNERS"
    )


def interpolate(x: Array, axis: int, positions: Array) -> Array:
    """`x` read between its elements along `axis`; positions outside read the first or the last one."""
    last = x.shape[axis] - 1
    at = np.clip(positions, 0, last)
    low = np.floor(at).astype(np.intp)
    share = (at - low).astype(np.float32).reshape(-1, *(1,) * (x.ndim - 1 - axis % x.ndim))
    if not share.any():
        return x if np.array_equal(low, np.arange(last + 1)) else pick(x, axis, low)
    out, above = (pick(x, axis, places).astype(np.float32, copy=False) for places in (low, low + 1))
    out *= 1 - share
    above *= share
    out += above
    return out


def pick(x: Array, axis: int, places: Array) -> Array:
    """The elements of `x` at whole places along `axis`; places outside give the first or the last one."""
    picked: Array = x.take(np.clip(places, 0, x.shape[axis] - 1).astype(np.intp), axis)
    return picked
