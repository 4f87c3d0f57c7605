"""What Xcode's compiler writes into a `metadata.json` about inputs and outputs.

Source: `FeatureType::toDictionary` in `mlmodel/src/DataType.cpp` of coremltools: all values are texts.
"""

from collections.abc import Sequence
from typing import Any

from packages.told import DTYPES

TYPES = {
    "multiArrayType": "MultiArray",
    "imageType": "Image",
    "dictionaryType": "Dictionary",
    "doubleType": "Double",
    "int64Type": "Int64",
    "stringType": "String",
    "sequenceType": "Sequence",
    "stateType": "State",
}
COLORS = {10: "Grayscale", 20: "RGB", 30: "BGR", 40: "Grayscale16Half"}
ELEMENTS = {**{name: name.capitalize() for name in DTYPES.values()}, "float64": "Double"}


def described(feature: Any) -> dict[str, str]:
    """A `FeatureDescription` as a row of a schema."""
    kind = feature.type.WhichOneof("Type")
    row = {
        "name": feature.name,
        "shortDescription": feature.shortDescription,
        "type": TYPES[kind],
        "isOptional": "1" if feature.type.isOptional else "0",
    }
    match kind:
        case "multiArrayType":
            row |= _array(feature.type.multiArrayType)
        case "stateType":
            row |= _array(feature.type.stateType.arrayType)
        case "imageType":
            row |= _image(feature.type.imageType)
        case "dictionaryType":
            row["keyType"] = "Int64" if feature.type.dictionaryType.HasField("int64KeyType") else "String"
    return row


def _array(array: Any) -> dict[str, str]:
    flexible = array.WhichOneof("ShapeFlexibility")
    row = {
        "dataType": ELEMENTS.get(DTYPES.get(array.dataType, ""), "Invalid"),
        "shape": _listed(array.shape),
        "hasShapeFlexibility": "1" if flexible else "0",
    }
    if flexible == "enumeratedShapes":
        row["enumeratedShapes"] = _rows([each.shape for each in array.enumeratedShapes.shapes])
    elif flexible == "shapeRange":
        row["shapeRange"] = _rows([(each.lowerBound, each.upperBound) for each in array.shapeRange.sizeRanges])
    return row


def _image(image: Any) -> dict[str, str]:
    flexible = image.WhichOneof("SizeFlexibility")
    row = {
        "width": str(image.width),
        "height": str(image.height),
        "colorspace": COLORS[image.colorSpace],
        "hasSizeFlexibility": "1" if flexible else "0",
    }
    if flexible == "enumeratedSizes":
        row["enumeratedSizes"] = _rows([(each.width, each.height) for each in image.enumeratedSizes.sizes])
    elif flexible == "imageSizeRange":
        ranges = (image.imageSizeRange.widthRange, image.imageSizeRange.heightRange)
        row["sizeRange"] = _rows([(each.lowerBound, each.upperBound) for each in ranges])
    return row


def _rows(rows: Sequence[Sequence[int]]) -> str:
    return f"[{', '.join(map(_listed, rows))}]"


def _listed(numbers: Sequence[int]) -> str:
    return f"[{', '.join(map(str, numbers))}]"
