"""What goes into a model and comes out of it, from bytes. Field numbers are those of `Model.proto` and `FeatureTypes.proto`."""

import struct
from collections.abc import Iterator
from typing import Any, Literal

from msgspec.structs import replace

from mmai.dialects.coreml.mil_values import signed, spans, text
from mmai.dialects.coreml.wire import Buffer, Damaged, Span, few, fields, varint
from mmai.values.package import ArrayFormat, Color, Feature, FeatureKind, Function, ImageFormat, Range

KINDS: dict[int, FeatureKind] = {
    1: "int64",
    2: "double",
    3: "string",
    4: "image",
    5: "array",
    6: "dictionary",
    7: "sequence",
    8: "state",
}
COLORS: dict[int, Color] = {10: "grayscale", 20: "rgb", 30: "bgr", 40: "grayscale_float16"}
ARRAY_TYPES = {65552: "float16", 65568: "float32", 65600: "float64", 131080: "int8", 131104: "int32"}
IS_OPTIONAL = 1000

DICTIONARY_KEYS: dict[int, Literal["int64", "string"]] = {1: "int64", 2: "string"}

MOST_SHAPES = 10_000
"""More shapes, sizes or dimensions than any model has."""
MOST_FEATURES = 10_000
"""More inputs, outputs, states and functions."""
MOST_NOTES = 100_000
"""More of what an author can note."""


class Interface:
    """A `ModelDescription`, read once."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.default_function: str | None = None
        self.texts: dict[str, str] = {}
        """Of `description`, `version`, `author` and `license` those that are given."""
        self.notes: dict[str, str] = {}
        """What the author noted, by key."""


def read_interface(buffer: Buffer, span: Span) -> Interface:
    """A `ModelDescription`. What stands at its top is the one function of a model that lists none.

    Raises:
        Damaged: the bytes are none.
    """
    found = Interface()
    top: dict[str, Any] = {"name": "main"}
    for number, inner in few(spans(buffer, span), MOST_FEATURES, "inputs and outputs"):
        match number:
            case 1 | 10 | 13:
                _add(top, {1: "inputs", 10: "outputs", 13: "states"}[number], read_feature(buffer, inner))
            case 11:
                top["predicted_label"] = text(buffer, inner)
            case 12:
                top["predicted_probabilities"] = text(buffer, inner)
            case 20:
                found.functions.append(_function(buffer, inner))
            case 21:
                found.default_function = text(buffer, inner)
            case 100:
                _note(buffer, inner, found)
    found.functions = found.functions or [Function(**top)]
    return found


def _add(fields_of: dict[str, Any], name: str, feature: Feature) -> None:
    fields_of[name] = (*fields_of.get(name, ()), feature)


def _function(buffer: Buffer, span: Span) -> Function:
    found: dict[str, Any] = {"name": ""}
    for number, inner in few(spans(buffer, span), MOST_FEATURES, "inputs and outputs"):
        match number:
            case 1:
                found["name"] = text(buffer, inner)
            case 2 | 3 | 6:
                _add(found, {2: "inputs", 3: "outputs", 6: "states"}[number], read_feature(buffer, inner))
            case 4:
                found["predicted_label"] = text(buffer, inner)
            case 5:
                found["predicted_probabilities"] = text(buffer, inner)
    return Function(**found)


def _note(buffer: Buffer, span: Span, into: Interface) -> None:
    names = {1: "description", 2: "version", 3: "author", 4: "license"}
    for number, inner in few(spans(buffer, span), MOST_NOTES, "notes"):
        if number in names:
            into.texts[names[number]] = text(buffer, inner)
        elif number == 100:
            # A key or a value that is empty is left out of the bytes.
            row = {part: text(buffer, where) for part, where in spans(buffer, inner)}
            into.notes[row.get(1, "")] = row.get(2, "")


def read_feature(buffer: Buffer, span: Span) -> Feature:
    """A `FeatureDescription`.

    Raises:
        Damaged: the bytes are none.
    """
    found: dict[str, Any] = {"name": "", "kind": "unknown"}
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                found["name"] = text(buffer, inner)
            case 2:
                found["description"] = text(buffer, inner)
            case 3:
                found |= _type(buffer, inner)
    return Feature(**found)


def _type(buffer: Buffer, span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, wire, value in fields(buffer, *span):
        if number == IS_OPTIONAL and wire == 0:
            found["optional"] = bool(value)
        if wire != 2 or number not in KINDS:
            continue
        found["kind"] = KINDS[number]
        match KINDS[number]:
            case "image":
                found["image"] = _image(buffer, value)
            case "array":
                found["array"] = _array(buffer, value)
            case "dictionary":
                found["keys"] = next((DICTIONARY_KEYS[key] for key, _ in spans(buffer, value) if key in DICTIONARY_KEYS), None)
            case "state":
                found["array"] = next((_array(buffer, inner) for key, inner in spans(buffer, value) if key == 1), None)
    return found


def _image(buffer: Buffer, span: Span) -> ImageFormat:
    found: dict[str, Any] = {"width": 0, "height": 0, "color": "rgb"}
    for number, wire, value in fields(buffer, *span):
        match number, wire:
            case (1, 0) | (2, 0):
                found["width" if number == 1 else "height"] = signed(value)
            case 3, 0:
                found["color"] = COLORS.get(value, "rgb")
            case 21, 2:
                found["sizes"] = tuple(_size(buffer, inner) for key, inner in _several(buffer, value) if key == 1)
            case 31, 2:
                ranges = {key: _range(buffer, inner) for key, inner in spans(buffer, value)}
                found |= {"width_range": ranges.get(1), "height_range": ranges.get(2)}
    return _with_size(ImageFormat(**found))


def _with_size(image: ImageFormat) -> ImageFormat:
    """Where only several sizes are given, the first or the smallest is the default, as `DataType.cpp` of coremltools has it."""
    if image.width > 0 and image.height > 0:
        return image
    if image.sizes:
        width, height = image.sizes[0]
    elif image.width_range and image.height_range:
        width, height = image.width_range[0], image.height_range[0]
    else:
        return image
    return replace(image, width=width, height=height)


def _size(buffer: Buffer, span: Span) -> tuple[int, int]:
    found = {number: signed(value) for number, wire, value in fields(buffer, *span) if wire == 0}
    return found.get(1, 0), found.get(2, 0)


def _array(buffer: Buffer, span: Span) -> ArrayFormat:
    found: dict[str, Any] = {}
    shape: list[int] = []
    for number, wire, value in fields(buffer, *span):
        match number, wire:
            case 1, _:
                shape += _sizes(buffer, wire, value)
            case 2, 0:
                found["dtype"] = ARRAY_TYPES.get(value)
            case 21, 2:
                found["shapes"] = tuple(_shape(buffer, inner) for key, inner in _several(buffer, value) if key == 1)
            case 31, 2:
                found["ranges"] = tuple(_range(buffer, inner) for key, inner in _several(buffer, value) if key == 1)
            case 41, 0:
                found["default"] = float(signed(value))
            case (51, 5) | (61, 1):
                found["default"] = struct.unpack("<f" if wire == 5 else "<d", bytes(buffer[value[0] : value[1]]))[0]
    return ArrayFormat(shape=tuple(shape), **found)


def _shape(buffer: Buffer, span: Span) -> tuple[int, ...]:
    shape: list[int] = []
    for number, wire, value in fields(buffer, *span):
        if number == 1:
            shape += _sizes(buffer, wire, value)
    return tuple(shape)


def _range(buffer: Buffer, span: Span) -> Range:
    """A `SizeRange`, whose upper bound is -1 where there is none."""
    found = {number: value for number, wire, value in fields(buffer, *span) if wire == 0}
    upper = signed(found.get(2, 0))
    return found.get(1, 0), None if upper < 0 else upper


def _several(buffer: Buffer, span: Span) -> Iterator[tuple[int, Span]]:
    return few(spans(buffer, span), MOST_SHAPES, "shapes of one input")


def _sizes(buffer: Buffer, wire: int, value: Any) -> list[int]:
    return list(few(whole_numbers(buffer, wire, value), MOST_SHAPES, "dimensions"))


def whole_numbers(buffer: Buffer, wire: int, value: Any) -> Iterator[int]:
    """A repeated number, one by one or packed."""
    if wire == 0:
        yield signed(value)
        return
    if wire != 2:
        raise Damaged("a whole number is written as something else")
    at, end = value
    while at < end:
        item, at = varint(buffer, at, end)
        yield signed(item)
