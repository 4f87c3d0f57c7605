"""What is handed in, held to what the model's interface says, and brought into the form the program takes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.pixels import from_pixels
from mmai.backends.coreml.reference.types import STORED, held_as
from mmai.backends.coreml.reference.wording import said_feature, said_value
from mmai.errors import UsageError
from mmai.values.package import ArrayFormat, Feature, Function

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed


def take(function: Function, feeds: "Mapping[str, Feed]") -> dict[str, Any]:
    """A value for every input, defaults where an optional one is left out.

    Raises:
        UsageError: an input is missing, unknown, or not what the model takes.
    """
    hold_names(function, feeds)
    return {each.name: taken(each, feeds[each.name]) if each.name in feeds else default(each) for each in function.inputs}


def hold_names(function: Function, feeds: "Mapping[str, Feed]") -> None:
    """Everything is there that the model needs, and nothing it has no input for.

    Raises:
        UsageError: an input is missing or unknown.
    """
    names = [feature.name for feature in function.inputs]
    if unknown := [name for name in feeds if name not in names]:
        raise UsageError(f"the model has no input {_listed(unknown)}; it has {_listed(names) or 'none at all'}")
    if missing := [each.name for each in function.inputs if each.name not in feeds and not each.optional]:
        raise UsageError(f"the model needs {_listed(missing)}, which {'was' if len(missing) == 1 else 'were'} not handed in")


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def taken(feature: Feature, value: Any) -> Any:
    """One input in the form the program takes.

    Raises:
        UsageError: it is not what the model takes.
    """
    if feature.image is not None:
        return from_pixels(feature, feature.image, value)
    if feature.array is not None:
        return _array(feature, feature.array, value)
    return _plain(feature, value)


def default(feature: Feature) -> Any:
    """What an optional input is when it is left out."""
    if feature.array is None:
        raise UsageError(f"`{feature.name}` may be left out, and the model does not say what it is then")
    dtype = STORED.get(feature.array.dtype or "float32", np.dtype(np.float32))
    return np.full(feature.array.shape, feature.array.default or 0, dtype).astype(held_as(dtype))


def _array(feature: Feature, array: ArrayFormat, value: Any) -> Array:
    found = np.asarray(value)
    if found.ndim == 0 and not isinstance(value, np.ndarray) and array.shape and set(array.shape) == {1}:
        found = found.reshape(array.shape)
    dtype = STORED.get(array.dtype or "", np.dtype(np.float32) if found.dtype.kind == "f" else np.dtype(np.int32))
    if found.dtype.kind not in ("biuf" if dtype.kind == "f" else "biu") or not shape_fits(array, found.shape):
        raise UsageError(f"`{feature.name}` takes {said_feature(feature)}, not {said_value(value)}")
    return _cast(feature, found, dtype)


def shape_fits(array: ArrayFormat, shape: tuple[int, ...]) -> bool:
    """The shape is one the model takes; where its file says nothing, any is."""
    if array.ranges:
        return len(shape) == len(array.ranges) and all(
            least <= size and (most is None or size <= most) for size, (least, most) in zip(shape, array.ranges, strict=True)
        )
    allowed = {array.shape, *array.shapes} - {()}
    return not allowed or shape in allowed


def _cast(feature: Feature, found: Array, dtype: np.dtype[Any]) -> Array:
    """The same numbers in the declared type, as kernels hold it; floats may be rounded, whole numbers not be changed."""
    with np.errstate(all="ignore"):
        given = found.astype(dtype)
        if dtype.kind == "f" and found.dtype.kind == "f":
            lost = np.isinf(given) & np.isfinite(found)
        else:
            lost = given.astype(found.dtype) != found
    if lost.any():
        raise UsageError(f"`{feature.name}` takes {dtype}, which cannot hold {found[lost].reshape(-1)[0]}")
    return given.astype(held_as(dtype), copy=False)


def _plain(feature: Feature, value: Any) -> Any:
    kinds = {"string": str, "int64": int, "double": (int, float), "dictionary": Mapping}
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    wanted: Any = kinds.get(feature.kind, object)
    if not isinstance(value, wanted):
        raise UsageError(f"`{feature.name}` takes {said_feature(feature)}, not {said_value(value)}")
    return value
