"""Specifications of every kind, as bytes, against the messages of coremltools that were written into them."""

from typing import Any

import pytest
from hypothesis import given, settings
from packages.messages import CLASSIFIERS, KINDS, a_model, models
from packages.told import functions_of
from packages.toolkit import ct

from mmai.dialects.coreml.layers import LAYERS
from mmai.dialects.coreml.mil_values import DTYPES
from mmai.dialects.coreml.model import SYSTEMS, read_model
from mmai.dialects.coreml.wire import Damaged
from mmai.values.package import Package


def read(model: Any) -> Package:
    return read_model(model.SerializeToString(), path="/m.mlmodel", form="mlmodel").package


@given(model=models())
@settings(max_examples=300)
def test_whatever_a_model_says_of_itself_is_read(model: Any) -> None:
    package, told = read(model), model.description.metadata
    assert package.functions == functions_of(model)
    assert (package.type, package.spec_version) == (model.WhichOneof("Type"), model.specificationVersion)
    assert (package.updatable, package.min_os) == (model.isUpdatable, SYSTEMS.get(model.specificationVersion))
    assert package.default_function == (model.description.defaultFunctionName or None)
    assert package.metadata == dict(told.userDefined)
    assert (package.description, package.version) == (told.shortDescription, told.versionString)
    assert (package.author, package.license) == (told.author, told.license)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_has_its_name(kind: str) -> None:
    assert read(a_model(kind)).type == kind


def test_every_kind_of_layer_has_its_name() -> None:
    layer = ct.proto.NeuralNetwork_pb2.NeuralNetworkLayer.DESCRIPTOR.oneofs_by_name["layer"]
    assert {field.number: field.name for field in layer.fields} == LAYERS


def test_every_element_type_has_its_name() -> None:
    names = {number: name.lower() for name, number in ct.proto.MIL_pb2.DataType.items() if number}
    assert names == DTYPES


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("labels", [["cat", "grün", ""], [-1, 0, 1 << 40]])
def test_classes_are_texts_or_whole_numbers(kind: str, labels: list[Any]) -> None:
    model = a_model(kind)
    part = getattr(model, kind)
    (part.stringClassLabels if isinstance(labels[0], str) else part.int64ClassLabels).vector.extend(labels)
    package = read(model)
    assert package.labels == tuple(map(str, labels))
    assert package.label_count == 3


@pytest.mark.parametrize("kind", ["textClassifier", "gazetteer"])
def test_classes_of_texts_stand_elsewhere(kind: str) -> None:
    model = a_model(kind)
    getattr(model, kind).stringClassLabels.vector.extend(["ham", "spam"])
    assert read(model).labels == ("ham", "spam")


def test_there_may_be_more_classes_than_an_input_has_dimensions() -> None:
    model = a_model("neuralNetworkClassifier")
    model.neuralNetworkClassifier.int64ClassLabels.vector.extend(range(21_841))
    assert read(model).label_count == 21_841


@pytest.mark.parametrize("kind", ["pipeline", "pipelineClassifier", "pipelineRegressor"])
def test_a_pipeline_is_what_its_models_are_together(kind: str) -> None:
    model = a_model(kind)
    stages = model.pipeline if kind == "pipeline" else getattr(model, kind).pipeline
    stages.models.add().CopyFrom(a_model("visionFeaturePrint"))
    last = a_model("neuralNetworkClassifier")
    last.neuralNetworkClassifier.layers.add(name="a").softmax.SetInParent()
    last.neuralNetworkClassifier.stringClassLabels.vector.extend(["a", "b"])
    stages.models.add().CopyFrom(last)
    package = read(model)
    assert package.stages == ("visionFeaturePrint", "neuralNetworkClassifier")
    assert (package.labels, package.ops) == (("a", "b"), {"softmax": 1})


def test_layers_within_branches_and_loops_are_counted() -> None:
    model = a_model("neuralNetwork")
    branch = model.neuralNetwork.layers.add(name="either").branch
    branch.ifBranch.layers.add(name="a").softmax.SetInParent()
    loop = branch.elseBranch.layers.add(name="again").loop
    loop.conditionNetwork.layers.add(name="b").lessThan.SetInParent()
    loop.bodyNetwork.layers.add(name="c").softmax.SetInParent()
    assert read(model).ops == {"softmax": 2, "branch": 1, "loop": 1, "lessThan": 1}


def test_of_sizes_alone_the_first_is_the_default() -> None:
    model = a_model("neuralNetwork")
    image = model.description.input.add(name="x").type.imageType
    image.colorSpace = 20
    image.enumeratedSizes.sizes.add(width=64, height=48)
    image.enumeratedSizes.sizes.add(width=128, height=96)
    found = read(model).main.inputs[0].image
    assert found
    assert (found.width, found.height) == (64, 48)


def test_of_ranges_alone_the_smallest_size_is_the_default() -> None:
    model = a_model("neuralNetwork")
    ranges = model.description.input.add(name="x").type.imageType.imageSizeRange
    ranges.widthRange.lowerBound, ranges.widthRange.upperBound = 32, -1
    ranges.heightRange.lowerBound, ranges.heightRange.upperBound = 16, 512
    found = read(model).main.inputs[0].image
    assert found
    assert (found.width, found.height, found.width_range, found.height_range) == (32, 16, (32, None), (16, 512))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it has no specification version"),
        (b"\x08\x07", "it does not say which kind of model it is"),
        (bytes(64), "a field has no number"),
        (b"<!DOCTYPE html>", "a field is of no known form"),
        (b"\x08\x07\xb2\x1f\x20abc", "a field is longer than its message"),
        (b"\x08" + b"\xff" * 10, "a number is cut off"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xb2\x1f\x00", "its specification version is 18446744073709551615"),
    ],
)
def test_what_is_no_specification_says_why(content: bytes, sentence: str) -> None:
    with pytest.raises(Damaged, match=sentence):
        read_model(content, path="/m.mlmodel", form="mlmodel")


def a_program(*shape: int) -> Any:
    """A program of one weight that lies in a file."""
    model = a_model("mlProgram")
    function = model.mlProgram.functions["main"]
    function.opset = "CoreML7"
    constant = function.block_specializations["CoreML7"].operations.add(type="const")
    constant.outputs.add(name="w")
    value = constant.attributes["val"]
    value.type.tensorType.dataType = ct.proto.MIL_pb2.FLOAT16
    for size in shape:
        value.type.tensorType.dimensions.add().constant.size = size
    value.blobFileValue.fileName, value.blobFileValue.offset = "@model_path/weights/weight.bin", 64
    return model


def test_weights_are_counted_by_their_shapes() -> None:
    assert read(a_program(3, 4, 5)).parameter_count == 60


def test_shapes_that_no_machine_can_hold_are_not_counted() -> None:
    assert read(a_program(1 << 40, 1 << 40)).parameter_count is None


def test_of_a_function_for_several_systems_one_form_counts() -> None:
    model = a_program(2)
    blocks = model.mlProgram.functions["main"].block_specializations
    for opset, operation in (("CoreML6", "relu"), ("CoreML7", "gelu")):
        blocks[opset].operations.add(type=operation)
    assert read(model).ops == {"gelu": 1}


def test_more_inputs_than_any_model_has_are_refused_and_not_held_in_memory() -> None:
    description = bytes([1 << 3 | 2, 0]) * 20_000
    size = len(description)
    content = b"\x08\x07\x12" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + description + b"\xb2\x1f\x00"
    with pytest.raises(Damaged, match="more than 10000 inputs and outputs"):
        read_model(content, path="/m.mlmodel", form="mlmodel")
