"""A whole specification as a package: kind, version, interface, classes, and what its parts are made of.

Field numbers are those of `Model.proto`.
"""

from collections import Counter
from typing import Literal

from msgspec import Struct

from mmai.dialects.coreml.interface import read_interface, whole_numbers
from mmai.dialects.coreml.layers import LAYERS
from mmai.dialects.coreml.mil_values import deeper, spans, text
from mmai.dialects.coreml.program import Survey, survey
from mmai.dialects.coreml.wire import Buffer, Damaged, Span, fields
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

STRING_LABELS = {**dict.fromkeys((301, 302, 400, 401, 402, 403, 404, 610), 100), 2000: 200}
"""Kind of model to the field that holds its classes as texts; as whole numbers they are in the next one."""

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
    return _read(buffer, (0, len(buffer)), path=path, form=form, depth=0)


def _read(buffer: Buffer, span: Span, *, path: str, form: Literal["mlpackage", "mlmodel"], depth: int) -> Specification:
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
    parts = _parts(buffer, kind, content, path=path, form=form, depth=depth)
    labels = parts.labels
    package = Package(
        path=path,
        format=form,
        type=TYPES[kind],
        spec_version=version,
        min_os=SYSTEMS.get(version),
        functions=tuple(interface.functions),
        default_function=interface.default_function,
        labels=labels,
        label_count=len(labels) or None,
        precision=_by_count(parts.survey.precision),
        ops=_by_count(parts.survey.ops),
        stages=parts.stages,
        parameter_count=parts.survey.parameters or None,
        updatable=updatable,
        metadata=interface.notes,
        description=interface.texts.get("description", ""),
        version=interface.texts.get("version", ""),
        author=interface.texts.get("author", ""),
        license=interface.texts.get("license", ""),
    )
    return Specification(package, parts.survey.files)


class _Parts:
    """What the one field says that holds the model itself."""

    def __init__(self) -> None:
        self.survey = Survey()
        self.labels: tuple[str, ...] = ()
        self.stages: tuple[str, ...] = ()


def _parts(buffer: Buffer, kind: int, content: Span, *, path: str, form: Literal["mlpackage", "mlmodel"], depth: int) -> _Parts:
    found = _Parts()
    if TYPES[kind] == "mlProgram":
        found.survey = survey(buffer, content)
        found.labels = found.survey.labels
    elif TYPES[kind].startswith("pipeline"):
        _stages(buffer, _pipeline(buffer, kind, content), found, path=path, form=form, depth=depth)
    elif TYPES[kind].startswith("neuralNetwork"):
        found.survey.ops = _layers(buffer, content)
    if kind in STRING_LABELS:
        found.labels = _labels(buffer, content, STRING_LABELS[kind])
    return found


def _pipeline(buffer: Buffer, kind: int, content: Span) -> Span:
    """A classifier or regressor wraps the pipeline itself."""
    if TYPES[kind] == "pipeline":
        return content
    return next((inner for number, inner in spans(buffer, content) if number == 1), (0, 0))


def _stages(
    buffer: Buffer, pipeline: Span, found: _Parts, *, path: str, form: Literal["mlpackage", "mlmodel"], depth: int
) -> None:
    """Add up the models of a pipeline; the classes are those of the last that has any."""
    for number, inner in spans(buffer, pipeline):
        if number != 1:
            continue
        stage = _read(buffer, inner, path=path, form=form, depth=depth + 1)
        if len(found.stages) >= MOST_STAGES:
            raise Damaged(f"it is a pipeline of more than {MOST_STAGES} models")
        found.stages = (*found.stages, stage.package.type)
        found.labels = stage.package.labels or found.labels
        found.survey.ops.update(stage.package.ops)
        found.survey.precision.update(stage.package.precision)
        found.survey.parameters += stage.package.parameter_count or 0
        for file, offset in stage.weights.items():
            found.survey.files[file] = max(offset, found.survey.files.get(file, 0))


def _layers(buffer: Buffer, network: Span) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number, layer in spans(buffer, network):
        if number == 1:
            counts.update(LAYERS.get(field, "unknown") for field, _ in spans(buffer, layer) if field >= 100)
    return counts


def _labels(buffer: Buffer, content: Span, field: int) -> tuple[str, ...]:
    for number, inner in spans(buffer, content):
        if number == field:
            return tuple(text(buffer, label) for key, label in spans(buffer, inner) if key == 1)
        if number == field + 1 and field == 100:
            found: list[int] = []
            for key, wire, value in fields(buffer, *inner):
                if key == 1:
                    found += whole_numbers(buffer, wire, value)
            return tuple(map(str, found))
    return ()


def _by_count(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())
