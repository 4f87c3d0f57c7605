"""The `metadata.json` of a compiled model. Nothing in it is promised, so every key may be missing.

Source: of inputs and outputs `toDictionary` in `DataType.cpp` of coremltools, where sizes, ranges and flags are texts; of the
rest what apps read that ship such models (ml-stable-diffusion, WhisperKit, Mochi Diffusion). There is no specification.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from mmai.dialects.coreml.interface import ARRAY_TYPES
from mmai.dialects.coreml.model import SYSTEMS
from mmai.dialects.coreml.wire import Damaged
from mmai.values.package import ArrayFormat, Color, Feature, FeatureKind, Function, ImageFormat, Package, Range

KINDS: dict[str, FeatureKind] = {
    "MultiArray": "array",
    "Image": "image",
    "Dictionary": "dictionary",
    "String": "string",
    "Int64": "int64",
    "Double": "double",
    "Sequence": "sequence",
    "State": "state",
}
COLORS: dict[str, Color] = {"RGB": "rgb", "BGR": "bgr", "Grayscale": "grayscale", "Grayscale16Half": "grayscale_float16"}
KEYS: dict[str, Literal["string", "int64"]] = {"String": "string", "Int64": "int64"}
DTYPES = {"double": "float64", "invalid": ""}
"""Element types, in small letters, that have another name elsewhere, or none."""
RENAMED = {"16": "26"}
"""Versions of macOS as the first compilers that knew them had them."""
DEFAULT = "main"


def read_metadata(data: bytes, *, path: str) -> Package:
    """What a compiled model says of itself.

    Raises:
        Damaged: it is no JSON of that form.
    """
    try:
        root = json.loads(data)
        if b"\\ud" in data.lower():
            # JSON can name half a character, which nothing that is written can hold.
            root = json.loads(json.dumps(root, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as exc:
        raise Damaged("its `metadata.json` is no JSON") from exc
    said = root[0] if isinstance(root, list) and root else root
    if not isinstance(said, dict):
        raise Damaged("its `metadata.json` describes no model")
    version = _whole(said.get("specificationVersion")) or 0
    labels = tuple(map(str, _listed(said.get("classLabels"))))
    functions = [each for each in _listed(said.get("functions")) if isinstance(each, dict)]
    return Package(
        path=path,
        format="mlmodelc",
        type=_type(said.get("modelType")),
        spec_version=version,
        min_os=_system(said, version),
        functions=tuple(map(_function, functions)) or (_function(said),),
        default_function=_text(said, "defaultFunctionName") or None,
        labels=labels,
        label_count=len(labels) or None,
        description=_text(said, "shortDescription"),
        author=_text(said, "author"),
        license=_text(said, "license"),
        version=_text(said, "version"),
        precision=_precision(said) or _precision(*functions),
        ops=_histogram(said) or _histogram(*functions),
        stages=tuple(map(_type, _listed(_table(said.get("modelType")).get("structure")))),
        updatable=_truth(said, "isUpdatable"),
        metadata={key: str(value) for key, value in _table(said.get("userDefinedMetadata")).items()},
    )


def _type(said: Any) -> str:
    """`MLModelType_mlProgram` is `mlProgram`."""
    return _text(_table(said), "name").removeprefix("MLModelType_") or "unknown"


def _system(said: dict[str, Any], version: int) -> str | None:
    """Where it says nothing of a macOS, what the version of its specification needs."""
    told = _text(_table(said.get("availability")), "macOS").removesuffix(".0")
    if not re.fullmatch(r"\d+(\.\d+)*", told):
        return SYSTEMS.get(version)
    return f"macOS {RENAMED.get(told, told)}"


def _function(said: dict[str, Any]) -> Function:
    return Function(
        name=_text(said, "name") or DEFAULT,
        inputs=_features(said.get("inputSchema")),
        outputs=_features(said.get("outputSchema")),
        states=_features(said.get("stateSchema")),
        predicted_label=_text(said, "predictedFeatureName") or None,
        predicted_probabilities=_text(said, "predictedProbabilitiesName") or None,
    )


def _features(said: Any) -> tuple[Feature, ...]:
    return tuple(_feature(each) for each in _listed(said) if isinstance(each, dict))


def _feature(said: dict[str, Any]) -> Feature:
    kind = KINDS.get(_text(said, "type"), "unknown")
    return Feature(
        name=_text(said, "name"),
        kind=kind,
        description=_text(said, "shortDescription"),
        optional=_truth(said, "isOptional"),
        image=_image(said) if kind == "image" else None,
        array=_array(said) if kind in ("array", "state") else None,
        keys=KEYS.get(_text(said, "keyType")) if kind == "dictionary" else None,
    )


def _image(said: dict[str, Any]) -> ImageFormat:
    """Sizes have their width first."""
    sizes = [(size[0], size[1]) for size in _shapes(said, "enumeratedSizes") if len(size) == 2]
    ranges = _ranges(said, "sizeRange")
    width, height = ranges if len(ranges) == 2 else (None, None)
    return ImageFormat(
        width=_whole(said.get("width")) or 0,
        height=_whole(said.get("height")) or 0,
        color=COLORS.get(_text(said, "colorspace"), "rgb"),
        sizes=tuple(sizes),
        width_range=width,
        height_range=height,
    )


def _array(said: dict[str, Any]) -> ArrayFormat:
    said_type = _text(said, "dataType").lower()
    dtype = DTYPES.get(said_type, said_type)
    return ArrayFormat(
        dtype=dtype if dtype in ARRAY_TYPES.values() else None,
        shape=_shape(_read(said, "shape")) or (),
        shapes=_shapes(said, "enumeratedShapes"),
        ranges=_ranges(said, "shapeRange"),
    )


def _shape(said: Any) -> tuple[int, ...] | None:
    """`[1, 80, 3000]`; what is no list of numbers says nothing."""
    sizes = [_whole(each) for each in said] if isinstance(said, list) else [None]
    known = tuple(size for size in sizes if size is not None)
    return known if len(known) == len(sizes) else None


def _shapes(said: dict[str, Any], key: str) -> tuple[tuple[int, ...], ...]:
    """`[[1, 80], [1, 3000]]`."""
    rows = [_shape(each) for each in _listed(_read(said, key))]
    known = tuple(row for row in rows if row is not None)
    return known if len(known) == len(rows) else ()


def _ranges(said: dict[str, Any], key: str) -> tuple[Range, ...]:
    """`[[1, 1], [1, 3000]]`; a negative upper bound is none."""
    rows = _shapes(said, key)
    if not all(len(row) == 2 for row in rows):
        return ()
    return tuple((row[0], None if row[1] < 0 else row[1]) for row in rows)


def _read(said: dict[str, Any], key: str) -> Any:
    """A list that is written as a text."""
    try:
        return json.loads(_text(said, key))
    except (ValueError, RecursionError):
        return None


def _precision(*said: dict[str, Any]) -> dict[str, int]:
    """`Mixed (Float16, Int32)` names the types and no counts, so each counts as one."""
    named = [name.lower() for each in said for name in re.findall(r"U?Int\d+|Float\d+|Double", _text(each, "computePrecision"))]
    return dict.fromkeys((DTYPES.get(name, name) for name in named), 1)


def _histogram(*said: dict[str, Any]) -> dict[str, int]:
    """`{"Ios17.instanceNorm": 4}` of a program is `instance_norm`, as everywhere else; layers have their own names."""
    counts: Counter[str] = Counter()
    for each in said:
        for name, number in _table(each.get("mlProgramOperationTypeHistogram")).items():
            counts[_operation(name)] += _whole(number) or 0
        for name, number in _table(each.get("neuralNetworkLayerTypeHistogram")).items():
            counts[name] += _whole(number) or 0
    return {name: number for name, number in counts.most_common() if number > 0}


def _operation(name: str) -> str:
    """The name of an operation in MIL: no system before it, and words apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower()


def _whole(value: Any) -> int | None:
    """A number, also where it is written as a text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 64 else None


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _truth(said: dict[str, Any], key: str) -> bool:
    return said.get(key) in ("1", "true", 1)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
