"""Files that survive a crash: replaced whole under a lock, never half written."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmai.errors import StorageError

LOCK_POLL_S = 0.005


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` at `path` in one step: a reader sees the old bytes or the new ones, and so does a machine that lost power.

    The folder is made with mode 0700 if it is missing. A symbolic link at `path` keeps pointing where it did.

    Raises:
        StorageError: the folder or the file cannot be written; the old content is untouched.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)
    except OSError as exc:
        raise StorageError(f"cannot write `{path}`: {exc.strerror or exc}", hint="mmai paths") from exc


@contextmanager
def locked(path: Path, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the exclusive lock of `path` (a file beside it, `path.lock`); the system drops it when the process dies.

    Raises:
        StorageError: the folder cannot be written, or another process held the lock for `timeout_s`.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StorageError(f"cannot write `{lock}`: {exc.strerror or exc}", hint="mmai paths") from exc
    try:
        _acquire(descriptor, lock, timeout_s)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, lock: Path, timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not _try_lock(descriptor):
        if time.monotonic() >= until:
            raise StorageError(f"another mmai has held `{lock}` for {timeout_s:g} s")
        time.sleep(LOCK_POLL_S)


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

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
