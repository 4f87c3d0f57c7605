"""The files a model consists of, opened with care: they may be links, pipes, pointers of Git LFS, cut off or not there at all."""

import mmap
import os
import shlex
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmai.dialects.coreml.wire import Buffer
from mmai.errors import CannotRun

LFS = b"version https://git-lfs"
"""How a file begins that git has not fetched yet."""

RECORD = struct.Struct("<IIQQ")
"""Of a tensor: sentinel, element type, bytes, and where they begin. Source: coremltools, `MILBlob/Blob/StorageFormat.hpp`."""
RECORD_BYTES = 64
SENTINEL = 0xDEADBEEF


MODEL_PATH = "@model_path/"
"""In a program: the folder of the specification."""


def weights_at(folder: Path, name: str) -> Path:
    """Where the program's `@model_path/weights/weight.bin` lies; `folder` is the specification's."""
    return folder / name.removeprefix(MODEL_PATH)


@contextmanager
def mapped(file: Path, *, model: Path) -> Iterator[Buffer]:
    """The bytes of a specification, without reading those nobody looks at.

    Raises:
        CannotRun, OSError: it is missing, empty, or no file of its own.
    """
    with _opened(file, model, f"the specification of `{model.name}` is missing: there is no `{file.name}`") as handle:
        if not os.fstat(handle.fileno()).st_size:
            raise CannotRun(f"`{model.name}` is damaged: `{file.name}` is empty")
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            yield buffer


def whole(file: Path, *, model: Path, limit: int) -> bytes:
    """All of a file that is small in every model.

    Raises:
        CannotRun, OSError: it is missing, larger, or no file of its own.
    """
    with _opened(file, model, f"`{model.name}` has no `{file.name}`") as handle:
        data = handle.read(limit + 1)
    if len(data) > limit:
        raise CannotRun(f"`{file.name}` of `{model.name}` is larger than {limit >> 20} MiB")
    return data


def weigh(file: Path, *, model: Path, last: int | None = None) -> int:
    """The bytes of a file of weights, of which the record of the last tensor lies at `last`.

    Raises:
        CannotRun, OSError: it is missing, cut off, or something else.
    """
    with _opened(file, model, f"the weights of `{model.name}` are missing: there is no `{file.name}`") as handle:
        size = os.fstat(handle.fileno()).st_size
        if last is None:
            return size
        if last + RECORD_BYTES > size:
            raise _cut_off(file, model, size, f"a tensor begins at {last}")
        handle.seek(last)
        sentinel, _, length, start = RECORD.unpack(handle.read(RECORD.size))
    if sentinel != SENTINEL:
        raise CannotRun(f"the weights of `{model.name}` are damaged: no tensor begins at {last} in `{file.name}`")
    if start + length > size:
        raise _cut_off(file, model, size, f"its last tensor ends at {start + length}")
    return size


def within(package: Path, path: Path) -> Path:
    """A path that stays in the package, links followed.

    Raises:
        CannotRun: it does not.
    """
    real = os.path.realpath(package)
    if _below(os.path.realpath(path), real):
        return path
    if _below(os.path.normpath(path), os.path.normpath(package)):
        # As the cache of Hugging Face keeps what was downloaded.
        copy = shlex.join(["cp", "-RL", str(package), f"{package.stem}-copy{package.suffix}"])
        raise CannotRun(f"`{path.name}` of `{package.name}` is a link to a place outside it", hint=copy)
    raise CannotRun(f"`{package.name}` refers to `{path}`, which is outside it")


def _below(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


@contextmanager
def _opened(file: Path, model: Path, missing: str) -> Iterator[BinaryIO]:
    named = f"`{file.name}`" if file == model else f"`{file.name}` of `{model.name}`"
    try:
        # Opening a pipe would wait for somebody who writes into it.
        if not stat.S_ISREG(file.stat().st_mode):
            raise CannotRun(f"{named} is no file")
        handle = file.open("rb")
    except FileNotFoundError as exc:
        raise CannotRun(missing) from exc
    with handle:
        if handle.read(len(LFS)) == LFS:
            raise CannotRun(
                f"`{file.name}` of `{model.name}` is a Git LFS pointer and not the file itself", hint="git lfs pull"
            )
        handle.seek(0)
        yield handle


def _cut_off(file: Path, model: Path, size: int, why: str) -> CannotRun:
    return CannotRun(f"the weights of `{model.name}` are cut off: `{file.name}` has {size} bytes, and {why}")
