"""`--out`: an answer into a file. The place is tried before the answer is paid for, and what was paid for is never lost."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from mmai import files
from mmai.errors import StorageError, UsageError
from mmai.values.media import SUFFIXES, suffix_of, usual
from mmai.values.task import TaskType

STDOUT = Path("-")

PROBE_BYTES = 1 << 16
"""Written and taken away again, to see whether the place takes anything."""

TASKS = {"image": TaskType.IMAGE_GENERATION, "audio": TaskType.SPEECH_SYNTHESIS}


NPZ = "application/x-npz"
NPY = "application/x-npy"
KEPT_AS = {"text/plain": ".txt", "application/json": ".json", NPZ: ".npz", NPY: ".npy"}
"""Suffixes of what is no media, and had no place."""


class Content(Struct, frozen=True):
    """One thing a model made, as it goes into a file."""

    data: bytes
    media_type: str


class SavedFile(Struct, frozen=True):
    """Where it went."""

    path: str
    media_type: str
    size_bytes: int


class Saving:
    """A file to answer into. Several contents go to `cat.png`, `cat-2.png` and so on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.media_type = SUFFIXES.get(path.suffix.lower())
        """What the name promises; None where it is no image or sound that is known here."""

    @property
    def task(self) -> TaskType | None:
        """What somebody asks for who wants a file of this name."""
        return TASKS.get((self.media_type or "").partition("/")[0])

    def check(self) -> None:
        """Try the place.

        Raises:
            UsageError: nothing can be written there.
        """
        if _is_device(self.path):
            return
        try:
            target = Path(os.path.realpath(self.path))
            if target.is_dir():
                raise UsageError(f"`{self.path}` is a folder", hint=f"mmai run --out {self.path / 'FILE'}")
            if not target.parent.is_dir():
                import shlex

                folder = target.parent if self.path.is_symlink() else self.path.parent
                raise UsageError(f"there is no folder `{folder}`", hint=f"mkdir -p {shlex.quote(str(folder))}")
            _probe(target)
        except OSError as exc:
            raise UsageError(f"`{self.path}` cannot be written: {exc.strerror or exc}") from exc

    def save(self, content: Content, *, number: int) -> SavedFile:
        """Put content in its place in one step; an old file there is whole until the new one is.

        Raises:
            StorageError: it cannot be written; the old file, if any, is untouched.
        """
        path = _numbered(self.path, number)
        _write(path, content.data)
        return _saved(path, content)

    def differs(self, content: Content) -> bool:
        """Whether the name promises something else."""
        media = content.media_type.startswith(("image/", "audio/"))
        return usual(content.media_type) != self.media_type and bool(self.media_type or (media and self.path.suffix))


def keep(content: Content, *, name: str, number: int) -> SavedFile | None:
    """Put content that has no place where there is one: here, at home, or among temporary files. None where nowhere is."""
    suffix = KEPT_AS.get(content.media_type) or suffix_of(content.media_type)
    for folder in (Path.cwd, Path.home, _temporary):
        with suppress(StorageError, OSError, RuntimeError):
            path = _numbered(folder() / f"{name}{suffix}", number)
            _write(path, content.data)
            return _saved(path, content)
    return None


def _temporary() -> Path:
    import tempfile

    return Path(tempfile.gettempdir())


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _saved(path: Path, content: Content) -> SavedFile:
    return SavedFile(str(path), usual(content.media_type), len(content.data))


def _write(path: Path, data: bytes) -> None:
    try:
        if _is_device(path):
            path.write_bytes(data)
        else:
            files.replace(path, data, mode=_mode(path))
    except OSError as exc:
        raise StorageError(f"cannot write `{path}`: {exc.strerror or exc}") from exc


def _is_device(path: Path) -> bool:
    """Whether it is something that is written to and not replaced: `/dev/stdout`, a pipe of the shell's."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _probe(target: Path) -> None:
    """Raises OSError where an old file may not be changed, or its folder takes no other."""
    if target.exists():
        with target.open("ab"):
            pass
    probe = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """As the file has it, or as the user's new files get it."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask
