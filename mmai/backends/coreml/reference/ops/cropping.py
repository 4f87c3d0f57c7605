"""Boxes of images, each made an image of one size."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.pixels import Pixels
from mmai.backends.coreml.reference.ops.sampling import grid

BOX_MODES = ("CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST", "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST")


def crop_resize(
    x: Array,
    *,
    roi: Array | None = None,
    boxes: Array | None = None,
    box_indices: Array | None = None,
    target_height: Array | int = 1,
    target_width: Array | int = 1,
    normalized_coordinates: Array | bool = False,
    spatial_scale: Array | float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: Array | float = 0.0,
) -> Array:
    """Each box of `x` (n, channels, height, width) as an image of the target size; `pad_value` where it leaves the image.

    `boxes` (count, 4) give count, channels, height, width, each from the image that `box_indices` names. `roi`
    (count, 1, 5, 1, 1), with the image first, gives count, 1, channels, …; of four numbers, count, n, channels, …

    Raises:
        ValueError: no boxes, an unknown mode, or an image that is not there.
    """
    size = int(target_height), int(target_width)
    given, images, lead = _boxes(x.shape[0], roi, boxes, box_indices)
    scale = np.array(x.shape[2:], np.float64) - 1 if bool(normalized_coordinates) else np.ones(2)
    start, end = _corners(given * float(spatial_scale), box_coordinate_mode)
    rows, columns = (
        _places_in_box(start[:, axis] * scale[axis], end[:, axis] * scale[axis], size[axis], sampling_mode) for axis in (0, 1)
    )
    found = Pixels(x, float(pad_value)).inside(rows[:, :, None], columns[:, None, :], images)
    return found.reshape(*lead, *found.shape[1:])


def _boxes(
    batch: int, roi: Array | None, boxes: Array | None, box_indices: Array | None
) -> tuple[Array, Array, tuple[int, ...]]:
    """Four numbers for each crop, the image it is from, and the leading axes of the result."""
    lead: tuple[int, ...]
    if boxes is not None:
        given, lead = boxes.astype(np.float64), (len(boxes),)
        images = np.arange(len(boxes)) if box_indices is None else box_indices.astype(np.intp)
    elif roi is not None and roi.shape[2] == 5:
        flat = roi.reshape(len(roi), 5).astype(np.float64)
        given, images, lead = flat[:, 1:], flat[:, 0].astype(np.intp), (len(roi), 1)
    elif roi is not None:
        given = np.repeat(roi.reshape(len(roi), 4).astype(np.float64), batch, axis=0)
        images, lead = np.tile(np.arange(batch), len(roi)), (len(roi), batch)
    else:
        raise ValueError("crop_resize was given neither `boxes` nor `roi`")
    if images.size and not 0 <= images.min() <= images.max() < batch:
        raise ValueError(f"crop_resize was given boxes of image {images.max()}, there are {batch}")
    return given, images, lead


def _corners(boxes: Array, mode: str) -> tuple[Array, Array]:
    """Start and end of each box, height first: two arrays of count x 2."""
    if mode not in BOX_MODES:
        raise ValueError(f"box_coordinate_mode `{mode}` is none of {', '.join(BOX_MODES)}")
    first, second = boxes[:, :2], boxes[:, 2:]
    if mode.endswith("WIDTH_FIRST"):
        first, second = first[:, ::-1], second[:, ::-1]
    return (first, second) if mode.startswith("CORNERS") else (first - second / 2, first + second / 2)


def _places_in_box(start: Array, end: Array, size: int, mode: str) -> Array:
    """Where each box is read along one axis: count x size. The box is an axis of its own, from its first pixel to its last."""
    reach = (end - start)[:, None]
    inside: Array = np.clip(grid(reach + 1, size, mode), np.minimum(reach, 0), np.maximum(reach, 0))
    return inside + start[:, None]


OPS: Table = {"crop_resize": crop_resize}
