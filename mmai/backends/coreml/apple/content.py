"""What a model is known by wherever it lies: the hash of its specification and weights."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mmai.backends.coreml.apple.ledger import Ledger
from mmai.errors import CannotRun
from mmai.values.package import Package

BLOCK_BYTES = 2**20


class Hashed(Struct, frozen=True):
    """A hash, and the sizes and times of the files it is of."""

    sha256: str
    files: list[tuple[str, int, int]]
    """Path within the model, size in bytes, and when it was last written, in ns."""


def content_hash(package: Package, ledger: Ledger[Hashed]) -> str:
    """SHA-256 in hexadecimal; read anew only where a size or time differs from when it was last.

    Raises:
        CannotRun: a file cannot be read.
    """
    root = Path(package.path)
    try:
        files = sorted((_within(path, root), path.stat().st_size, path.stat().st_mtime_ns) for path in _files(package, root))
        known = ledger.get(package.path)
        if known is not None and known.files == files:
            return known.sha256
        digest = _digest(root, files)
    except OSError as exc:
        raise CannotRun(f"`{exc.filename or root}` cannot be read: {exc.strerror or exc}") from exc
    ledger.put(package.path, Hashed(digest, files))
    return digest


def _files(package: Package, root: Path) -> Iterator[Path]:
    """A package's manifest has numbers that are new with every saving, and is no part of the model."""
    if package.format == "mlmodel":
        return iter([root])
    return (path for path in (root / "Data" if package.format == "mlpackage" else root).rglob("*") if path.is_file())


def _within(path: Path, root: Path) -> str:
    return "" if path == root else path.relative_to(root).as_posix()


def _digest(root: Path, files: list[tuple[str, int, int]]) -> str:
    digest = hashlib.sha256()
    for name, size, _ in files:
        digest.update(f"{name}\0{size}\0".encode())
        with (root / name if name else root).open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
