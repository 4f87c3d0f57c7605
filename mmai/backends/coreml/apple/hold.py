"""Folders that somebody is using, so that nobody takes them away. The system lets go for those who die."""

import os
import sys
from contextlib import suppress
from pathlib import Path

NAME = ".in-use"


class Hold:
    """A share in a folder; any number of processes may have one."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the folder cannot be written."""
        self.folder = folder
        self._descriptor: int | None = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        os.utime(folder / NAME)
        _lock(self._descriptor, shared=True)

    def release(self) -> None:
        """May be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def last_used(folder: Path) -> float:
    """When a hold was last taken, in seconds since 1970."""
    with suppress(OSError):
        return (folder / NAME).stat().st_mtime
    return 0.0


def in_use(folder: Path) -> bool:
    """Somebody has a hold."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor, shared=False)
    finally:
        os.close(descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int, *, shared: bool) -> bool:  # Core ML is not there either
        return True
else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
