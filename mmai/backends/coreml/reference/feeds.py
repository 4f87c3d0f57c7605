"""What is handed in, brought into the form the program takes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.feeds import declared, hold_names
from mmai.backends.coreml.reference.pixels import from_pixels
from mmai.backends.coreml.reference.types import STORED, held_as
from mmai.errors import UsageError
from mmai.values.package import Feature, Function

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed


def take(function: Function, feeds: "Mapping[str, Feed]") -> dict[str, Any]:
    """A value for every input, defaults where an optional one is left out.

    Raises:
        UsageError: an input is missing, unknown, or not what the model takes.
    """
    hold_names(function, feeds)
    return {each.name: _taken(each, feeds[each.name]) if each.name in feeds else default(each) for each in function.inputs}


def default(feature: Feature) -> Any:
    """What an optional input is when it is left out."""
    if feature.array is None:
        raise UsageError(f"`{feature.name}` may be left out, and the model does not say what it is then")
    dtype = STORED.get(feature.array.dtype or "float32", np.dtype(np.float32))
    return np.full(feature.array.shape, feature.array.default or 0, dtype).astype(held_as(dtype))


def _taken(feature: Feature, value: Any) -> Any:
    if feature.image is not None:
        return from_pixels(feature, feature.image, value)
    given = declared(feature, value)
    return given.astype(held_as(given.dtype), copy=False) if feature.array is not None else given
