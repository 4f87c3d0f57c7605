"""Compiled models, kept by content and system: `<sha256>/<os build>-<coremltools>/model.mlmodelc`.

Core ML specializes a compiled model for the device when it is first loaded, and remembers that by the path it lies at; so the path
has to be the same the next time. Source: Apple's coremltools guide, "Model Prediction".
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from mmai.backends.coreml.apple.hold import Hold, in_use, last_used
from mmai.files import locked, replace

COMPILED = "model.mlmodelc"
NOTE = "entry.json"
SCRATCH = ".compiling"

OURS = re.compile(r"[0-9a-f]{64}|[0-9a-f]{12}")
"""Names of folders that are the cache's own. The settings say where it is, and what else lies there is nothing to delete."""


class Entry(Struct, frozen=True):
    """What lies beside a compiled model. It is written last, so what has none is not whole."""

    source: str
    size_bytes: int
    files: int


class Cache:
    """The compiled models of one system under one folder."""

    def __init__(self, folder: Path, *, key: str, limit_bytes: int) -> None:
        self._folder = folder
        self._key = key
        self._limit_bytes = limit_bytes

    def find(self, sha256: str) -> Hold | None:
        """A hold on the folder of a compiled model; None where there is none, or none that is whole.

        Raises:
            StorageError, OSError: the cache cannot be used.
        """
        with locked(self._folder / "cache"):
            folder = self._folder / sha256 / self._key
            return Hold(folder) if whole(folder) else None

    def scratch(self) -> Hold:
        """A new folder to compile in. Those that others left behind are taken away.

        Raises:
            StorageError, OSError: the cache cannot be used.
        """
        with locked(self._folder / "cache"):
            for left in _ours(self._folder / SCRATCH):
                _remove(left)
            folder = self._folder / SCRATCH / os.urandom(6).hex()
            folder.mkdir(parents=True)
            return Hold(folder)

    def keep(self, sha256: str, compiled: Path, *, source: str) -> Hold:
        """Move a compiled model in, unless another mmai was first, and make room.

        Raises:
            StorageError, OSError: the cache cannot be used.
        """
        with locked(self._folder / "cache"):
            folder = self._folder / sha256 / self._key
            if not whole(folder):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                compiled.replace(folder / COMPILED)
                size_bytes, files = measured(folder / COMPILED)
                replace(folder / NOTE, msgspec.json.encode(Entry(source, size_bytes, files)))
            hold = Hold(folder)
            self._make_room()
            return hold

    def drop(self, hold: Hold) -> None:
        """Take a model away that cannot be loaded, unless somebody else has it open."""
        hold.release()
        with locked(self._folder / "cache"):
            _remove(hold.folder)

    def _make_room(self) -> None:
        """Models of another macOS leave, then the least recently used until the rest fits; nothing that is in use."""
        build = self._key.rpartition("-")[0]
        entries = [folder for model in _ours(self._folder) for folder in _folders(model) if (folder / NOTE).exists()]
        stale = [folder for folder in entries if folder.name.rpartition("-")[0] != build or not whole(folder)]
        for folder in stale:
            _remove(folder)
        sizes = {folder: _size_bytes(folder) for folder in entries if folder not in stale}
        excess = sum(sizes.values()) - self._limit_bytes
        for folder in sorted(sizes, key=last_used):
            if excess > 0 and _remove(folder):
                excess -= sizes[folder]


def whole(folder: Path) -> bool:
    """A model is in the folder, with all the bytes it had when it was put there."""
    entry = _entry(folder)
    return entry is not None and measured(folder / COMPILED) == (entry.size_bytes, entry.files)


def measured(folder: Path) -> tuple[int, int]:
    """Bytes, and how many files they are in."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def _size_bytes(folder: Path) -> int:
    entry = _entry(folder)
    return entry.size_bytes if entry else 0


def _entry(folder: Path) -> Entry | None:
    try:
        return msgspec.json.decode((folder / NOTE).read_bytes(), type=Entry)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None


def _ours(folder: Path) -> Iterator[Path]:
    return (path for path in _folders(folder) if OURS.fullmatch(path.name))


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def _remove(folder: Path) -> bool:
    """Take a folder away, and the one it is in where that is empty then; not when somebody uses it."""
    if in_use(folder):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()
    return not folder.exists()
