"""Functions, blocks and operations of an ML Program, from bytes. Field numbers are those of `MIL.proto`."""

from mmai.dialects.coreml.mil import Binding, Block, Elements, Function, Named, Operation
from mmai.dialects.coreml.mil_values import deeper, entry, last, read_type, read_value, spans, text
from mmai.dialects.coreml.wire import Buffer, Damaged, Span


def find_functions(buffer: Buffer, program: Span) -> dict[str, Span]:
    """Name to where each function of a `Program` stands; they are read one by one, since a model may have many large ones."""
    return dict(entry(buffer, inner) for number, inner in spans(buffer, program) if number == 2)


def read_function(buffer: Buffer, span: Span) -> Function:
    """A `Function`, with the block of its own opset.

    Raises:
        Damaged: there is no such block, or the bytes are no function.
    """
    inputs: list[Named] = []
    blocks: dict[str, Span] = {}
    opset = ""
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                inputs.append(_named(buffer, inner))
            case 2:
                opset = text(buffer, inner)
            case 3:
                blocks.update([entry(buffer, inner)])
    if opset not in blocks:
        raise Damaged(f"it has no operations for its opset `{opset}`")
    return Function(tuple(inputs), opset, read_block(buffer, blocks[opset]))


def read_block(buffer: Buffer, span: Span, *, depth: int = 0) -> Block:
    """A `Block`, with the blocks within it."""
    deeper(depth)
    inputs: list[Named] = []
    outputs: list[str] = []
    operations: list[Operation] = []
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                inputs.append(_named(buffer, inner))
            case 2:
                outputs.append(text(buffer, inner))
            case 3:
                operations.append(_operation(buffer, inner, depth))
    return Block(tuple(inputs), tuple(outputs), tuple(operations))


def _operation(buffer: Buffer, span: Span, depth: int) -> Operation:
    kind = ""
    inputs: dict[str, tuple[Binding, ...]] = {}
    outputs: list[Named] = []
    blocks: list[Block] = []
    attributes = {}
    for number, inner in spans(buffer, span):
        match number:
            case 1:
                kind = text(buffer, inner)
            case 2:
                name, argument = entry(buffer, inner)
                inputs[name] = _bindings(buffer, argument)
            case 3:
                outputs.append(_named(buffer, inner))
            case 4:
                blocks.append(read_block(buffer, inner, depth=depth + 1))
            case 5:
                name, value = entry(buffer, inner)
                attributes[name] = read_value(buffer, value)
    label = attributes.pop("name", None)
    called = label.content.items if label is not None and isinstance(label.content, Elements) else ()
    return Operation(kind, inputs, tuple(outputs), tuple(blocks), attributes, str(called[0]) if called else "")


def _bindings(buffer: Buffer, span: Span) -> tuple[Binding, ...]:
    return tuple(_binding(buffer, inner) for number, inner in spans(buffer, span) if number == 1)


def _binding(buffer: Buffer, span: Span) -> Binding:
    parts = last(buffer, span)
    if 1 in parts:
        return text(buffer, parts[1])
    if 2 in parts:
        return read_value(buffer, parts[2])
    raise Damaged("an operation is given an input that is neither a name nor a value")


def _named(buffer: Buffer, span: Span) -> Named:
    parts = last(buffer, span)
    return Named(text(buffer, parts[1]) if 1 in parts else "", read_type(buffer, parts[2]) if 2 in parts else None)
