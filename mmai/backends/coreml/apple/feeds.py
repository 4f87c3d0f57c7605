"""What is handed in as Core ML takes it, and what comes out as the model declares it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.apple.frames import Array, BadFrame
from mmai.backends.coreml.apple.messages import Value
from mmai.backends.coreml.feeds import declared, fitting_pixels, hold_names
from mmai.values.package import Feature, Function

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed, Output

MODES = {"rgb": "RGB", "bgr": "RGB", "grayscale": "L", "grayscale_float16": "F"}
"""Pillow's mode for each kind of picture; Core ML itself puts blue first where the model wants that."""


def modes(function: Function) -> dict[str, str]:
    """The modes of the inputs that are pictures."""
    return {feature.name: MODES[feature.image.color] for feature in function.inputs if feature.image}


def wired(function: Function, feeds: "Mapping[str, Feed]") -> tuple[list[Value], list[Array]]:
    """The inputs as they are announced, and the arrays that follow.

    Raises:
        UsageError: one is missing, unknown, or not what the model takes.
    """
    hold_names(function, feeds)
    features = {feature.name: feature for feature in function.inputs}
    values, arrays = [], []
    for name, value in feeds.items():
        given = _given(features[name], value)
        values.append(announced(name, given, image=features[name].image is not None))
        if isinstance(given, np.ndarray):
            arrays.append(given)
    return values, arrays


def announced(name: str, value: Any, *, image: bool = False) -> Value:
    """A value as it stands in a message."""
    if isinstance(value, np.ndarray):
        return Value(name=name, kind="image" if image else "array", dtype=value.dtype.name, shape=value.shape)
    return Value(name=name, kind="plain", plain=value)


def unwired(values: Sequence[Value], arrays: Sequence[Array]) -> Iterator[tuple[Value, Any]]:
    """Every value with what it is."""
    rest = iter(arrays)
    return ((value, value.plain if value.kind == "plain" else next(rest)) for value in values)


def outputs(function: Function, values: Sequence[Value], arrays: Sequence[Array]) -> "dict[str, Output]":
    """What came out, in the types the model declares: Core ML's own Python layer gives float32 for float16.

    Raises:
        BadFrame: an output is missing, or there is one the model does not have.
    """
    features = {feature.name: feature for feature in function.outputs}
    found = {value.name: content for value, content in unwired(values, arrays)}
    if set(found) != set(features):
        raise BadFrame(f"it gave {sorted(found)[:8]}, and the model has {sorted(features)[:8]}")
    return {name: _of_type(features[name], found[name]) for name in features}


def _given(feature: Feature, value: Any) -> Any:
    if feature.image is not None:
        return fitting_pixels(feature, feature.image, value)
    given = declared(feature, value)
    return given.astype(np.float32) if isinstance(given, np.ndarray) and given.dtype == np.float16 else given


def _of_type(feature: Feature, value: Any) -> Any:
    if feature.image is not None or feature.array is None or not isinstance(value, np.ndarray):
        return value
    dtype = feature.array.dtype
    with np.errstate(over="ignore"):
        return value if dtype is None else value.astype(dtype, copy=False)
