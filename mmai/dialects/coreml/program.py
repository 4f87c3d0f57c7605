"""A quick look through an ML Program: which operations it has, what it computes in, its classes and where its weights are.

Nothing is decoded that is not counted; `mil_program.py` reads a whole program for the executor.
"""

from collections import Counter
from collections.abc import Iterator
from math import prod

from mmai.dialects.coreml.interface import whole_numbers
from mmai.dialects.coreml.mil_values import DTYPES, deeper, entry, last, numbers, spans, text
from mmai.dialects.coreml.wire import Buffer, Damaged, Span, few, fields

ARGUMENTS, OUTPUTS, ATTRIBUTES = 2, 3, 5
"""Fields of an `Operation`."""

Output = tuple[str, str, tuple[int, ...]]
"""Name, element type and sizes of a result."""

CLASSES = "classes"
"""The argument of `classify` with the names of its classes."""

NO_NUMBERS = ("string", "unknown")
"""Types of results that say nothing of a precision: a label, a table, a list."""

MOST_OPERATIONS = 1_000_000
"""Constants included; the largest programs there are have tens of thousands."""
MOST_PARTS = 100_000
"""Arguments of an operation, values of an argument, variants of a function, dimensions of a tensor."""
MOST_LABELS = 1_000_000

Places = frozenset[tuple[str, int]]
"""Files with offsets: where something lies that is not in the specification."""


class Survey:
    """What was counted, over all functions."""

    def __init__(self) -> None:
        self.ops: Counter[str] = Counter()
        self.precision: Counter[str] = Counter()
        self.weights: dict[Places, int] = {}
        """Elements of each weight that lies in files. Functions share them, so each counts once."""
        self.labels: tuple[str, ...] = ()
        self.files: dict[str, int] = {}
        """File of weights, as the program names it, to the offset of the last record in it."""
        self._seen = 0

    @property
    def parameters(self) -> int | None:
        """Elements of all weights; None where there are none, or shapes that no machine can hold."""
        total = sum(self.weights.values())
        return total if 0 < total < 1 << 63 else None

    def see(self) -> None:
        """One more operation, counted or not.

        Raises:
            Damaged: there are more than any model has.
        """
        self._seen += 1
        if self._seen > MOST_OPERATIONS:
            raise Damaged(f"it has more than {MOST_OPERATIONS} operations")

    def add(self, other: "Survey") -> None:
        """What another model of a pipeline consists of."""
        self.ops.update(other.ops)
        self.precision.update(other.precision)
        self.weights |= other.weights
        self.labels = other.labels or self.labels
        for file, offset in other.files.items():
            self.files[file] = max(offset, self.files.get(file, 0))


class _Names:
    """The constants of one function, for what is said of them by name."""

    def __init__(self) -> None:
        self.values: dict[str, Span] = {}
        self.places: dict[str, Places] = {}
        self.elements: dict[str, int] = {}
        """Of those that lie in files and are not what another is made of."""


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
                found.weights |= {names.places[name]: count for name, count in names.elements.items()}
    return found


def _blocks(buffer: Buffer, function: Span) -> list[Span]:
    """The block of the function's own opset; the others say the same for other systems."""
    opset = ""
    blocks: dict[str, Span] = {}
    for number, inner in few(spans(buffer, function), MOST_PARTS, "parts of one function"):
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
    found.see()
    kind = ""
    parts: dict[int, list[Span]] = {ARGUMENTS: [], OUTPUTS: [], ATTRIBUTES: []}
    for number, inner in few(spans(buffer, span), MOST_PARTS, "parts of one operation"):
        if number == 1:
            kind = text(buffer, inner)
        elif number == 4:
            _block(buffer, inner, found, names, depth=depth + 1)
        elif number in parts:
            parts[number].append(inner)
    outputs = [_output(buffer, output) for output in parts[OUTPUTS]]
    if kind == "const":
        _constant(buffer, parts[ATTRIBUTES], outputs, found, names)
        return
    found.ops[kind] += 1
    found.precision.update(dtype for _, dtype, _ in outputs if dtype not in NO_NUMBERS)
    if kind.startswith("constexpr_"):
        _unpacked(buffer, parts, outputs, found, names)
    if kind == "classify":
        found.labels = _classes(buffer, parts[ARGUMENTS], names) or found.labels


def _output(buffer: Buffer, span: Span) -> Output:
    """A `NamedValueType`."""
    parts = last(buffer, span)
    return text(buffer, parts[1]) if 1 in parts else "", *_type(buffer, parts.get(2))


def _constant(buffer: Buffer, attributes: list[Span], outputs: list[Output], found: Survey, names: _Names) -> None:
    for attribute in attributes:
        key, value = entry(buffer, attribute)
        if key != "val":
            continue
        name = outputs[0][0] if outputs else ""
        names.values[name] = value
        if places := _places(buffer, value, found):
            names.places[name] = places
            names.elements[name] = prod(_type(buffer, last(buffer, value).get(2))[1])


def _unpacked(buffer: Buffer, parts: dict[int, list[Span]], outputs: list[Output], found: Survey, names: _Names) -> None:
    """A compressed weight counts as what it stands for; its indices, scales and tables are no weights of their own.

    They are attributes up to iOS 17, and since then arguments: by name, or right there.
    """
    values = [entry(buffer, attribute)[1] for attribute in parts[ATTRIBUTES]]
    places = []
    for argument in parts[ARGUMENTS]:
        for binding in _bindings(buffer, argument):
            if 2 in binding:
                values.append(binding[2])
            elif 1 in binding:
                name = text(buffer, binding[1])
                places.append(names.places.get(name, Places()))
                names.elements.pop(name, None)
    if made_of := Places().union(*places, *(_places(buffer, value, found) for value in values)):
        for name, _, shape in outputs:
            names.places[name] = made_of
            names.elements[name] = prod(shape)


def _places(buffer: Buffer, value: Span, found: Survey) -> Places:
    """Where a `Value` lies, noted, if that is in a file."""
    where = last(buffer, value).get(5)
    if where is None:
        return Places()
    file = last(buffer, where).get(1)
    name, offset = text(buffer, file) if file else "", numbers(buffer, where).get(2, 0)
    found.files[name] = max(found.files.get(name, 0), offset)
    return Places([(name, offset)])


def _type(buffer: Buffer, span: Span | None) -> tuple[str, tuple[int, ...]]:
    """Element type and known sizes of a `ValueType`; a list, tuple or dictionary has neither."""
    tensor = last(buffer, span).get(1) if span else None
    if tensor is None:
        return "unknown", ()
    dtype, shape = "unknown", []
    for number, wire, value in few(fields(buffer, *tensor), MOST_PARTS, "dimensions"):
        if number == 1 and wire == 0:
            dtype = DTYPES.get(value, "unknown")
        elif number == 3 and wire == 2:
            constant = last(buffer, value).get(1)
            shape.append(numbers(buffer, constant).get(1, 0) if constant else 1)
    return dtype, tuple(shape)


def _bindings(buffer: Buffer, argument: Span) -> list[dict[int, Span]]:
    """What one argument of an operation is: names (1) and values (2)."""
    _, bindings = entry(buffer, argument)
    listed = few(spans(buffer, bindings), MOST_PARTS, "values of one argument")
    return [last(buffer, binding) for number, binding in listed if number == 1]


def _classes(buffer: Buffer, arguments: list[Span], names: _Names) -> tuple[str, ...]:
    for argument in arguments:
        if entry(buffer, argument)[0] != CLASSES:
            continue
        for binding in _bindings(buffer, argument):
            value = binding.get(2) or names.values.get(text(buffer, binding[1]) if 1 in binding else "")
            if value is not None:
                return tuple(few(_texts(buffer, value, depth=0), MOST_LABELS, "classes"))
    return ()


def _texts(buffer: Buffer, value: Span, *, depth: int) -> Iterator[str]:
    """The elements of a `Value` that is a list, or a tensor, of texts or whole numbers."""
    deeper(depth)
    immediate = last(buffer, value).get(3)
    for number, inner in spans(buffer, immediate) if immediate else ():
        if number == 1:
            for kind, elements in spans(buffer, inner):
                yield from _elements(buffer, kind, elements)
        elif number == 3:
            for _, item in spans(buffer, inner):
                yield from _texts(buffer, item, depth=depth + 1)


def _elements(buffer: Buffer, kind: int, elements: Span) -> Iterator[str]:
    """Of a `TensorValue` texts (4) and whole numbers (2, 5); others name no class."""
    if kind not in (2, 4, 5):
        return
    for number, wire, value in fields(buffer, *elements):
        if number == 1 and kind == 4 and wire == 2:
            yield text(buffer, value)
        elif number == 1 and kind != 4 and wire in (0, 2):
            yield from map(str, whole_numbers(buffer, wire, value))
