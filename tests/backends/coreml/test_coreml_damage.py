"""Files of models changed at random: whatever happens to them, they are read, or there is one sentence that says why not.

13,000 changes in all, the same in every run.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from packages.damage import replaced
from packages.kinds import enumerated, looping, network, palettized, picture, pruned_and_palettized, several
from packages.messages import a_model

from mmai.backends.coreml.files import read_package, specification_of
from mmai.dialects.coreml.compiled import read_metadata
from mmai.dialects.coreml.model import read_model
from mmai.dialects.coreml.wire import Damaged
from mmai.errors import CannotRun
from mmai.values.package import Package

# coremltools leaves it to the collector to take away what it built in.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def mutations(data: bytes, *, seed: str, tries: int) -> Iterator[bytes]:
    """The same bytes with some of them changed, cut off, left out, doubled, or all zero."""
    chance = random.Random(seed)
    for _ in range(tries):
        changed = bytearray(data)
        start = chance.randrange(len(changed))
        match chance.randrange(6):
            case 0:
                for _ in range(chance.randrange(1, 5)):
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
            case 1:
                changed[start] ^= 1 << chance.randrange(8)
            case 2:
                del changed[start:]
            case 3:
                del changed[start : start + chance.randrange(1, 40)]
            case 4:
                source = chance.randrange(len(changed))
                changed[start:start] = changed[source : source + chance.randrange(1, 60)]
            case _:
                end = start + chance.randrange(1, 200)
                changed[start:end] = bytes(len(changed[start:end]))
        yield bytes(changed)


def outcomes(tried: Iterator[bytes], read: Callable[[bytes], Package]) -> dict[str, int]:
    """How often there was a reason, and how often a package; that one can be written into the registry and read again."""
    counts = {"read": 0, "refused": 0}
    for data in tried:
        try:
            package = read(data)
        except (CannotRun, Damaged) as refusal:
            assert "\n" not in str(refusal)
            counts["refused"] += 1
        else:
            msgspec.json.decode(msgspec.json.encode(package), type=Package)
            counts["read"] += 1
    return counts


def as_specification(data: bytes) -> Package:
    return read_model(data, path="/m.mlmodel", form="mlmodel").package


@pytest.mark.parametrize("kind", [picture, looping, several, palettized, pruned_and_palettized, network, enumerated])
def test_a_damaged_specification_is_read_or_refused(kind: Callable[[Path], Path], tmp_path: Path) -> None:
    path = kind(tmp_path)
    specification = specification_of(path) if path.is_dir() else path
    tried = mutations(specification.read_bytes(), seed=kind.__name__, tries=1300)
    counts = outcomes(tried, as_specification)
    assert min(counts.values()) > 100


def test_a_damaged_pipeline_is_read_or_refused() -> None:
    model = a_model("pipelineClassifier")
    stages = model.pipelineClassifier.pipeline.models
    stages.add().CopyFrom(a_model("visionFeaturePrint"))
    stages.add().CopyFrom(a_model("glmClassifier"))
    stages[1].glmClassifier.int64ClassLabels.vector.extend(range(20))
    stages[1].description.output.add(name="classLabel").type.int64Type.SetInParent()
    counts = outcomes(mutations(model.SerializeToString(), seed="pipeline", tries=1300), as_specification)
    assert min(counts.values()) > 100


def test_a_package_whose_files_are_damaged_is_read_or_refused(tmp_path: Path) -> None:
    whole, path = picture(tmp_path), tmp_path / "copy.mlpackage"
    shutil.copytree(whole, path)
    for file in (path / "Manifest.json", specification_of(path)):
        data = file.read_bytes()

        def changed(content: bytes, file: Path = file) -> Package:
            replaced(file, content)
            return read_package(path)

        counts = outcomes(mutations(data, seed=file.name, tries=600), changed)
        assert min(counts.values()) > 20
        file.write_bytes(data)
    assert read_package(path).labels


FLEXIBLE = {
    "specificationVersion": 7,
    "computePrecision": "Mixed (Float16, Int32)",
    "modelType": {"name": "MLModelType_pipeline", "structure": [{"name": "MLModelType_mlProgram"}]},
    "availability": {"macOS": "13.0"},
    "mlProgramOperationTypeHistogram": {"Ios16.einsum": 32},
    "functions": [{"name": "main", "stateSchema": [{"name": "s", "type": "State", "dataType": "Float16", "shape": "[1]"}]}],
    "inputSchema": [
        {"name": "x", "type": "MultiArray", "dataType": "Double", "shape": "[1]", "shapeRange": "[[1, 1], [1, -1]]"},
        {"name": "y", "type": "MultiArray", "enumeratedShapes": "[[1, 8], [1, 16]]", "isOptional": "1"},
        {"name": "i", "type": "Image", "width": "8", "height": "6", "colorspace": "BGR", "sizeRange": "[[1, 8], [1, -1]]"},
        {"name": "d", "type": "Dictionary", "keyType": "Int64"},
    ],
    "classLabels": ["grün", 7],
    "userDefinedMetadata": {"\u00e9": "\u00e9"},
}


def as_metadata(data: bytes) -> Package:
    return read_metadata(data, path="/m.mlmodelc")


def test_damaged_metadata_is_read_or_refused() -> None:
    counts = outcomes(mutations(json.dumps([FLEXIBLE]).encode(), seed="metadata", tries=800), as_metadata)
    assert min(counts.values()) > 100


def test_metadata_of_other_types_is_read_or_refused() -> None:
    chance = random.Random(5)
    strange: list[Any] = [
        None,
        7,
        "x",
        [],
        {},
        [[]],
        {"a": 1},
        -1,
        "[",
        "[1, -2]",
        "[[1, 2], [3]]",
        True,
        1e300,
        10**40,
        "\ud800",
    ]

    def changed(value: Any) -> Any:
        if chance.random() < 0.1:
            return chance.choice(strange)
        if isinstance(value, dict):
            return {key: changed(each) for key, each in value.items()}
        return [changed(each) for each in value] if isinstance(value, list) else value

    counts = outcomes((json.dumps(changed([FLEXIBLE])).encode() for _ in range(800)), as_metadata)
    assert min(counts.values()) > 50


def test_metadata_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(Damaged, match=r"its `metadata\.json` is no JSON"):
        as_metadata(b"[" * 200_000)
