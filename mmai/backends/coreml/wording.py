"""How names, shapes and types are said in errors."""

from collections.abc import Iterable

from mmai.values.package import ArrayFormat, Feature, ImageFormat, Range


def listed(names: Iterable[str]) -> str:
    """`` `a`, `b` ``; empty of none."""
    return ", ".join(f"`{name}`" for name in names)


def said_shape(shape: tuple[int, ...]) -> str:
    """`1 x 3 x 32 x 32`; a scalar is said to be one."""
    return " x ".join(map(str, shape)) or "a single value"


def said_feature(feature: Feature) -> str:
    """What an input takes: `float32 of 1 x 80 x (1 to 3000)`, `a picture of 32 x 32 pixels`."""
    if feature.image is not None:
        return f"a picture of {said_sizes(feature.image)} pixels"
    if feature.array is not None:
        return f"{feature.array.dtype or 'an array'} of {said_shapes(feature.array)}"
    return {"dictionary": "a dictionary", "int64": "a whole number", "double": "a number", "string": "a text"}.get(
        feature.kind, feature.kind
    )


def said_shapes(array: ArrayFormat) -> str:
    """Every shape that is taken."""
    if array.ranges:
        return " x ".join(map(_said_range, array.ranges))
    return " or ".join(map(said_shape, dict.fromkeys((array.shape, *array.shapes))))


def said_sizes(image: ImageFormat) -> str:
    """Every size that is taken, width first."""
    if image.width_range and image.height_range:
        return f"{_said_range(image.width_range)} x {_said_range(image.height_range)}"
    return " or ".join(f"{width} x {height}" for width, height in dict.fromkeys(((image.width, image.height), *image.sizes)))


def _said_range(limits: Range) -> str:
    least, most = limits
    if most is None:
        return f"({least} or more)"
    return str(least) if least == most else f"({least} to {most})"
