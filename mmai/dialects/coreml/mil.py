"""An ML Program as values: types, constants, operations and blocks, as the specification's `MIL.proto` has them.

Constants stay as they are stored; weights are only named, since they lie in files of their own.
"""

from typing import Literal

from msgspec import Struct

Shape = tuple[int | None, ...]
"""None is a size known only when the model runs."""


class TensorType(Struct, frozen=True):
    """A tensor; a scalar has no dimensions."""

    dtype: str
    """`float16`, `int4`, `bool`, `string` … or `unknown`."""
    shape: Shape | None = ()
    """None where even the number of dimensions is open."""


class ListType(Struct, frozen=True):
    """A list of values of one type."""

    element: "Type"
    length: int | None = None


class TupleType(Struct, frozen=True):
    """A fixed row of values."""

    elements: "tuple[Type, ...]"


class DictionaryType(Struct, frozen=True):
    """A table, such as of classes."""

    key: "Type"
    value: "Type"


class StateType(Struct, frozen=True):
    """What stays from one prediction to the next."""

    wrapped: "Type"


Type = TensorType | ListType | TupleType | DictionaryType | StateType | None
"""None is a type the file does not give."""


class Elements(Struct, frozen=True):
    """The elements of a tensor that stands in the program itself, in C order."""

    form: Literal["float32", "float64", "packed", "whole", "text"]
    """Of `raw`: little-endian floats, or elements of the tensor's own type, several in a byte where they are small.
    Of `items`: whole numbers (also for bool), or texts."""
    raw: bytes = b""
    items: tuple[int, ...] | tuple[str, ...] = ()


class BlobFile(Struct, frozen=True):
    """A tensor that lies in a file of weights."""

    file: str
    """With `@model_path` for the folder of the specification."""
    offset: int
    """Of the record that describes it, in bytes."""


class Items(Struct, frozen=True):
    """The elements of a list or a tuple."""

    values: "tuple[Value, ...]"


class Entries(Struct, frozen=True):
    """The rows of a dictionary."""

    pairs: "tuple[tuple[Value, Value], ...]"


class Value(Struct, frozen=True):
    """A constant."""

    type: Type
    content: Elements | BlobFile | Items | Entries | None = None
    """None where the file gives none."""


Binding = str | Value
"""The name of a value computed before, or a constant."""


class Named(Struct, frozen=True):
    """An input or an output."""

    name: str
    type: Type


class Operation(Struct, frozen=True):
    """One step of a block."""

    type: str
    inputs: dict[str, tuple[Binding, ...]]
    outputs: tuple[Named, ...]
    blocks: "tuple[Block, ...]" = ()
    attributes: dict[str, Value] = {}
    name: str = ""
    """From its attributes, as the exporter called it."""


class Block(Struct, frozen=True):
    """Operations in the order they are computed, and the names of what comes out."""

    inputs: tuple[Named, ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]


class Function(Struct, frozen=True):
    """One entry point: its inputs, and the block that is written for its opset."""

    inputs: tuple[Named, ...]
    opset: str
    block: Block
