"""Weights beside the program: the files of a package that constants name, mapped into memory and never trusted.

Source: coremltools, `mlmodel/src/MILBlob/Blob/StorageFormat.hpp`: a record of 64 bytes describes the bytes elsewhere in the file.
"""

import mmap
from pathlib import Path

import numpy as np

from mmai.backends.coreml.disk import LFS, RECORD, RECORD_BYTES, SENTINEL, weights_at
from mmai.backends.coreml.reference.kernel import Array
from mmai.backends.coreml.reference.packing import packed_bytes, unpack
from mmai.dialects.coreml.mil import BlobFile
from mmai.errors import CannotRun

BLOB_TYPES = {
    1: "float16",
    2: "float32",
    3: "uint8",
    4: "int8",
    5: "bfloat16",
    6: "int16",
    7: "uint16",
    8: "int4",
    9: "uint1",
    10: "uint2",
    11: "uint4",
    12: "uint3",
    13: "uint6",
    14: "int32",
    15: "uint32",
    16: "float8e4m3fn",
    17: "float8e5m2",
}
"""Source: `BlobDataType.hpp`."""


class Weights:
    """The files of one package."""

    def __init__(self, *, folder: Path, root: Path) -> None:
        """`folder` is the specification's; nothing outside of `root` is opened."""
        self._folder = folder
        self._root = root
        self._files: dict[str, Array] = {}

    def read(self, blob: BlobFile, *, dtype: str, count: int) -> Array:
        """The elements of one constant in a row; where they can be, they are the file's own bytes.

        Raises:
            CannotRun: the file is missing, or it does not hold such a constant.
        """
        file = self._opened(blob.file)
        start, size = self._record(file, blob, dtype)
        if size != packed_bytes(dtype, count):
            raise _damaged(
                blob,
                f"the constant at {blob.offset} has {size} bytes, and {count} of {dtype} take {packed_bytes(dtype, count)}",
            )
        return unpack(file[start : start + size], dtype, count)

    def _record(self, file: Array, blob: BlobFile, dtype: str) -> tuple[int, int]:
        if blob.offset + RECORD_BYTES > file.size:
            raise _damaged(blob, f"it ends at {file.size}, before the constant at {blob.offset}")
        sentinel, kind, size, start = RECORD.unpack(file[blob.offset : blob.offset + RECORD.size].tobytes())
        if sentinel != SENTINEL:
            raise _damaged(blob, f"there is no constant at {blob.offset}")
        if BLOB_TYPES.get(kind) != ("uint8" if dtype == "bool" else dtype):
            raise _damaged(
                blob, f"the constant at {blob.offset} is {BLOB_TYPES.get(kind, 'unknown')}, and the program says {dtype}"
            )
        if start + size > file.size:
            raise _damaged(blob, f"the constant at {blob.offset} goes on after its end at {file.size}")
        return start, size

    def _opened(self, name: str) -> Array:
        if name not in self._files:
            self._files[name] = _mapped(self._place(name), name)
        return self._files[name]

    def _place(self, name: str) -> Path:
        path = weights_at(self._folder, name).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise CannotRun(f"its weights `{name}` lie outside of the package")
        return path


def _mapped(path: Path, name: str) -> Array:
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as exc:
        raise CannotRun(f"its weights `{name}` are missing") from exc
    except OSError as exc:
        raise CannotRun(f"its weights `{name}` cannot be read: {exc.strerror or exc}") from exc
    except ValueError as exc:  # what is empty cannot be mapped
        raise CannotRun(f"its weights `{name}` are empty") from exc
    if content[: len(LFS)] == LFS:
        raise CannotRun(f"its weights `{name}` are a Git LFS pointer, not the file itself", hint="git lfs pull")
    return np.frombuffer(content, np.uint8)


def _damaged(blob: BlobFile, why: str) -> CannotRun:
    return CannotRun(f"its weights `{blob.file}` are damaged: {why}")
