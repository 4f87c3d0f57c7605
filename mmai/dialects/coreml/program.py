"""A quick look through an ML Program: which operations it has, what it computes in, its classes and where its weights are.

Nothing is decoded that is not counted; `mil_program.py` reads a whole program for the executor.
"""

from collections import Counter
from math import prod

from mmai.dialects.coreml.interface import whole_numbers
from mmai.dialects.coreml.mil_values import DTYPES, deeper, entry, last, numbers, spans, text
from mmai.dialects.coreml.wire import Buffer, Span, fields

CLASSES = "classes"
"""The argument of `classify` with the names of its classes."""


NO_NUMBERS = ("string", "unknown")
"""Types of results that say nothing of a precision: a label, a table, a list."""


class Survey:
    """What was counted, over all functions."""

    def __init__(self) -> None:
        self.ops: Counter[str] = Counter()
        self.precision: Counter[str] = Counter()
        self.parameters = 0
        """Elements of weights that lie in files."""
        self.labels: tuple[str, ...] = ()
        self.files: dict[str, int] = {}
        """File of weights, as the program names it, to the offset of the last record in it."""


class _Names:
    """The constants of one function, for what is said of them by name."""

    def __init__(self) -> None:
        self.values: dict[str, Span] = {}
        self.elements: dict[str, int] = {}
        """Of those that lie in files."""


def survey(buffer: Buffer, program: Span) -> Survey:
    """Look through a `Program`.

    Raises:
        Damaged: the bytes are none.
    """
    found = Survey()
    for number, inner in spans(buffer, program):
        if number == 2:
            _, function = entry(buffer, inner)
            for block in _blocks(buffer, function):
                names = _Names()
                _block(buffer, block, found, names, depth=0)
                found.parameters += sum(names.elements.values())
    return found


def _blocks(buffer: Buffer, function: Span) -> list[Span]:
    """The block of the function's own opset; the others say the same for other systems."""
    opset = ""
    blocks: dict[str, Span] = {}
    for number, inner in spans(buffer, function):
        if number == 2:
            opset = text(buffer, inner)
        elif number == 3:
            blocks.update([entry(buffer, inner)])
    return [blocks[opset]] if opset in blocks else list(blocks.values())[:1]


def _block(buffer: Buffer, block: Span, found: Survey, names: _Names, *, depth: int) -> None:
    deeper(depth)
    for number, operation in spans(buffer, block):
        if number == 3:
            _operation(buffer, operation, found, names, depth=depth)


def _operation(buffer: Buffer, span: Span, found: Survey, names: _Names, *, depth: int) -> None:
    kind = ""
    arguments: list[Span] = []
    outputs: list[Span] = []
    attributes: list[Span] = []
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                kind = text(buffer, inner)
            case 2:
                arguments.append(inner)
            case 3:
                outputs.append(inner)
            case 4:
                _block(buffer, inner, found, names, depth=depth + 1)
            case 5:
                attributes.append(inner)
    if kind == "const":
        _constant(buffer, attributes, outputs, found, names)
        return
    found.ops[kind] += 1
    for output in outputs:
        dtype, shape = _type(buffer, last(buffer, output).get(2))
        if dtype not in NO_NUMBERS:
            found.precision[dtype] += 1
        if kind.startswith("constexpr_"):
            # What it is made of is no weight of its own: indices, scales and tables.
            names.elements[str(output)] = prod(shape)
    if kind.startswith("constexpr_"):
        for argument in arguments:
            for name in _bound(buffer, argument):
                names.elements.pop(name, None)
        for attribute in attributes:
            _file(buffer, entry(buffer, attribute)[1], found)
    if kind == "classify":
        found.labels = _classes(buffer, arguments, names) or found.labels


def _constant(buffer: Buffer, attributes: list[Span], outputs: list[Span], found: Survey, names: _Names) -> None:
    for attribute in attributes:
        key, value = entry(buffer, attribute)
        if key == "val":
            parts = (
                {number: text(buffer, inner) for number, inner in spans(buffer, outputs[0]) if number == 1} if outputs else {}
            )
            name = parts.get(1, "")
            names.values[name] = value
            if _file(buffer, value, found):
                names.elements[name] = prod(_type(buffer, last(buffer, value).get(2))[1])


def _file(buffer: Buffer, value: Span, found: Survey) -> bool:
    """Note where a `Value` lies, if that is in a file."""
    where = last(buffer, value).get(5)
    if where is None:
        return False
    file = last(buffer, where).get(1)
    name = text(buffer, file) if file else ""
    found.files[name] = max(found.files.get(name, 0), numbers(buffer, where).get(2, 0))
    return True


def _type(buffer: Buffer, span: Span | None) -> tuple[str, tuple[int, ...]]:
    """Element type and known sizes of a `ValueType`; a list, tuple or dictionary has neither."""
    tensor = last(buffer, span).get(1) if span else None
    if tensor is None:
        return "unknown", ()
    dtype, shape = "unknown", []
    for number, wire, value in fields(buffer, *tensor):
        if number == 1 and wire == 0:
            dtype = DTYPES.get(value, "unknown")
        elif number == 3 and wire == 2:
            constant = last(buffer, value).get(1)
            shape.append(numbers(buffer, constant).get(1, 0) if constant else 1)
    return dtype, tuple(shape)


def _bound(buffer: Buffer, argument: Span) -> list[str]:
    """The names one argument of an operation refers to."""
    _, bindings = entry(buffer, argument)
    return [
        text(buffer, name)
        for number, binding in spans(buffer, bindings)
        if number == 1
        for key, name in spans(buffer, binding)
        if key == 1
    ]


def _classes(buffer: Buffer, arguments: list[Span], names: _Names) -> tuple[str, ...]:
    for argument in arguments:
        key, bindings = entry(buffer, argument)
        if key != CLASSES:
            continue
        for _, binding in spans(buffer, bindings):
            parts = last(buffer, binding)
            value = parts.get(2) or names.values.get(text(buffer, parts[1]) if 1 in parts else "")
            if value is not None:
                return tuple(_texts(buffer, value, depth=0))
    return ()


def _texts(buffer: Buffer, value: Span, *, depth: int) -> list[str]:
    """The elements of a `Value` that is a list, or a tensor, of texts or whole numbers."""
    deeper(depth)
    immediate = last(buffer, value).get(3)
    if immediate is None:
        return []
    found: list[str] = []
    for number, inner in spans(buffer, immediate):
        if number == 1:
            for kind, elements in spans(buffer, inner):
                found += _elements(buffer, kind, elements)
        elif number == 3:
            for _, item in spans(buffer, inner):
                found += _texts(buffer, item, depth=depth + 1)
    return found


def _elements(buffer: Buffer, kind: int, elements: Span) -> list[str]:
    """Of a `TensorValue` texts (4) and whole numbers (2, 5); others name no class."""
    if kind == 4:
        return [text(buffer, inner) for number, inner in spans(buffer, elements) if number == 1]
    if kind not in (2, 5):
        return []
    found: list[str] = []
    for number, wire, value in fields(buffer, *elements):
        if number == 1 and wire in (0, 2):
            found += map(str, whole_numbers(buffer, wire, value))
    return found
