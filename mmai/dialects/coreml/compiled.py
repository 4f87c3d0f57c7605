"""The `metadata.json` of a compiled model. Nothing in it is promised, so every key may be missing.

Source: what Xcode's compiler writes, as read by Apple's ml-stable-diffusion, WhisperKit and others; there is no specification.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

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
ARRAY_TYPES = {"Float16": "float16", "Float32": "float32", "Double": "float64", "Int8": "int8", "Int32": "int32"}
COLORS: dict[str, Color] = {"RGB": "rgb", "BGR": "bgr", "Grayscale": "grayscale", "Grayscale16Half": "grayscale_float16"}
DEFAULT = "main"


def read_metadata(data: bytes, *, path: str) -> Package:
    """What a compiled model says of itself.

    Raises:
        Damaged: it is no JSON of that form.
    """
    try:
        root = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise Damaged("its `metadata.json` is no JSON") from exc
    said = root[0] if isinstance(root, list) and root else root
    if not isinstance(said, dict):
        raise Damaged("its `metadata.json` describes no model")
    version = said.get("specificationVersion")
    labels = tuple(map(str, _listed(said.get("classLabels"))))
    return Package(
        path=path,
        format="mlmodelc",
        type=_type(said),
        spec_version=version if isinstance(version, int) else 0,
        min_os=_system(said, version),
        functions=_functions(said),
        default_function=_text(said, "defaultFunctionName") or None,
        labels=labels,
        label_count=len(labels) or None,
        description=_text(said, "shortDescription"),
        author=_text(said, "author"),
        license=_text(said, "license"),
        version=_text(said, "version"),
        precision=_precision(_text(said, "computePrecision")),
        ops=_histogram(said),
        updatable=_text(said, "isUpdatable") in ("1", "true"),
        metadata={key: str(value) for key, value in _table(said.get("userDefinedMetadata")).items()},
    )


def _type(said: dict[str, Any]) -> str:
    """`MLModelType_mlProgram` is `mlProgram`."""
    named = _text(_table(said.get("modelType")), "name").removeprefix("MLModelType_")
    return named or "unknown"


def _system(said: dict[str, Any], version: Any) -> str | None:
    told = _text(_table(said.get("availability")), "macOS")
    if told:
        return f"macOS {told.removesuffix('.0')}"
    return SYSTEMS.get(version) if isinstance(version, int) else None


def _functions(said: dict[str, Any]) -> tuple[Function, ...]:
    listed = [each for each in _listed(said.get("functions")) if isinstance(each, dict)]
    return tuple(_function(each) for each in listed) or (_function(said | {"name": DEFAULT}),)


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
        optional=_text(said, "isOptional") in ("1", "true"),
        image=_image(said) if kind == "image" else None,
        array=_array(said) if kind in ("array", "state") else None,
        keys="int64" if "Int64" in _text(said, "keyType") else "string" if kind == "dictionary" else None,
    )


def _image(said: dict[str, Any]) -> ImageFormat:
    width, height = _whole(said.get("width")), _whole(said.get("height"))
    return ImageFormat(width=width or 0, height=height or 0, color=COLORS.get(_text(said, "colorspace"), "rgb"))


def _array(said: dict[str, Any]) -> ArrayFormat:
    shapes = _shapes(_text(said, "enumeratedShapes")) if _text(said, "hasShapeFlexibility") == "1" else ()
    return ArrayFormat(
        dtype=ARRAY_TYPES.get(_text(said, "dataType")),
        shape=_shape(_text(said, "shape")),
        shapes=shapes,
        ranges=_ranges(_text(said, "shapeRange")),
    )


def _shape(said: str) -> tuple[int, ...]:
    """`[1, 80, 3000]`; what is no list of numbers says nothing."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return ()
    sizes = tuple(_whole(each) for each in _listed(found))
    return tuple(size for size in sizes if size is not None) if None not in sizes else ()


def _shapes(said: str) -> tuple[tuple[int, ...], ...]:
    """`[[1, 80], [1, 3000]]`, or rows like `1 × 80 | 1 × 3000`."""
    try:
        return tuple(shape for each in _listed(json.loads(said)) if (shape := _shape(json.dumps(each))))
    except (ValueError, RecursionError):
        rows = (re.findall(r"\d+", row) for row in said.split("|"))
        return tuple(tuple(map(int, row)) for row in rows if row)


def _ranges(said: str) -> tuple[Range, ...]:
    """`[[1, 1], [1, 3000]]`; a negative upper bound is none."""
    try:
        rows = [_shape(json.dumps(each)) for each in _listed(json.loads(said))]
    except (ValueError, RecursionError):
        return ()
    if not all(len(row) == 2 for row in rows):
        return ()
    return tuple((row[0], None if row[1] < 0 else row[1]) for row in rows)


def _precision(said: str) -> dict[str, int]:
    """`Mixed (Float16, Int32)` names the types and no counts, so each counts as one."""
    return dict.fromkeys((each.lower() for each in re.findall(r"U?Int\d+|Float\d+", said)), 1)


def _histogram(said: dict[str, Any]) -> dict[str, int]:
    """`{"Ios16.einsum": 4}` without what stands before the dot."""
    counts: dict[str, int] = {}
    for key in ("mlProgramOperationTypeHistogram", "neuralNetworkLayerTypeHistogram"):
        for name, value in _table(said.get(key)).items():
            if (count := _whole(value)) is not None:
                short = str(name).rpartition(".")[2]
                counts[short] = counts.get(short, 0) + count
    return dict(sorted(counts.items(), key=lambda row: -row[1]))


def _whole(value: Any) -> int | None:
    """A number, also where it is written as a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value) else None


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
