"""Files that survive a crash: replaced whole under a lock, never half written. What they mean is their owners' business."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mmai.errors import StorageError

LOCK_POLL_S = 0.005


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` at `path` in one step: a reader sees the old bytes or the new ones, and so does a machine that lost power.

    The mode is exact, whatever the umask. The folder is made with mode 0700 if it is missing. A symbolic link at `path` keeps
    pointing where it did. Any number of threads and processes may replace one path; the last to finish wins, so a change
    that depends on the old content needs `locked` around both.

    Raises:
        StorageError: the folder or the file cannot be written; the old content is untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not the process id: two containers that share a home can have the same.
        temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
        try:
            _write(temporary, data, mode)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)
    except OSError as exc:
        raise StorageError(f"cannot write `{path}`: {exc.strerror or exc}", hint="mmai paths") from exc


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """What is written within takes the place of `path` in one step, or not at all where the block raises. The mode is exact.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            temporary.chmod(mode)
            yield file
            file.flush()
            _sync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


@contextmanager
def locked(path: Path, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the exclusive lock of `path` (a file beside it, `path.lock`), against threads and processes alike.

    The system drops the lock when its holder dies, and the next holder clears away what that one left half written. So a path
    that is ever written under its lock must always be. Reading needs no lock.

    Raises:
        StorageError: the folder cannot be written, or another holder kept the lock for `timeout_s`.
    """
    target = Path(os.path.realpath(path))
    lock = target.with_name(target.name + ".lock")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _acquire(descriptor, lock, timeout_s)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as exc:
        raise StorageError(f"cannot lock `{lock}`: {exc.strerror or exc}", hint="mmai paths") from exc
    try:
        clear_leftovers(target)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        path.chmod(mode)
        _sync(descriptor)


def _acquire(descriptor: int, lock: Path, timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not try_lock(descriptor):
        if time.monotonic() >= until:
            raise StorageError(f"another mmai has held `{lock}` for {timeout_s:g} s")
        time.sleep(LOCK_POLL_S)


def clear_leftovers(path: Path) -> None:
    """Take away what writers of `path` left half written. For whoever is the only one: every temporary file is a dead one's then."""
    target = Path(os.path.realpath(path))
    with suppress(OSError):
        for file in target.parent.iterdir():
            if file.name.startswith(f".{target.name}.") and file.suffix == ".tmp":
                file.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; some file systems refuse, and then there is nothing more to do."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    _sync = os.fsync

    def try_lock(descriptor: int) -> bool:
        """Take the exclusive lock of an open file, and whether it was free. The system drops it when the file is closed."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _sync(descriptor: int) -> None:
        if sys.platform == "darwin":
            # macOS fsync leaves the bytes in the drive's own cache. Source: man 2 fsync. Network folders refuse this one.
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
                return
        os.fsync(descriptor)

    def try_lock(descriptor: int) -> bool:
        """Take the exclusive lock of an open file, and whether it was free. The system drops it when the file is closed."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
