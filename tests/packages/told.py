"""What coremltools' own messages say of a model, in mmai's values: the other side of every comparison."""

from typing import Any

from mmai.values.package import ArrayFormat, Feature, Function, ImageFormat

COLORS: dict[int, Any] = {10: "grayscale", 20: "rgb", 30: "bgr", 40: "grayscale_float16"}
DTYPES = {65568: "float32", 65552: "float16", 65600: "float64", 131104: "int32", 131080: "int8"}
KINDS: dict[str | None, Any] = {
    "int64Type": "int64",
    "doubleType": "double",
    "stringType": "string",
    "imageType": "image",
    "multiArrayType": "array",
    "dictionaryType": "dictionary",
    "sequenceType": "sequence",
    "stateType": "state",
    None: "unknown",
}


def functions_of(spec: Any) -> tuple[Function, ...]:
    """Entry points of a `Model`, with all that goes in and comes out."""
    told = spec.description
    listed = [(each.name, each) for each in told.functions] or [("main", told)]
    return tuple(
        Function(
            name=name,
            inputs=tuple(map(feature_of, each.input)),
            outputs=tuple(map(feature_of, each.output)),
            states=tuple(map(feature_of, each.state)),
            predicted_label=each.predictedFeatureName or None,
            predicted_probabilities=each.predictedProbabilitiesName or None,
        )
        for name, each in listed
    )


def feature_of(told: Any) -> Feature:
    """A `FeatureDescription`."""
    kind = told.type.WhichOneof("Type")
    array = {"multiArrayType": told.type.multiArrayType, "stateType": told.type.stateType.arrayType}.get(kind)
    keys: dict[str | None, Any] = {"int64KeyType": "int64", "stringKeyType": "string", None: None}
    return Feature(
        name=told.name,
        kind=KINDS[kind],
        description=told.shortDescription,
        optional=told.type.isOptional,
        image=_image(told.type.imageType) if kind == "imageType" else None,
        array=_array(array) if array is not None else None,
        keys=keys[told.type.dictionaryType.WhichOneof("KeyType")],
    )


def _image(told: Any) -> ImageFormat:
    flexible = told.WhichOneof("SizeFlexibility")
    ranged = told.imageSizeRange
    return ImageFormat(
        width=told.width,
        height=told.height,
        color=COLORS[told.colorSpace],
        sizes=tuple((size.width, size.height) for size in told.enumeratedSizes.sizes),
        width_range=_range(ranged.widthRange) if flexible == "imageSizeRange" else None,
        height_range=_range(ranged.heightRange) if flexible == "imageSizeRange" else None,
    )


def _array(told: Any) -> ArrayFormat:
    default = told.WhichOneof("defaultOptionalValue")
    return ArrayFormat(
        dtype=DTYPES.get(told.dataType),
        shape=tuple(told.shape),
        shapes=tuple(tuple(each.shape) for each in told.enumeratedShapes.shapes),
        ranges=tuple(map(_range, told.shapeRange.sizeRanges)),
        default=float(getattr(told, default)) if default else None,
    )


def _range(told: Any) -> tuple[int, int | None]:
    return told.lowerBound, told.upperBound if told.upperBound >= 0 else None
