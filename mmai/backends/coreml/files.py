"""A Core ML model on disk, read without running it. Whatever is wrong with its files is one sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast, get_args

from msgspec.structs import replace

from mmai.backends.coreml.disk import mapped, weigh, weights_at, whole, within
from mmai.dialects.coreml.compiled import read_metadata
from mmai.dialects.coreml.model import Specification, read_model
from mmai.dialects.coreml.wire import Damaged
from mmai.errors import CannotRun
from mmai.values.package import Package

Format = Literal["mlpackage", "mlmodel", "mlmodelc"]

SUFFIXES = tuple(f".{name}" for name in get_args(Format))

MAX_MANIFEST_BYTES = 4 << 20
MAX_METADATA_BYTES = 64 << 20

COMPILED_WEIGHTS = ("weights/*", "*.espresso.weights", "model*/weights/*", "model*/*.espresso.weights")
"""Of programs and of networks, alone and as models of a pipeline."""


def format_of(path: Path) -> Format | None:
    """By its name; None is no model."""
    suffix = path.suffix.lower()
    return cast(Format, suffix[1:]) if suffix in SUFFIXES else None


def read_package(path: Path) -> Package:
    """Everything the files of a model say; its roles are left open.

    Raises:
        CannotRun: they are damaged, incomplete, not there or not to be read.
    """
    try:
        match format_of(path):
            case "mlpackage":
                return _package(path)
            case "mlmodel":
                return _model(path)
            case "mlmodelc":
                return _compiled(path)
            case _:
                raise CannotRun(f"`{path}` is no Core ML model: its name ends in neither .mlpackage, .mlmodel nor .mlmodelc")
    except Damaged as exc:
        raise CannotRun(f"`{path.name}` is damaged: {exc}") from exc
    except OSError as exc:
        raise CannotRun(f"`{path.name}` cannot be read: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a zero byte in a name, and on some systems a surrogate
        raise CannotRun(f"`{path.name}` is damaged: {exc}") from exc


def specification_of(package: Path) -> Path:
    """The file of a `.mlpackage` that holds its specification.

    Raises:
        CannotRun, OSError: there is none within it.
    """
    _demand_folder(package, "a package")
    try:
        root = _root(json.loads(whole(package / "Manifest.json", model=package, limit=MAX_MANIFEST_BYTES)))
    except (ValueError, RecursionError) as exc:
        raise CannotRun(f"the `Manifest.json` of `{package.name}` is damaged") from exc
    return within(package, package / "Data" / root)


def _demand_folder(path: Path, what: str) -> None:
    if not path.is_dir():
        raise CannotRun(f"`{path.name}` is a file, where {what} is a folder" if path.exists() else f"there is no `{path}`")


def _root(manifest: Any) -> str:
    """The path of the model within `Data`; raises ValueError."""
    try:
        path = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    except (TypeError, KeyError, IndexError) as exc:
        raise ValueError("no root model") from exc
    if not isinstance(path, str) or not path:
        raise ValueError("no path")
    return path


def _package(path: Path) -> Package:
    specification = specification_of(path)
    with mapped(specification, model=path) as buffer:
        found = read_model(buffer, path=str(path), form="mlpackage")
    files: dict[Path, int] = {}
    for name, offset in found.weights.items():
        file = within(path, weights_at(specification.parent, name))
        files[file] = max(offset, files.get(file, 0))
    size = sum(weigh(file, model=path, last=offset) for file, offset in files.items())
    return replace(found.package, spec_bytes=specification.stat().st_size, weight_bytes=size or None)


def _model(path: Path) -> Package:
    if path.is_dir():
        raise CannotRun(f"`{path.name}` is a folder, where a model is a file")
    if not path.exists():
        raise CannotRun(f"there is no `{path}`")
    with mapped(path, model=path) as buffer:
        found = _alone(read_model(buffer, path=str(path), form="mlmodel"), path)
    return replace(found, spec_bytes=path.stat().st_size)


def _alone(found: Specification, path: Path) -> Package:
    if found.weights:
        raise CannotRun(f"the weights of `{path.name}` are missing: it was taken out of its package")
    return found.package


def _compiled(path: Path) -> Package:
    _demand_folder(path, "a compiled model")
    described = within(path, path / "metadata.json")
    if not described.exists():
        if not (path / "coremldata.bin").is_file():
            raise CannotRun(f"`{path.name}` is no compiled model: it has neither `metadata.json` nor `coremldata.bin`")
        raise CannotRun(f"`{path.name}` does not describe itself: it has no `metadata.json`")
    found = read_metadata(whole(described, model=path, limit=MAX_METADATA_BYTES), path=str(path))
    size = sum(weigh(within(path, file), model=path) for file in _compiled_weights(path))
    return replace(found, weight_bytes=size or None)


def _compiled_weights(path: Path) -> Iterator[Path]:
    return (file for pattern in COMPILED_WEIGHTS for file in path.glob(pattern) if file.is_file())
