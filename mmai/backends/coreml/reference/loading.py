"""From a package on disk to a model that can be asked."""

from collections.abc import Callable
from pathlib import Path

from mmai.backends.coreml.executor import entry_point
from mmai.backends.coreml.files import specification_of
from mmai.backends.coreml.reference.chain import Chain
from mmai.backends.coreml.reference.making import Ready, make_ready
from mmai.backends.coreml.reference.weights import Weights
from mmai.dialects.coreml.mil_program import find_functions, read_function
from mmai.dialects.coreml.mil_values import last, spans
from mmai.dialects.coreml.wire import Damaged, Span
from mmai.errors import CannotRun
from mmai.values.package import Package

PROGRAM = 502
PIPELINES = {"pipelineClassifier": 200, "pipelineRegressor": 201, "pipeline": 202}
"""Fields of the specification. Source: coremltools, `Model.proto`."""


def load(package: Package, function: str | None, stopped: Callable[[], bool]) -> Chain:
    """The model, with its weights in memory.

    Raises:
        UsageError: it has no such function.
        CannotRun: it is of a kind that is not run here, or its files are damaged.
        Stopped: it was given up.
    """
    interface = entry_point(package, function)
    refuse_kind(package)
    path = Path(package.path)
    try:
        specification = specification_of(path) if package.format == "mlpackage" else path
        weights = Weights(folder=specification.parent, root=path)
        buffer = specification.read_bytes()
        programs = _programs(buffer, package)
        return Chain.of(interface, tuple(_ready(buffer, each, interface.name, weights, stopped) for each in programs))
    except OSError as exc:
        raise CannotRun(f"its specification cannot be read: {exc.strerror or exc}") from exc
    except Damaged as exc:
        raise CannotRun(f"its program is damaged: {exc}") from exc


def refuse_kind(package: Package) -> None:
    """Only ML Programs are run here.

    Raises:
        CannotRun: it is something else.
    """
    if package.format == "mlmodelc":
        raise CannotRun(
            "it is compiled (`.mlmodelc`), which only Core ML on a Mac runs; the executor `reference` may run "
            "the `.mlpackage` it was made of",
            hint="mmai run --executor apple",
        )
    kinds = package.stages if package.type in PIPELINES else (package.type,)
    if other := [kind for kind in kinds if kind != "mlProgram"]:
        what = f"it is a {other[0]}" if package.type == other[0] else f"one of its models is a {other[0]}"
        raise CannotRun(
            f"{what}, and the executor `reference` runs ML Programs only; Core ML on a Mac runs it",
            hint="mmai run --executor apple",
        )


def _programs(buffer: bytes, package: Package) -> list[Span]:
    """Where the programs stand, of a pipeline in the order they run."""
    whole = (0, len(buffer))
    if package.type not in PIPELINES:
        return [_part(buffer, whole, PROGRAM)]
    pipeline = _part(buffer, whole, PIPELINES[package.type])
    if package.type != "pipeline":
        pipeline = _part(buffer, pipeline, 1)
    return [_part(buffer, model, PROGRAM) for number, model in spans(buffer, pipeline) if number == 1]


def _part(buffer: bytes, span: Span, number: int) -> Span:
    found = last(buffer, span).get(number)
    if found is None:
        raise Damaged("there is none in its specification")
    return found


def _ready(buffer: bytes, span: Span, name: str, weights: Weights, stopped: Callable[[], bool]) -> Ready:
    functions = find_functions(buffer, span)
    found = functions.get(name) or (next(iter(functions.values())) if len(functions) == 1 else None)
    if found is None:
        raise CannotRun(f"its program has no function `{name}`")
    return make_ready(read_function(buffer, found), weights, stopped=stopped)
