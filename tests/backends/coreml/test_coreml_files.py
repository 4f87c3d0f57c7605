"""What is read from packages, against what coremltools reads; and every way in which files can be wrong."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packages.damage import replaced
from packages.kinds import KINDS
from packages.toolkit import ct

from mmai.backends.coreml.files import read_package
from mmai.errors import CannotRun
from mmai.values.package import Feature

# coremltools leaves it to the collector to take away what it built in.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

COLORS = {10: "grayscale", 20: "rgb", 30: "bgr", 40: "grayscale_float16"}
TYPES = {65568: "float32", 65552: "float16", 65600: "float64", 131104: "int32", 131080: "int8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module")
def packages(folder: Path) -> dict[str, Path]:
    return {build.__name__: build(folder) for build in KINDS}


@pytest.mark.parametrize("kind", [build.__name__ for build in KINDS])
def test_a_package_is_read_as_coremltools_reads_it(kind: str, packages: dict[str, Path]) -> None:
    ours, theirs = read_package(packages[kind]), ct.utils.load_spec(str(packages[kind]))
    told = theirs.description
    assert ours.type == theirs.WhichOneof("Type")
    assert ours.spec_version == theirs.specificationVersion
    assert ours.metadata == dict(told.metadata.userDefined)
    assert (ours.author, ours.license, ours.version) == (
        told.metadata.author,
        told.metadata.license,
        told.metadata.versionString,
    )
    assert ours.description == told.metadata.shortDescription
    functions = list(told.functions) or [told]
    assert len(ours.functions) == len(functions)
    for function, other in zip(ours.functions, functions, strict=True):
        for mine, yours in ((function.inputs, other.input), (function.outputs, other.output), (function.states, other.state)):
            assert [plain(feature) for feature in mine] == [as_told(feature) for feature in yours]
    if ours.type == "mlProgram":
        assert Counter(ours.ops) == operations(theirs)


def operations(spec: Any) -> Counter[str]:
    counts: Counter[str] = Counter()

    def count(block: Any) -> None:
        for operation in block.operations:
            counts[operation.type] += 1
            for inner in operation.blocks:
                count(inner)

    for function in spec.mlProgram.functions.values():
        count(function.block_specializations[function.opset])
    del counts["const"]
    return counts


def plain(feature: Feature) -> tuple[Any, ...]:
    if feature.image:
        return feature.name, "image", feature.image.width, feature.image.height, feature.image.color
    array = feature.array
    shape = (array.dtype, array.shape, array.shapes, array.ranges) if array else ()
    return feature.name, feature.description, feature.kind, feature.optional, shape


def as_told(feature: Any) -> tuple[Any, ...]:
    kind = feature.type.WhichOneof("Type")
    if kind == "imageType":
        image = feature.type.imageType
        return feature.name, "image", image.width, image.height, COLORS[image.colorSpace]
    names = {
        "multiArrayType": "array",
        "stateType": "state",
        "dictionaryType": "dictionary",
        "stringType": "string",
        "int64Type": "int64",
    }
    array = {"multiArrayType": feature.type.multiArrayType, "stateType": feature.type.stateType.arrayType}.get(kind)
    shape: tuple[Any, ...] = ()
    if array is not None:
        shapes = tuple(tuple(each.shape) for each in array.enumeratedShapes.shapes)
        ranges = tuple(
            (each.lowerBound, None if each.upperBound < 0 else each.upperBound) for each in array.shapeRange.sizeRanges
        )
        shape = (TYPES[array.dataType], tuple(array.shape), shapes, ranges)
    return feature.name, feature.shortDescription, names[kind], feature.type.isOptional, shape


def test_what_is_inside_is_counted(packages: dict[str, Path]) -> None:
    package = read_package(packages["dense"])
    assert package.parameter_count == 64 * 32 + 64
    assert package.precision == {"float32": 1}
    assert (package.min_os, package.format) == ("macOS 13", "mlpackage")
    assert package.weight_bytes == (packages["dense"] / "Data/com.apple.CoreML/weights/weight.bin").stat().st_size
    assert read_package(packages["half"]).precision == {"float16": 1}


@pytest.mark.parametrize("kind", ["palettized", "quantized"])
def test_compressed_weights_count_as_what_they_stand_for(kind: str, packages: dict[str, Path]) -> None:
    assert read_package(packages[kind]).parameter_count == 64 * 32 + 64


def test_classes_are_read_wherever_they_stand(packages: dict[str, Path]) -> None:
    assert read_package(packages["picture"]).labels == ("blue", "grün", "red")
    assert read_package(packages["numbered"]).labels == ("7", "8", "9")
    assert read_package(packages["network"]).labels[:2] == ("class 0", "class 1")
    assert read_package(packages["network"]).ops == {"innerProduct": 1, "softmaxND": 1}


def test_of_several_functions_one_is_the_default(packages: dict[str, Path]) -> None:
    package = read_package(packages["several"])
    assert [function.name for function in package.functions] == ["first", "second"]
    assert package.main.name == "second"


@pytest.fixture
def package(packages: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(packages["dense"], tmp_path / "dense.mlpackage"))


SPECIFICATION = Path("Data/com.apple.CoreML/model.mlmodel")
WEIGHTS = Path("Data/com.apple.CoreML/weights/weight.bin")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7992208\n"


def manifest(path: str) -> bytes:
    return json.dumps({"itemInfoEntries": {"a": {"path": path}}, "rootModelIdentifier": "a"}).encode()


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("Manifest.json", None, "`dense.mlpackage` has no `Manifest.json`"),
        ("Manifest.json", b"{", "the `Manifest.json` of `dense.mlpackage` is damaged"),
        ("Manifest.json", b"[1]", "the `Manifest.json` of `dense.mlpackage` is damaged"),
        ("Manifest.json", manifest("../../../../etc/passwd"), "which is outside it"),
        ("Manifest.json", manifest("none"), "the specification of `dense.mlpackage` is missing"),
        ("Manifest.json", manifest("a\0b"), "`dense.mlpackage` is damaged"),
        (SPECIFICATION, None, "the specification of `dense.mlpackage` is missing: there is no `model.mlmodel`"),
        (SPECIFICATION, b"", "`model.mlmodel` is empty"),
        (SPECIFICATION, POINTER, "`model.mlmodel` of `dense.mlpackage` is a Git LFS pointer and not the file itself"),
        (SPECIFICATION, b"not a model at all", "`dense.mlpackage` is damaged"),
        (SPECIFICATION, b"\x08\x07", "it does not say which kind of model it is"),
        (WEIGHTS, None, "the weights of `dense.mlpackage` are missing: there is no `weight.bin`"),
        (WEIGHTS, POINTER, "`weight.bin` of `dense.mlpackage` is a Git LFS pointer"),
        (WEIGHTS, b"\0" * 100, "the weights of `dense.mlpackage` are cut off: `weight.bin` has 100 bytes"),
    ],
)
def test_a_damaged_package_says_what_is_wrong(file: str | Path, content: bytes | None, sentence: str, package: Path) -> None:
    if content is None:
        (package / file).unlink()
    else:
        (package / file).write_bytes(content)
    with pytest.raises(CannotRun) as refusal:
        read_package(package)
    assert sentence in refusal.value.message


def test_a_pointer_is_fetched_by_a_command(package: Path) -> None:
    (package / WEIGHTS).write_bytes(POINTER)
    with pytest.raises(CannotRun) as refusal:
        read_package(package)
    assert refusal.value.hint == "git lfs pull"


@pytest.mark.parametrize("file", [SPECIFICATION, WEIGHTS])
def test_a_link_out_of_the_package_is_not_followed(file: Path, package: Path, tmp_path: Path) -> None:
    shutil.move(package / file, tmp_path / "elsewhere")
    (package / file).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotRun, match="which is outside it"):
        read_package(package)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_package_nobody_may_read_says_so(package: Path) -> None:
    (package / SPECIFICATION).chmod(0)
    with pytest.raises(CannotRun, match="cannot be read: Permission denied"):
        read_package(package)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.mlpackage", "is a file, where a package is a folder"),
        ("a.mlmodelc", "is a file, where a compiled model is a folder"),
        ("a.txt", "is no Core ML model"),
        ("none.mlpackage", "there is no"),
        ("none.mlmodel", "there is no"),
        ("none.mlmodelc", "there is no"),
    ],
)
def test_what_is_no_package_is_told_apart(name: str, sentence: str, tmp_path: Path) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CannotRun, match=sentence):
        read_package(tmp_path / name)


def test_a_specification_alone_misses_its_weights(package: Path, tmp_path: Path) -> None:
    shutil.copy(package / SPECIFICATION, tmp_path / "alone.mlmodel")
    with pytest.raises(CannotRun, match="it was taken out of its package"):
        read_package(tmp_path / "alone.mlmodel")


def test_models_within_models_end_somewhere(tmp_path: Path) -> None:
    inner = b"\x08\x07"
    for _ in range(3000):  # a pipeline (202) of one model (1)
        inner = b"\x08\x07" + message(202, message(1, inner))
    (tmp_path / "deep.mlmodel").write_bytes(inner)
    with pytest.raises(CannotRun, match="damaged"):
        read_package(tmp_path / "deep.mlmodel")


def message(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def mutations(data: bytes, chance: random.Random) -> Iterator[bytes]:
    while True:
        changed = bytearray(data)
        match chance.randrange(4):
            case 0:
                for _ in range(chance.randrange(1, 5)):
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
            case 1:
                del changed[chance.randrange(len(changed)) :]
            case 2:
                start = chance.randrange(len(changed))
                del changed[start : start + chance.randrange(1, 40)]
            case _:
                start, source = chance.randrange(len(changed)), chance.randrange(len(changed))
                changed[start:start] = changed[source : source + chance.randrange(1, 60)]
        yield bytes(changed)


@pytest.mark.parametrize("kind", ["picture", "looping", "several", "palettized", "network", "enumerated"])
def test_no_damage_is_anything_but_a_reason(kind: str, packages: dict[str, Path], tmp_path: Path) -> None:
    source = packages[kind]
    copy = tmp_path / source.name
    (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    target = copy / SPECIFICATION if source.is_dir() else copy
    reasons = 0
    tried = mutations(target.read_bytes()[:200_000], random.Random(kind))
    for _ in range(1800):
        replaced(target, next(tried))
        try:
            read_package(copy)
        except CannotRun:
            reasons += 1
    assert reasons > 100


def compiled(folder: Path, said: Any) -> Path:
    path = folder / "tiny.mlmodelc"
    path.mkdir()
    (path / "metadata.json").write_text(json.dumps(said))
    return path


WHISPER: dict[str, Any] = {
    "specificationVersion": 7,
    "storagePrecision": "Float16",
    "computePrecision": "Mixed (Float16, Int32)",
    "modelType": {"name": "MLModelType_mlProgram"},
    "availability": {"macOS": "13.0", "iOS": "16.0"},
    "mlProgramOperationTypeHistogram": {"Ios16.einsum": 32, "Ios16.conv": 26},
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


def test_a_compiled_model_is_described_by_its_metadata(tmp_path: Path) -> None:
    package = read_package(compiled(tmp_path, [WHISPER]))
    (feature,) = package.main.inputs
    assert (package.type, package.spec_version, package.min_os, package.format) == ("mlProgram", 7, "macOS 13", "mlmodelc")
    assert (feature.name, feature.kind) == ("melspectrogram_features", "array")
    assert feature.array and (feature.array.dtype, feature.array.shape) == ("float16", (1, 80, 1, 3000))
    assert package.ops == {"einsum": 32, "conv": 26}
    assert set(package.precision) == {"float16", "int32"}


@pytest.mark.parametrize(("said", "dtype"), [("Double", "float64"), ("Int32", "int32"), ("Float4", None), ("", None)])
def test_a_type_a_compiled_model_names_is_one_numpy_knows_or_none(said: str, dtype: str | None, tmp_path: Path) -> None:
    inputs = [WHISPER["inputSchema"][0] | {"dataType": said}]
    (feature,) = read_package(compiled(tmp_path, [WHISPER | {"inputSchema": inputs}])).main.inputs
    assert feature.array and feature.array.dtype == dtype


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


def test_no_metadata_is_anything_but_a_reason(tmp_path: Path) -> None:
    path = compiled(tmp_path, [WHISPER])
    chance = random.Random(5)
    strange: list[Any] = [None, 7, "x", [], {}, [[]], {"a": 1}, -1, "[", "[1, -2]", "[[1, 2], [3]]", True, 1e300]

    def changed(value: Any) -> Any:
        if chance.random() < 0.15:
            return chance.choice(strange)
        if isinstance(value, dict):
            return {key: changed(each) for key, each in value.items()}
        return [changed(each) for each in value] if isinstance(value, list) else value

    read = 0
    for _ in range(1500):
        replaced(path / "metadata.json", json.dumps(changed([WHISPER])).encode())
        try:
            read_package(path)
        except CannotRun:
            continue
        read += 1
    assert read > 100
