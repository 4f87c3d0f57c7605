"""What is handed in, held to what the model's interface declares: names, shapes and types. Each executor has its own form for it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.wording import listed, said_feature, said_shape
from mmai.errors import UsageError
from mmai.values.package import ArrayFormat, Feature, Function, ImageFormat, Range

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed

Array = np.ndarray[Any, Any]


def hold_names(function: Function, feeds: "Mapping[str, Feed]") -> None:
    """Everything is there that the model needs, and nothing it has no input for.

    Raises:
        UsageError: an input is missing or unknown.
    """
    names = [feature.name for feature in function.inputs]
    if unknown := [name for name in feeds if name not in names]:
        raise UsageError(f"the model has no input {listed(unknown)}; it has {listed(names) or 'none at all'}")
    if missing := [each.name for each in function.inputs if each.name not in feeds and not each.optional]:
        raise UsageError(f"the model needs {listed(missing)}, which {'was' if len(missing) == 1 else 'were'} not handed in")


def declared(feature: Feature, value: Any) -> Any:
    """One input that is no picture, an array in the type the interface declares; floats may be rounded, whole numbers not be changed.

    Raises:
        UsageError: it is not what the model takes.
    """
    return _plain(feature, value) if feature.array is None else _array(feature, feature.array, value)


def shape_fits(array: ArrayFormat, shape: tuple[int, ...]) -> bool:
    """The shape is one the model takes; where its file says nothing, any is."""
    if array.ranges:
        return len(shape) == len(array.ranges) and all(map(_within, shape, array.ranges))
    allowed = {array.shape, *array.shapes} - {()}
    return not allowed or shape in allowed


def fitting_pixels(feature: Feature, image: ImageFormat, value: Any) -> Array:
    """The picture as it was handed in, if it is one that the model takes.

    Raises:
        UsageError: it is none.
    """
    channels = 3 if image.color in ("rgb", "bgr") else 1
    pixels: Array = np.asarray(value)
    kinds = "f" if image.color == "grayscale_float16" else ""
    fits = pixels.dtype == np.uint8 or pixels.dtype.kind in kinds
    if not fits or pixels.shape[2:] != ((3,) if channels == 3 else ()) or not _size_fits(image, pixels):
        raise UsageError(
            f"`{feature.name}` takes {said_feature(feature)} {'in color' if channels == 3 else 'in gray'}, not {_said(value)}"
        )
    return pixels


def _said(value: Any) -> str:
    """What was handed in: `float32 of 1 x 3`, `a text`."""
    if isinstance(value, str):
        return "a text"
    found = np.asarray(value)
    kind = "text" if found.dtype.kind in "US" else "something else" if found.dtype.kind == "O" else str(found.dtype)
    return f"{kind} of {said_shape(found.shape)}"


def _size_fits(image: ImageFormat, pixels: Array) -> bool:
    if pixels.ndim < 2:
        return False
    height, width = pixels.shape[:2]
    if image.width_range and image.height_range:
        return _within(width, image.width_range) and _within(height, image.height_range)
    return (width, height) in ((image.width, image.height), *image.sizes)


def _within(size: int, limits: Range) -> bool:
    return limits[0] <= size and (limits[1] is None or size <= limits[1])


def _array(feature: Feature, array: ArrayFormat, value: Any) -> Array:
    found = np.asarray(value)
    if found.ndim == 0 and not isinstance(value, np.ndarray) and array.shape and set(array.shape) == {1}:
        found = found.reshape(array.shape)
    dtype = np.dtype(array.dtype or ("float32" if found.dtype.kind == "f" else "int32"))
    if found.dtype.kind not in ("biuf" if dtype.kind == "f" else "biu") or not shape_fits(array, found.shape):
        raise UsageError(f"`{feature.name}` takes {said_feature(feature)}, not {_said(value)}")
    return _cast(feature, found, dtype)


def _cast(feature: Feature, found: Array, dtype: np.dtype[Any]) -> Array:
    with np.errstate(all="ignore"):
        given = found.astype(dtype)
        if dtype.kind == "f" and found.dtype.kind == "f":
            lost = np.isinf(given) & np.isfinite(found)
        else:
            # A large unsigned number comes back the same from what took it for a negative one.
            lost = (given.astype(found.dtype) != found) | ((given < 0) != (found < 0))
    if lost.any():
        raise UsageError(f"`{feature.name}` takes {dtype}, which cannot hold {found[lost].reshape(-1)[0]}")
    return given


def _plain(feature: Feature, value: Any) -> Any:
    kinds = {"string": str, "int64": int, "double": (int, float), "dictionary": Mapping}
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    wanted: Any = kinds.get(feature.kind, object)
    if not isinstance(value, wanted):
        raise UsageError(f"`{feature.name}` takes {said_feature(feature)}, not {_said(value)}")
    return value
