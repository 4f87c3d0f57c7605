"""`Model` messages of coremltools: one of each kind that there is, and descriptions at random."""

from typing import Any

from hypothesis import strategies as st
from packages.told import COLORS, DTYPES
from packages.toolkit import ct

Model = ct.proto.Model_pb2.Model

KINDS = tuple(field.name for field in Model.DESCRIPTOR.oneofs_by_name["Type"].fields)
CLASSIFIERS = (
    "glmClassifier",
    "supportVectorClassifier",
    "treeEnsembleClassifier",
    "neuralNetworkClassifier",
    "kNearestNeighborsClassifier",
    "nonMaximumSuppression",
)
"""Kinds whose classes are texts or whole numbers."""


def a_model(kind: str, *, version: int = 5) -> Any:
    """A model that is nothing but its kind."""
    model = Model(specificationVersion=version)
    getattr(model, kind).SetInParent()
    return model


def _sizes(limit: int = 5) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-1, 1 << 40), max_size=limit)


@st.composite
def _arrays(draw: st.DrawFn) -> Any:
    types = ct.proto.FeatureTypes_pb2
    array = types.ArrayFeatureType(shape=draw(_sizes()), dataType=draw(st.sampled_from([0, *DTYPES])))
    match draw(st.sampled_from(["fixed", "enumerated", "ranged"])):
        case "enumerated":
            for shape in draw(st.lists(_sizes(), max_size=3)):
                array.enumeratedShapes.shapes.add(shape=shape)
        case "ranged":
            for low, high in draw(st.lists(_bounds(), max_size=3)):
                array.shapeRange.sizeRanges.add(lowerBound=low, upperBound=high)
    match draw(st.sampled_from(["none", "int", "float", "double"])):
        case "int":
            array.intDefaultValue = draw(st.integers(-(1 << 31), (1 << 31) - 1))
        case "float":
            array.floatDefaultValue = draw(st.floats(width=32, allow_nan=False))
        case "double":
            array.doubleDefaultValue = draw(st.floats(allow_nan=False))
    return array


def _bounds() -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, 1 << 63), st.integers(-1, 1 << 62))


@st.composite
def _images(draw: st.DrawFn) -> Any:
    side = st.integers(1, 1 << 20)
    image = ct.proto.FeatureTypes_pb2.ImageFeatureType(
        width=draw(side), height=draw(side), colorSpace=draw(st.sampled_from(list(COLORS)))
    )
    match draw(st.sampled_from(["fixed", "enumerated", "ranged"])):
        case "enumerated":
            for width, height in draw(st.lists(st.tuples(side, side), max_size=3)):
                image.enumeratedSizes.sizes.add(width=width, height=height)
        case "ranged":
            for bounds in (image.imageSizeRange.widthRange, image.imageSizeRange.heightRange):
                bounds.lowerBound, bounds.upperBound = draw(_bounds())
    return image


@st.composite
def features(draw: st.DrawFn) -> Any:
    """A `FeatureDescription`."""
    types = ct.proto.FeatureTypes_pb2
    plain = {"int64Type": types.Int64FeatureType(), "doubleType": types.DoubleFeatureType()}
    kind = draw(
        st.sampled_from([*plain, "stringType", "imageType", "multiArrayType", "dictionaryType", "sequenceType", "state"])
    )
    feature = ct.proto.Model_pb2.FeatureDescription(name=draw(st.text()), shortDescription=draw(st.text()))
    feature.type.isOptional = draw(st.booleans())
    match kind:
        case "imageType":
            feature.type.imageType.CopyFrom(draw(_images()))
        case "multiArrayType":
            feature.type.multiArrayType.CopyFrom(draw(_arrays()))
        case "state":
            feature.type.stateType.arrayType.CopyFrom(draw(_arrays()))
        case "dictionaryType":
            getattr(feature.type.dictionaryType, draw(st.sampled_from(["int64KeyType", "stringKeyType"]))).SetInParent()
        case "sequenceType":
            feature.type.sequenceType.int64Type.SetInParent()
        case other:
            getattr(feature.type, other).SetInParent()
    return feature


@st.composite
def models(draw: st.DrawFn) -> Any:
    """A `Model` of any kind with a description of any form."""
    model = a_model(draw(st.sampled_from(KINDS)), version=draw(st.integers(1, 20)))
    model.isUpdatable = draw(st.booleans())
    told = model.description
    several = draw(st.integers(0, 2))
    for each in [told.functions.add(name=f"f{at}") for at in range(several)] or [told]:
        for field in (each.input, each.output, each.state):
            field.extend(draw(st.lists(features(), max_size=2)))
        each.predictedFeatureName, each.predictedProbabilitiesName = draw(st.text()), draw(st.text())
    told.defaultFunctionName = draw(st.sampled_from(["", "f0", "f1"]))
    noted = told.metadata
    noted.shortDescription, noted.versionString = draw(st.text()), draw(st.text())
    noted.author, noted.license = draw(st.text()), draw(st.text())
    noted.userDefined.update(draw(st.dictionaries(st.text(), st.text(), max_size=3)))
    return model
