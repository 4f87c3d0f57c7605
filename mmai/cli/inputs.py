"""`--input NAME=…`: values for the inputs of a model in a file, by their names."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from mmai.errors import UsageError
from mmai.values.request import TensorPart

MAX_BYTES = 1 << 30
"""Of one file, and of what one archive unpacks to."""

ZIP = b"PK\x03\x04"
NPY = ".npy"
HINT = "mmai run --input NAME=FILE.npy --input NAME=[1,2,3]"


def read_inputs(given: Sequence[str]) -> list[TensorPart]:
    """What each `--input` names: `NAME=JSON`, `NAME=FILE`, `NAME=@FILE` for a file whatever its name reads as, or `FILE.npz`,
    whose arrays have names.

    Anything else behind the `=` is a text, which only some models take.

    Raises:
        UsageError: a file cannot be read, or is an archive without such an array.
    """
    return [part for text in given for part in _parts(text)]


def _parts(text: str) -> Iterator[TensorPart]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        path = Path(text.removeprefix("@"))
        if path.suffix.lower() != ".npz":
            raise UsageError(f"`--input {text}` is not `NAME=FILE` or `NAME=JSON`", hint=HINT)
        for array, data in _arrays(_read(path), path).items():
            yield TensorPart(array, data, str(path))
    elif value.startswith("@"):
        yield _of_file(name, Path(value[1:]))
    elif not _is_json(value) and _is_file(value):
        yield _of_file(name, Path(value))
    else:
        yield TensorPart(name, value.encode("utf-8", "surrogateescape"))


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _is_file(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a zero byte: it is no file
        return False


def _of_file(name: str, path: Path) -> TensorPart:
    data = _read(path)
    if not data.startswith(ZIP):
        return TensorPart(name, data, str(path))
    arrays = _arrays(data, path)
    found = arrays.get(name) or (next(iter(arrays.values())) if len(arrays) == 1 else None)
    if found is None:
        raise UsageError(
            f"`{path}` has no array `{name}`, but {', '.join(f'`{each}`' for each in arrays) or 'none'}", hint=HINT
        )
    return TensorPart(name, found, str(path))


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(f"`{path}` is a folder, and an input is a file")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"`{path}` is larger than {MAX_BYTES >> 30} GiB")
        data = path.read_bytes()
    except (OSError, ValueError) as exc:
        raise UsageError(f"cannot read `{path}`: {getattr(exc, 'strerror', None) or exc}") from exc
    if not data:
        raise UsageError(f"`{path}` is empty")
    return data


def _arrays(data: bytes, path: Path) -> dict[str, bytes]:
    """The `.npy` files an `.npz` is made of."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(NPY)]
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise UsageError(f"`{path}` unpacks to more than {MAX_BYTES >> 30} GiB")
            return {member.filename.removesuffix(NPY): archive.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as exc:
        raise UsageError(f"`{path}` is a damaged archive: {exc}") from exc
