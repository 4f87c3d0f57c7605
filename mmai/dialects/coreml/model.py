"""A whole specification as a package: kind, version, interface, classes, and what its parts are made of.

Field numbers are those of `Model.proto`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from mmai.dialects.coreml.interface import read_interface, whole_numbers
from mmai.dialects.coreml.layers import LAYERS
from mmai.dialects.coreml.mil_values import deeper, spans, text
from mmai.dialects.coreml.program import MOST_LABELS, Survey, survey
from mmai.dialects.coreml.wire import Buffer, Damaged, Span, few, fields
from mmai.values.package import Package

TYPES = {
    200: "pipelineClassifier",
    201: "pipelineRegressor",
    202: "pipeline",
    300: "glmRegressor",
    301: "supportVectorRegressor",
    302: "treeEnsembleRegressor",
    303: "neuralNetworkRegressor",
    304: "bayesianProbitRegressor",
    400: "glmClassifier",
    401: "supportVectorClassifier",
    402: "treeEnsembleClassifier",
    403: "neuralNetworkClassifier",
    404: "kNearestNeighborsClassifier",
    500: "neuralNetwork",
    501: "itemSimilarityRecommender",
    502: "mlProgram",
    555: "customModel",
    556: "linkedModel",
    560: "classConfidenceThresholding",
    600: "oneHotEncoder",
    601: "imputer",
    602: "featureVectorizer",
    603: "dictVectorizer",
    604: "scaler",
    606: "categoricalMapping",
    607: "normalizer",
    609: "arrayFeatureExtractor",
    610: "nonMaximumSuppression",
    900: "identity",
    2000: "textClassifier",
    2001: "wordTagger",
    2002: "visionFeaturePrint",
    2003: "soundAnalysisPreprocessing",
    2004: "gazetteer",
    2005: "wordEmbedding",
    2006: "audioFeaturePrint",
    3000: "serializedModel",
}

SYSTEMS = {
    1: "macOS 10.13",
    2: "macOS 10.13.2",
    3: "macOS 10.14",
    4: "macOS 10.15",
    5: "macOS 11",
    6: "macOS 12",
    7: "macOS 13",
    8: "macOS 14",
    9: "macOS 15",
    10: "macOS 26",
}
"""Specification version to the oldest macOS that reads it."""

STRING_LABELS = {**dict.fromkeys((400, 401, 402, 403, 404, 610), 100), 2000: 200, 2004: 200}
"""Kind of model to the field that holds its classes as texts; from 100 on, as whole numbers they are in the next one."""

FIRST_LAYER = 100
"""Of the fields of a `NeuralNetworkLayer`; those before it name it."""

NESTED = {605: (1, 2), 615: (3, 4)}
"""Layers that hold networks, a branch and a loop, to the fields of those."""

MOST_STAGES = 1000


class Specification(Struct, frozen=True):
    """A model as its specification has it, and the files of weights it refers to."""

    package: Package
    weights: dict[str, int]
    """File, as the program names it, to the offset of the last record in it."""


def read_model(buffer: Buffer, *, path: str, form: Literal["mlpackage", "mlmodel"]) -> Specification:
    """A `Model`.

    Raises:
        Damaged: the bytes are none, or say nothing of what it is.
    """
    package, counted = _read(buffer, (0, len(buffer)), (path, form), depth=0)
    return Specification(package, counted.files)


_Origin = tuple[str, Literal["mlpackage", "mlmodel"]]
"""Path and format."""


def _read(buffer: Buffer, span: Span, origin: _Origin, depth: int) -> tuple[Package, Survey]:
    deeper(depth)
    version, updatable = 0, False
    description: Span | None = None
    kind, content = 0, span
    for number, wire, value in fields(buffer, *span):
        if wire == 0 and number == 1:
            version = value
        elif wire == 0 and number == 10:
            updatable = bool(value)
        elif wire == 2 and number == 2:
            description = value
        elif wire == 2 and number in TYPES:
            kind, content = number, value
    if not version or not kind:
        raise Damaged("it does not say which kind of model it is" if version else "it has no specification version")
    if not 0 < version < 1 << 31:
        raise Damaged(f"its specification version is {version}")
    interface = read_interface(buffer, description or (0, 0))
    parts = _parts(buffer, kind, content, origin, depth)
    counted = parts.survey
    package = Package(
        path=origin[0],
        format=origin[1],
        type=TYPES[kind],
        spec_version=version,
        min_os=SYSTEMS.get(version),
        functions=tuple(interface.functions),
        default_function=interface.default_function,
        labels=counted.labels,
        label_count=len(counted.labels) or None,
        precision=_by_count(counted.precision),
        ops=_by_count(counted.ops),
        stages=parts.stages,
        parameter_count=counted.parameters,
        updatable=updatable,
        metadata=interface.notes,
        description=interface.texts.get("description", ""),
        version=interface.texts.get("version", ""),
        author=interface.texts.get("author", ""),
        license=interface.texts.get("license", ""),
    )
    return package, counted


class _Parts:
    """What the one field says that holds the model itself."""

    def __init__(self) -> None:
        self.survey = Survey()
        self.stages: tuple[str, ...] = ()


def _parts(buffer: Buffer, kind: int, content: Span, origin: _Origin, depth: int) -> _Parts:
    found = _Parts()
    if TYPES[kind] == "mlProgram":
        found.survey = survey(buffer, content)
    elif TYPES[kind].startswith("pipeline"):
        _stages(buffer, _pipeline(buffer, kind, content), found, origin, depth)
    elif TYPES[kind].startswith("neuralNetwork"):
        _layers(buffer, content, found.survey, depth)
    if kind in STRING_LABELS:
        found.survey.labels = _labels(buffer, content, STRING_LABELS[kind])
    return found


def _pipeline(buffer: Buffer, kind: int, content: Span) -> Span:
    """A classifier or regressor wraps the pipeline itself."""
    if TYPES[kind] == "pipeline":
        return content
    return next((inner for number, inner in spans(buffer, content) if number == 1), (0, 0))


def _stages(buffer: Buffer, pipeline: Span, found: _Parts, origin: _Origin, depth: int) -> None:
    """Add up the models of a pipeline; the classes are those of the last that has any."""
    for number, inner in few(spans(buffer, pipeline), MOST_STAGES, "models in a row"):
        if number == 1:
            stage, counted = _read(buffer, inner, origin, depth + 1)
            found.stages = (*found.stages, stage.type)
            found.survey.add(counted)


def _layers(buffer: Buffer, network: Span, found: Survey, depth: int) -> None:
    """Count the layers of a network and of those within its branches and loops."""
    deeper(depth)
    for number, layer in spans(buffer, network):
        if number != 1:
            continue
        found.see()
        for field, content in spans(buffer, layer):
            if field >= FIRST_LAYER:
                found.ops[LAYERS.get(field, "unknown")] += 1
            for inner, nested in spans(buffer, content) if field in NESTED else ():
                if inner in NESTED[field]:
                    _layers(buffer, nested, found, depth + 1)


def _labels(buffer: Buffer, content: Span, field: int) -> tuple[str, ...]:
    for number, inner in spans(buffer, content):
        if number == field:
            return tuple(few((text(buffer, label) for key, label in spans(buffer, inner) if key == 1), MOST_LABELS, "classes"))
        if number == field + 1 and field == 100:
            return tuple(map(str, few(_numbered(buffer, inner), MOST_LABELS, "classes")))
    return ()


def _numbered(buffer: Buffer, vector: Span) -> Iterator[int]:
    """An `Int64Vector`."""
    for number, wire, value in fields(buffer, *vector):
        if number == 1:
            yield from whole_numbers(buffer, wire, value)


def _by_count(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())
