"""Images read at places of the model's own choosing: grids of coordinates, affine maps."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.pixels import Pixels


def resample(
    x: Array,
    *,
    coordinates: Array,
    sampling_mode: str,
    padding_mode: str,
    padding_value: Array | float,
    coordinates_mode: str,
    align_corners: Array | bool,
) -> Array:
    """`x` (n, channels, height, width) read at `coordinates` (n, rows, columns, 2), each x before y: n, channels, rows, columns.

    Bilinear or nearest (halves to the even one), as PyTorch's `grid_sample` does it.

    Raises:
        ValueError: an unknown mode.
    """
    height, width = x.shape[2:]
    columns, rows = (
        _padded_places(_pixels(coordinates[..., axis], size, coordinates_mode, bool(align_corners)), size, padding_mode)
        for axis, size in enumerate((width, height))
    )
    pixels = Pixels(x, float(padding_value))
    if sampling_mode == "nearest":
        return pixels.at(np.rint(rows), np.rint(columns))
    if sampling_mode != "bilinear":
        raise ValueError(f"sampling_mode `{sampling_mode}` is neither bilinear nor nearest")
    return pixels.between(rows, columns)


def affine(
    x: Array,
    *,
    transform_matrix: Array,
    output_height: Array | int,
    output_width: Array | int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: Array | float,
    coordinates_mode: str,
    align_corners: Array | bool,
) -> Array:
    """`resample` at the places that the map (n or 1, 6) sends the pixels of the result to.

    Raises:
        ValueError: coordinates that are not from -1 to 1.
    """
    if coordinates_mode != "normalized_minus_one_to_one":
        raise ValueError(f"affine takes coordinates from minus one to one, not `{coordinates_mode}`")
    across, down = (_ends(int(size), bool(align_corners)) for size in (output_width, output_height))
    maps = np.broadcast_to(transform_matrix, (x.shape[0], 6)).reshape(-1, 2, 3).astype(np.float64)
    plane = np.stack(np.broadcast_arrays(across[None, :], down[:, None], 1.0), axis=-1)
    return resample(
        x,
        coordinates=np.einsum("hwk,njk->nhwj", plane, maps),
        sampling_mode=sampling_mode,
        padding_mode=padding_mode,
        padding_value=padding_value,
        coordinates_mode=coordinates_mode,
        align_corners=align_corners,
    )


def _pixels(coordinates: Array, size: int, mode: str, align_corners: bool) -> Array:
    """Coordinates along one axis, in pixels: the middle of the first is 0."""
    wide = coordinates.astype(np.float64)
    if mode == "unnormalized":
        return wide
    if mode not in ("normalized_minus_one_to_one", "normalized_zero_to_one"):
        raise ValueError(f"coordinates_mode `{mode}` is not taken")
    share = (wide + 1) / 2 if mode == "normalized_minus_one_to_one" else wide
    return share * (size - 1) if align_corners else share * size - 0.5


def _padded_places(places: Array, size: int, mode: str) -> Array:
    """Places outside an axis brought into it as the padding says; with `constant` they stay outside."""
    match mode:
        case "constant":
            return places
        case "border":
            folded = places
        case "reflection":
            folded = _folded(places, 0.0, size - 1.0)
        case "symmetric":
            folded = _folded(places, -0.5, size - 0.5)
        case _:
            raise ValueError(f"padding_mode `{mode}` is none of constant, border, reflection, symmetric")
    return np.clip(folded, 0, size - 1)


def _folded(places: Array, low: float, high: float) -> Array:
    """Mirrored at both ends until they lie between them."""
    if high == low:
        return np.full_like(places, low)
    span = high - low
    return low + span - np.abs((places - low) % (2 * span) - span)


def _ends(size: int, align_corners: bool) -> Array:
    """`size` places from -1 to 1, at the middles of the outer pixels or at their edges; a single one lies in the middle."""
    if size == 1:
        return np.zeros(1)
    places = np.linspace(-1.0, 1.0, size)
    return places if align_corners else places * ((size - 1) / size)


OPS: Table = {"affine": affine, "resample": resample}
