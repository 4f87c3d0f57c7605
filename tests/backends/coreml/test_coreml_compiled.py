"""Compiled models, by what they say of themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace
from packages.described import described
from packages.messages import features
from packages.told import feature_of

from mmai.backends.coreml.files import read_package
from mmai.dialects.coreml.compiled import read_metadata
from mmai.errors import CannotRun
from mmai.values.package import Package

# coremltools leaves it to the collector to take away what it built in.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ENCODER: dict[str, Any] = {
    "metadataOutputVersion": "3.0",
    "specificationVersion": 7,
    "storagePrecision": "Float16",
    "computePrecision": "Mixed (Float16, Int32)",
    "modelType": {"name": "MLModelType_mlProgram"},
    "availability": {"macOS": "13.0", "iOS": "16.0"},
    "mlProgramOperationTypeHistogram": {"Ios16.einsum": 32, "Ios16.conv": 26, "Tile": 1},
    "inputSchema": [
        {
            "name": "melspectrogram_features",
            "type": "MultiArray",
            "dataType": "Float16",
            "shape": "[1, 80, 1, 3000]",
            "hasShapeFlexibility": "0",
            "isOptional": "0",
            "formattedType": "MultiArray (Float16 1 x 80 x 1 x 3000)",
        }
    ],
    "outputSchema": [
        {"name": "encoder_output_embeds", "type": "MultiArray", "dataType": "Float16", "shape": "[1, 384, 1, 1500]"}
    ],
    "userDefinedMetadata": {"com.github.apple.coremltools.version": "7.1"},
}
"""In the form Xcode writes, with the names WhisperKit's encoder has."""


def compiled(folder: Path, said: Any) -> Path:
    path = folder / "tiny.mlmodelc"
    path.mkdir()
    (path / "metadata.json").write_text(json.dumps(said))
    return path


def read(**said: Any) -> Package:
    return read_metadata(json.dumps([ENCODER | said]).encode(), path="/tiny.mlmodelc")


@pytest.mark.parametrize(("said", "dtype"), [("Double", "float64"), ("Int32", "int32"), ("Float4", None), ("", None)])
def test_the_type_of_an_array_is_one_that_numpy_knows_or_none(said: str, dtype: str | None) -> None:
    (feature,) = read(inputSchema=[ENCODER["inputSchema"][0] | {"dataType": said}]).main.inputs
    assert feature.array is not None
    assert feature.array.dtype == dtype


def test_a_compiled_model_is_described_by_its_metadata(tmp_path: Path) -> None:
    package = read_package(compiled(tmp_path, [ENCODER]))
    (feature,) = package.main.inputs
    assert (package.type, package.spec_version, package.min_os, package.format) == ("mlProgram", 7, "macOS 13", "mlmodelc")
    assert (feature.name, feature.kind) == ("melspectrogram_features", "array")
    assert feature.array
    assert (feature.array.dtype, feature.array.shape) == ("float16", (1, 80, 1, 3000))
    assert package.ops == {"einsum": 32, "conv": 26, "tile": 1}
    assert set(package.precision) == {"float16", "int32"}


def test_a_bound_may_be_any_number_a_specification_holds() -> None:
    row = {"name": "x", "type": "MultiArray", "dataType": "Float32", "shape": "[1]", "shapeRange": f"[[{2**64 - 1}, -1]]"}
    (feature,) = read(inputSchema=[row]).main.inputs
    assert feature.array
    assert feature.array.ranges == ((2**64 - 1, None),)


@given(feature=features())
def test_inputs_are_what_they_are_in_the_specification(feature: Any) -> None:
    row = described(feature)
    (ours,) = read_metadata(json.dumps([{"inputSchema": [row]}]).encode(), path="/m.mlmodelc").main.inputs
    theirs = feature_of(feature)
    if theirs.array is not None:
        # What stands for an input that is left out is not among what the compiler writes.
        theirs = replace(theirs, array=replace(theirs.array, default=None))
    assert ours == theirs


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Ios16.einsum", "einsum"),
        ("Ios17.instanceNorm", "instance_norm"),
        ("Ios18.scaledDotProductAttention", "scaled_dot_product_attention"),
        ("Ios16.constexprLutToDense", "constexpr_lut_to_dense"),
        ("UpsampleNearestNeighbor", "upsample_nearest_neighbor"),
        ("L2Norm", "l2_norm"),
    ],
)
def test_operations_have_the_names_they_have_in_a_package(said: str, name: str) -> None:
    assert read(mlProgramOperationTypeHistogram={said: 3}).ops == {name: 3}


def test_layers_keep_their_names() -> None:
    histogram = {"neuralNetworkLayerTypeHistogram": {"InnerProduct": 2}, "mlProgramOperationTypeHistogram": None}
    assert read(**histogram).ops == {"InnerProduct": 2}


@pytest.mark.parametrize(
    ("said", "system"),
    [
        ({"macOS": "10.15"}, "macOS 10.15"),
        ({"macOS": "14.0"}, "macOS 14"),
        ({"macOS": "16.0"}, "macOS 26"),
        ({"macOS": "26.0"}, "macOS 26"),
        ({"macOS": "unavailable"}, "macOS 13"),
        ({"iOS": "16.0"}, "macOS 13"),
        (None, "macOS 13"),
    ],
)
def test_the_oldest_system_is_told_or_follows_from_the_version(said: Any, system: str) -> None:
    assert read(availability=said).min_os == system


def test_functions_bring_their_own_inputs_operations_and_precision() -> None:
    function = {
        "inputSchema": ENCODER["inputSchema"],
        "computePrecision": "Float32",
        "mlProgramOperationTypeHistogram": {"Ios18.conv": 2},
    }
    package = read(
        functions=[function | {"name": "first"}, function | {"name": "second"}],
        defaultFunctionName="second",
        inputSchema=[],
        computePrecision=None,
        mlProgramOperationTypeHistogram={},
    )
    assert [each.name for each in package.functions] == ["first", "second"]
    assert (package.main.name, package.main.inputs[0].name) == ("second", "melspectrogram_features")
    assert (package.ops, package.precision) == ({"conv": 4}, {"float32": 1})


def test_a_compiled_pipeline_names_its_models() -> None:
    models = [{"name": "MLModelType_neuralNetwork"}, {"name": "MLModelType_nonMaximumSuppression"}]
    package = read(modelType={"name": "MLModelType_pipeline", "structure": models})
    assert (package.type, package.stages) == ("pipeline", ("neuralNetwork", "nonMaximumSuppression"))


def test_half_a_character_is_none() -> None:
    data = json.dumps([{"author": "\ud800", "userDefinedMetadata": {"\udfff": "x"}}]).encode()
    package = read_metadata(data, path="/m.mlmodelc")
    assert (package.author, package.metadata) == ("?", {"?": "x"})


@pytest.mark.parametrize("file", ["weights/weight.bin", "model.espresso.weights", "model0/weights/weight.bin"])
def test_weights_are_weighed_wherever_they_lie(file: str, tmp_path: Path) -> None:
    path = compiled(tmp_path, [ENCODER])
    (path / file).parent.mkdir(parents=True, exist_ok=True)
    (path / file).write_bytes(bytes(1000))
    assert read_package(path).weight_bytes == 1000


@pytest.mark.parametrize("file", ["metadata.json", "weights/weight.bin"])
def test_a_compiled_model_that_git_has_not_fetched_says_so(file: str, tmp_path: Path) -> None:
    path = compiled(tmp_path, [ENCODER])
    (path / "weights").mkdir()
    (path / file).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n")
    with pytest.raises(CannotRun, match="is a Git LFS pointer") as refusal:
        read_package(path)
    assert refusal.value.hint == "git lfs pull"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [("nothing", "describes no model"), ([], "describes no model"), (7, "describes no model")],
)
def test_metadata_that_describes_nothing_says_so(said: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=sentence):
        read_package(compiled(tmp_path, said))


def test_a_folder_with_nothing_in_it_is_no_compiled_model(tmp_path: Path) -> None:
    (tmp_path / "x.mlmodelc").mkdir()
    with pytest.raises(CannotRun, match="it has neither"):
        read_package(tmp_path / "x.mlmodelc")


def test_a_compiled_model_without_metadata_does_not_describe_itself(tmp_path: Path) -> None:
    (tmp_path / "x.mlmodelc").mkdir()
    (tmp_path / "x.mlmodelc" / "coremldata.bin").write_bytes(b"x")
    with pytest.raises(CannotRun, match=r"`x\.mlmodelc` does not describe itself: it has no `metadata\.json`"):
        read_package(tmp_path / "x.mlmodelc")
