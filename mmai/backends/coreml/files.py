"""A Core ML model on disk, read without running it. Whatever is wrong with its files is one sentence."""

import json
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from msgspec.structs import replace

from mmai.dialects.coreml.compiled import read_metadata
from mmai.dialects.coreml.model import Specification, read_model
from mmai.dialects.coreml.wire import Buffer, Damaged
from mmai.errors import CannotRun
from mmai.values.package import Package

Format = Literal["mlpackage", "mlmodel", "mlmodelc"]

LFS = b"version https://git-lfs"
"""How a file begins that git has not fetched yet."""

MODEL_PATH = "@model_path"
"""In a program: the folder of the specification."""

MAX_MANIFEST_BYTES = 4 << 20
MAX_METADATA_BYTES = 64 << 20

RECORD_BYTES = 64
"""Of the header of a file of weights, and of each record in it."""


def format_of(path: Path) -> Format | None:
    """By its name; None is no model."""
    suffix = path.suffix.lower().removeprefix(".")
    return cast(Format, suffix) if suffix in ("mlpackage", "mlmodel", "mlmodelc") else None


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
    except ValueError as exc:  # a zero byte in a name
        raise CannotRun(f"`{path.name}` is damaged: {exc}") from exc


def specification_of(package: Path) -> Path:
    """The file of a `.mlpackage` that holds its specification.

    Raises:
        CannotRun, OSError: there is none within it.
    """
    manifest = package / "Manifest.json"
    if not package.is_dir():
        raise CannotRun(
            f"`{package.name}` is a file, where a package is a folder" if package.exists() else f"there is no `{package}`"
        )
    try:
        entry = _root(json.loads(_whole(manifest, MAX_MANIFEST_BYTES)))
    except FileNotFoundError as exc:
        raise CannotRun(f"`{package.name}` has no `Manifest.json`") from exc
    except (ValueError, RecursionError) as exc:
        raise CannotRun(f"the `Manifest.json` of `{package.name}` is damaged") from exc
    return _within(package, package / "Data" / entry)


def _root(manifest: Any) -> str:
    """The path of the model within `Data`; raises ValueError."""
    try:
        path = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    except (TypeError, KeyError, IndexError) as exc:
        raise ValueError("no root model") from exc
    if not isinstance(path, str) or not path:
        raise ValueError("no path")
    return path


def _within(package: Path, path: Path) -> Path:
    """A path that stays in the package, links followed."""
    if not path.resolve().is_relative_to(package.resolve()):
        raise CannotRun(f"`{package.name}` refers to `{path}`, which is outside it")
    return path


def _package(path: Path) -> Package:
    specification = specification_of(path)
    with _mapped(specification, path) as buffer:
        found = read_model(buffer, path=str(path), form="mlpackage")
    weights = {_weight_file(path, specification, name): offset for name, offset in found.weights.items()}
    for file, offset in weights.items():
        _demand_weights(path, file, offset)
    size = sum(file.stat().st_size for file in weights) if weights else None
    return replace(found.package, spec_bytes=specification.stat().st_size, weight_bytes=size)


def _weight_file(package: Path, specification: Path, name: str) -> Path:
    """Where the program's `@model_path/weights/weight.bin` lies."""
    relative = name.removeprefix(MODEL_PATH).lstrip("/")
    return _within(package, specification.parent / relative)


def _demand_weights(package: Path, file: Path, offset: int) -> None:
    try:
        size = file.stat().st_size
        start = _start(file)
    except FileNotFoundError as exc:
        raise CannotRun(f"the weights of `{package.name}` are missing: there is no `{file.name}`") from exc
    if start.startswith(LFS):
        raise _not_fetched(package, file)
    if not file.is_file():
        raise CannotRun(f"the weights of `{package.name}` are missing: `{file.name}` is no file")
    if offset + RECORD_BYTES > size:
        raise CannotRun(
            f"the weights of `{package.name}` are cut off: `{file.name}` has {size} bytes, and a tensor begins at {offset}"
        )


def _model(path: Path) -> Package:
    if not path.is_file():
        raise CannotRun(f"`{path.name}` is a folder, where a model is a file" if path.is_dir() else f"there is no `{path}`")
    with _mapped(path, path) as buffer:
        found = _alone(read_model(buffer, path=str(path), form="mlmodel"), path)
    return replace(found, spec_bytes=path.stat().st_size)


def _alone(found: Specification, path: Path) -> Package:
    if found.weights:
        raise CannotRun(f"the weights of `{path.name}` are missing: it was taken out of its package")
    return found.package


def _compiled(path: Path) -> Package:
    if not path.is_dir():
        raise CannotRun(
            f"`{path.name}` is a file, where a compiled model is a folder" if path.exists() else f"there is no `{path}`"
        )
    try:
        data = _whole(_within(path, path / "metadata.json"), MAX_METADATA_BYTES)
    except FileNotFoundError as exc:
        if not (path / "coremldata.bin").is_file():
            raise CannotRun(f"`{path.name}` is no compiled model: it has neither `metadata.json` nor `coremldata.bin`") from exc
        raise CannotRun(f"`{path.name}` does not describe itself: it has no `metadata.json`") from exc
    if data.startswith(LFS):
        raise _not_fetched(path, path / "metadata.json")
    found = read_metadata(data, path=str(path))
    weights = [file for file in (path / "weights").glob("*") if file.is_file()]
    for file in weights:
        if _start(file).startswith(LFS):
            raise _not_fetched(path, file)
    return replace(found, weight_bytes=sum(file.stat().st_size for file in weights) or None)


@contextmanager
def _mapped(file: Path, model: Path) -> Iterator[Buffer]:
    """The bytes of a specification, without reading those nobody looks at."""
    try:
        handle = file.open("rb")
    except FileNotFoundError as exc:
        raise CannotRun(f"the specification of `{model.name}` is missing: there is no `{file.name}`") from exc
    with handle:
        start = handle.read(len(LFS))
        if start.startswith(LFS):
            raise _not_fetched(model, file)
        if not start:
            raise CannotRun(f"`{model.name}` is damaged: `{file.name}` is empty")
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            yield buffer


def _start(file: Path) -> bytes:
    with file.open("rb") as handle:
        return handle.read(len(LFS))


def _whole(file: Path, limit: int) -> bytes:
    with file.open("rb") as handle:
        data = handle.read(limit + 1)
    if len(data) > limit:
        raise CannotRun(f"`{file.name}` is larger than {limit >> 20} MiB")
    return data


def _not_fetched(model: Path, file: Path) -> CannotRun:
    return CannotRun(f"`{file.name}` of `{model.name}` is a Git LFS pointer and not the file itself", hint="git lfs pull")
