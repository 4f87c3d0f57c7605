"""What a program gave, as the model's interface declares it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.pixels import to_pixels
from mmai.backends.coreml.reference.types import STORED
from mmai.errors import ProviderError
from mmai.values.package import ArrayFormat, Feature, Function

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output


def give(function: Function, values: Mapping[str, Any]) -> "dict[str, Output]":
    """Every output by its name. Arrays are the caller's own.

    Raises:
        ProviderError: a value is not what the interface declares.
    """
    return {feature.name: given(feature, values[feature.name]) for feature in function.outputs}


def given(feature: Feature, value: Any) -> Any:
    """One output in its declared form."""
    if not isinstance(value, np.ndarray):
        return value
    if feature.image is not None:
        try:
            return to_pixels(feature.image, value)
        except ValueError as exc:
            raise ProviderError(f"its output `{feature.name}` is no picture: {exc}") from exc
    return _array(feature.array or ArrayFormat(), value)


def _array(array: ArrayFormat, value: Array) -> Array:
    """A copy, since what came out may be a constant or a state."""
    with np.errstate(all="ignore"):
        found = np.array(value, STORED.get(array.dtype or "", value.dtype), order="C")
    single = found.ndim == 0 and set(array.shape) == {1}
    return found.reshape(array.shape) if single else found
