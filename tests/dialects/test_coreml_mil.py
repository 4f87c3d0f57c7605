"""ML Programs from bytes, against what Google's own parser reads from the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.reference import program
from packages.toolkit import built, ct, mb, types

from mmai.dialects.coreml import wire
from mmai.dialects.coreml.mil import (
    BlobFile,
    Block,
    DictionaryType,
    Elements,
    Entries,
    Function,
    Items,
    ListType,
    StateType,
    TensorType,
    TupleType,
    Value,
)
from mmai.dialects.coreml.mil_program import find_functions, read_function
from mmai.dialects.coreml.mil_values import read_type, read_value

MIL: Any = pytest.importorskip("coremltools.proto.MIL_pb2")


def functions(message: Any) -> dict[str, Function]:
    raw = message.SerializeToString()
    return {name: read_function(raw, span) for name, span in find_functions(raw, (0, len(raw))).items()}


def value(message: Any) -> Value:
    raw = message.SerializeToString()
    return read_value(raw, (0, len(raw)))


def tensor(dtype: int, *sizes: int, **content: Any) -> Any:
    message = MIL.Value()
    message.type.tensorType.dataType = dtype
    message.type.tensorType.rank = len(sizes)
    for size in sizes:
        message.type.tensorType.dimensions.add().constant.size = size
    for field, values in content.items():
        target = getattr(message.immediateValue.tensor, field)
        if field == "bytes":
            target.values = values
        else:
            target.values.extend(values)
    return message


@pytest.fixture(scope="module")
def looping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with a loop, a branch within it, strings, and weights in a file."""

    @program(mb.TensorSpec(shape=(1, 16)), mb.TensorSpec(shape=(1,), dtype=types.int32))
    def looped(x: Any, n: Any) -> Any:
        def body(i: Any, v: Any) -> Any:
            grown = mb.linear(x=v, weight=np.eye(16, dtype=np.float32), bias=np.ones(16, np.float32))
            small = mb.less(x=mb.reduce_sum(x=v, keep_dims=False), y=np.float32(100))
            kept = mb.cond(pred=small, _true_fn=lambda: mb.identity(x=grown), _false_fn=lambda: mb.identity(x=v))
            return mb.add(x=i, y=1), kept

        return mb.while_loop(_cond=lambda i, v: mb.less(x=i, y=4), _body=body, loop_vars=(mb.squeeze(x=n), x))[1]

    return built(looped, tmp_path_factory.mktemp("mil") / "looping.mlpackage")


def same_block(ours: Block, theirs: Any) -> bool:
    return (
        [each.name for each in ours.inputs] == [each.name for each in theirs.inputs]
        and list(ours.outputs) == list(theirs.outputs)
        and [op.type for op in ours.operations] == [op.type for op in theirs.operations]
        and all(
            {name: list(bindings) for name, bindings in mine.inputs.items() if isinstance(bindings[0], str)}
            == {name: [b.name for b in arg.arguments] for name, arg in op.inputs.items() if arg.arguments[0].name}
            and [each.name for each in mine.outputs] == [each.name for each in op.outputs]
            and len(mine.blocks) == len(op.blocks)
            and all(same_block(a, b) for a, b in zip(mine.blocks, op.blocks, strict=True))
            for mine, op in zip(ours.operations, theirs.operations, strict=True)
        )
    )


def test_a_program_is_read_as_protobuf_reads_it(looping: Path) -> None:
    message = ct.utils.load_spec(str(looping)).mlProgram
    read = functions(message)
    assert list(read) == list(message.functions) == ["main"]
    theirs = message.functions["main"]
    assert read["main"].opset == theirs.opset
    assert [(each.name, each.type) for each in read["main"].inputs] == [
        ("x", TensorType("float32", (1, 16))),
        ("n", TensorType("int32", (1,))),
    ]
    assert same_block(read["main"].block, theirs.block_specializations[theirs.opset])


def test_the_name_of_an_operation_is_the_exporters(looping: Path) -> None:
    operations = functions(ct.utils.load_spec(str(looping)).mlProgram)["main"].block.operations
    assert all(operation.name for operation in operations)
    assert all("name" not in operation.attributes for operation in operations)


def test_weights_in_a_file_are_named_and_not_read(looping: Path) -> None:
    blocks = functions(ct.utils.load_spec(str(looping)).mlProgram)["main"].block.operations
    inner = next(operation for operation in blocks if operation.type == "while_loop").blocks[1].operations
    content = [op.attributes["val"].content for op in (*blocks, *inner) if op.type == "const"]
    assert BlobFile("@model_path/weights/weight.bin", 64) in content


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (tensor(11, 2, floats=[1.5, -2.0]), Elements("float32", raw=np.array([1.5, -2], "<f4").tobytes())),
        (tensor(12, 1, doubles=[0.1]), Elements("float64", raw=np.array([0.1], "<f8").tobytes())),
        (tensor(23, 3, ints=[-1, 0, 2**31 - 1]), Elements("whole", items=(-1, 0, 2**31 - 1))),
        (tensor(24, 1, longInts=[-(2**63)]), Elements("whole", items=(-(2**63),))),
        (tensor(1, 2, bools=[True, False]), Elements("whole", items=(1, 0))),
        (tensor(2, strings=[b"same"]), Elements("text", items=("same",))),
        (tensor(10, 1, bytes=b"\x00\x3c"), Elements("packed", raw=b"\x00\x3c")),
        (tensor(23, 0, ints=[]), Elements("whole")),
    ],
)
def test_an_immediate_tensor_is_kept_as_it_is_stored(message: Any, expected: Elements) -> None:
    assert value(message).content == expected


def test_numbers_may_be_written_one_by_one() -> None:
    floats = b"\x0d" + np.float32(2.5).tobytes() + b"\x0d" + np.float32(3.5).tobytes()
    raw = bytes([0x1A, len(floats) + 4, 0x0A, len(floats) + 2, 0x0A, len(floats)]) + floats
    assert read_value(raw, (0, len(raw))).content == Elements("float32", raw=np.array([2.5, 3.5], "<f4").tobytes())


def test_lists_tuples_and_dictionaries_hold_values() -> None:
    message = MIL.Value()
    message.immediateValue.list.values.add().CopyFrom(tensor(2, strings=[b"a"]))
    assert value(message).content == Items((value(tensor(2, strings=[b"a"])),))
    message = MIL.Value()
    message.immediateValue.tuple.values.add().CopyFrom(tensor(23, ints=[7]))
    assert value(message).content == Items((value(tensor(23, ints=[7])),))
    message = MIL.Value()
    pair = message.immediateValue.dictionary.values.add()
    pair.key.CopyFrom(tensor(2, strings=[b"k"]))
    pair.value.CopyFrom(tensor(12, doubles=[1.0]))
    assert value(message).content == Entries(((value(tensor(2, strings=[b"k"])), value(tensor(12, doubles=[1.0]))),))


def test_every_kind_of_type_is_read() -> None:
    message = MIL.ValueType()
    inner = message.dictionaryType
    inner.keyType.tensorType.dataType = 24
    rows = inner.valueType.tupleType.types
    rows.add().listType.type.tensorType.dataType = 25
    rows[0].listType.length.constant.size = 3
    wrapped = rows.add().stateType.wrappedType.tensorType
    wrapped.dataType, wrapped.rank = 10, 2
    wrapped.dimensions.add().unknown.SetInParent()
    wrapped.dimensions.add().constant.size = 4
    rows.add().tensorType.rank = -1
    raw = message.SerializeToString()
    assert read_type(raw, (0, len(raw))) == DictionaryType(
        TensorType("int64"),
        TupleType((ListType(TensorType("int4"), 3), StateType(TensorType("float16", (None, 4))), TensorType("unknown", None))),
    )


def test_every_element_type_of_the_format_is_known() -> None:
    for name, number in MIL.DataType.items():
        if number:
            raw = MIL.ValueType(tensorType=MIL.TensorType(dataType=number)).SerializeToString()
            assert read_type(raw, (0, len(raw))) == TensorType(name.lower())


def test_values_nested_without_end_are_damage() -> None:
    message = MIL.Value()
    for _ in range(150):
        around = MIL.Value()
        around.immediateValue.list.values.add().CopyFrom(message)
        message = around
    with pytest.raises(wire.Damaged, match="100 levels"):
        value(message)


def test_a_function_without_the_block_of_its_opset_is_damage() -> None:
    raw = MIL.Function(opset="CoreML9").SerializeToString()
    with pytest.raises(wire.Damaged, match="`CoreML9`"):
        read_function(raw, (0, len(raw)))


def test_an_input_that_is_neither_name_nor_value_is_damage() -> None:
    function = MIL.Function(opset="a")
    operation = function.block_specializations["a"].operations.add(type="relu")
    operation.inputs["x"].arguments.add()
    raw = function.SerializeToString()
    with pytest.raises(wire.Damaged, match="neither a name nor a value"):
        read_function(raw, (0, len(raw)))


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_bytes_gone_wrong_are_damage_or_another_program(looping: Path, at: int, byte: int, cut: bool) -> None:
    raw = bytearray(ct.utils.load_spec(str(looping)).mlProgram.SerializeToString())
    at %= len(raw)
    raw[at] = byte
    mutated = bytes(raw[:at] if cut else raw)
    try:
        for span in find_functions(mutated, (0, len(mutated))).values():
            read_function(mutated, span)
    except wire.Damaged:
        pass
