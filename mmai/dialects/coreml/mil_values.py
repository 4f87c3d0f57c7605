"""Types and constants of an ML Program, from bytes. Field numbers are those of `MIL.proto`."""

from collections.abc import Iterator
from itertools import islice

from mmai.dialects.coreml.mil import (
    BlobFile,
    DictionaryType,
    Elements,
    Entries,
    Items,
    ListType,
    StateType,
    TensorType,
    TupleType,
    Type,
    Value,
)
from mmai.dialects.coreml.wire import Buffer, Damaged, Span, fields, varint

DEEPEST = 100
"""Levels of messages within messages; more is no model but an attack. Source: the limit of Google's own parsers."""

MOST_FIELDS = 1000
"""Of a message where each comes once; messages of `MIL.proto` have seven at most, and what comes after so many is not looked at."""

DTYPES = {
    1: "bool",
    2: "string",
    10: "float16",
    11: "float32",
    12: "float64",
    13: "bfloat16",
    21: "int8",
    22: "int16",
    23: "int32",
    24: "int64",
    25: "int4",
    31: "uint8",
    32: "uint16",
    33: "uint32",
    34: "uint64",
    35: "uint4",
    36: "uint2",
    37: "uint1",
    38: "uint6",
    39: "uint3",
    40: "float8e4m3fn",
    41: "float8e5m2",
}


def spans(buffer: Buffer, span: Span) -> Iterator[tuple[int, Span]]:
    """The fields that have a length: messages, texts and packed numbers. A field of another wire type is skipped."""
    return ((number, value) for number, wire, value in fields(buffer, *span) if wire == 2)


def last(buffer: Buffer, span: Span) -> dict[int, Span]:
    """The fields that have a length, of a message where each comes once."""
    return dict(islice(spans(buffer, span), MOST_FIELDS))


def numbers(buffer: Buffer, span: Span) -> dict[int, int]:
    """The fields that are numbers, of a message where each comes once."""
    return {number: value for number, wire, value in islice(fields(buffer, *span), MOST_FIELDS) if wire == 0}


def text(buffer: Buffer, span: Span) -> str:
    """A text; what is not UTF-8 in it is replaced."""
    return bytes(buffer[span[0] : span[1]]).decode("utf-8", "replace")


def entry(buffer: Buffer, span: Span) -> tuple[str, Span]:
    """Key and value of one row of a map.

    Raises:
        Damaged: it lacks one of them.
    """
    parts = last(buffer, span)
    if 1 not in parts or 2 not in parts:
        raise Damaged("an entry of a table has no key or no value")
    return text(buffer, parts[1]), parts[2]


def signed(value: int) -> int:
    """A number of 64 bits as two's complement has it."""
    return value - (1 << 64) if value >> 63 else value


def read_type(buffer: Buffer, span: Span, *, depth: int = 0) -> Type:
    """A `ValueType`."""
    deeper(depth)
    found: Type = None
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                found = _tensor_type(buffer, inner)
            case 2:
                parts = last(buffer, inner)
                length = _dimension(buffer, parts[2]) if 2 in parts else None
                found = ListType(_part_type(buffer, parts, 1, depth), length)
            case 3:
                found = TupleType(tuple(read_type(buffer, each, depth=depth + 1) for field, each in spans(buffer, inner)))
            case 4:
                parts = last(buffer, inner)
                found = DictionaryType(_part_type(buffer, parts, 1, depth), _part_type(buffer, parts, 2, depth))
            case 5:
                found = StateType(_part_type(buffer, last(buffer, inner), 1, depth))
    return found


def deeper(depth: int) -> None:
    """Hold messages within messages to a limit.

    Raises:
        Damaged: there are more than any model has.
    """
    if depth > DEEPEST:
        raise Damaged(f"its values lie more than {DEEPEST} levels deep")


def _part_type(buffer: Buffer, parts: dict[int, Span], number: int, depth: int) -> Type:
    return read_type(buffer, parts[number], depth=depth + 1) if number in parts else None


def _tensor_type(buffer: Buffer, span: Span) -> TensorType:
    plain = numbers(buffer, span)
    shape = tuple(_dimension(buffer, inner) for number, inner in spans(buffer, span) if number == 3)
    open_rank = signed(plain.get(2, len(shape))) < 0 or any(
        _variadic(buffer, each) for n, each in spans(buffer, span) if n == 3
    )
    return TensorType(DTYPES.get(plain.get(1, 0), "unknown"), None if open_rank else shape)


def _dimension(buffer: Buffer, span: Span) -> int | None:
    constant = last(buffer, span).get(1)
    return None if constant is None else numbers(buffer, constant).get(1, 0)


def _variadic(buffer: Buffer, span: Span) -> bool:
    unknown = last(buffer, span).get(2)
    return unknown is not None and bool(numbers(buffer, unknown).get(1, 0))


def read_value(buffer: Buffer, span: Span, *, depth: int = 0) -> Value:
    """A `Value`: its type, and what it holds."""
    deeper(depth)
    parts = last(buffer, span)
    kind = read_type(buffer, parts[2]) if 2 in parts else None
    if 5 in parts:
        blob = parts[5]
        name = last(buffer, blob).get(1)
        return Value(kind, BlobFile("" if name is None else text(buffer, name), numbers(buffer, blob).get(2, 0)))
    return Value(kind, _immediate(buffer, parts[3], depth) if 3 in parts else None)


def _immediate(buffer: Buffer, span: Span, depth: int) -> Elements | Items | Entries | None:
    found: Elements | Items | Entries | None = None
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                found = _elements(buffer, inner)
            case 2 | 3:
                found = Items(
                    tuple(read_value(buffer, each, depth=depth + 1) for field, each in spans(buffer, inner) if field == 1)
                )
            case 4:
                found = Entries(tuple(_pair(buffer, each, depth) for field, each in spans(buffer, inner) if field == 1))
    return found


def _pair(buffer: Buffer, span: Span, depth: int) -> tuple[Value, Value]:
    parts = last(buffer, span)
    if 1 not in parts or 2 not in parts:
        raise Damaged("an entry of a dictionary has no key or no value")
    return read_value(buffer, parts[1], depth=depth + 1), read_value(buffer, parts[2], depth=depth + 1)


def _elements(buffer: Buffer, span: Span) -> Elements | None:
    found: Elements | None = None
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                found = Elements("float32", raw=_floats(buffer, inner, wire=5))
            case 2 | 3 | 5:
                found = Elements("whole", items=tuple(_whole(buffer, inner)))
            case 4:
                texts = tuple(text(buffer, each) for field, each in spans(buffer, inner) if field == 1)
                found = Elements("text", items=texts)
            case 6:
                found = Elements("float64", raw=_floats(buffer, inner, wire=1))
            case 7:
                inside = last(buffer, inner).get(1, (0, 0))
                found = Elements("packed", raw=bytes(buffer[inside[0] : inside[1]]))
    return found


def _floats(buffer: Buffer, span: Span, *, wire: int) -> bytes:
    """Packed or one by one, as a writer likes."""
    pieces = [value for number, kind, value in fields(buffer, *span) if number == 1 and kind in (2, wire)]
    return b"".join(bytes(buffer[start:end]) for start, end in pieces)


def _whole(buffer: Buffer, span: Span) -> Iterator[int]:
    for number, wire, value in fields(buffer, *span):
        if number == 1 and wire == 0:
            yield signed(value)
        elif number == 1 and wire == 2:
            yield from _packed(bytes(buffer[value[0] : value[1]]))


def _packed(raw: bytes) -> Iterator[int]:
    at, end = 0, len(raw)
    while at < end:
        value, at = varint(raw, at, end)
        yield signed(value)
