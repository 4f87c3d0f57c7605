"""The folders that may hold models, one by one: not what is hidden, not what is within a model, and each only once."""

import os
from collections.abc import Iterator
from pathlib import Path

from mmai.backends.coreml.files import SUFFIXES
from mmai.values.package import SIDECAR

MOST_FOLDERS = 50_000
"""Looked through in one go, in 1 s or so. A home directory has more, a collection of models has not."""
MAX_DEPTH = 12
"""Folders within folders; deeper lies no collection of models."""


class Walk:
    """One look through some folders, and what of them was left out."""

    def __init__(self) -> None:
        self.denied: list[Path] = []
        """Folders that may not be read."""
        self.stopped: Path | None = None
        """Where there were too many folders to go on."""
        self._seen: set[tuple[int, int]] = set()

    @property
    def left_out(self) -> str | None:
        """In words, what was not looked at."""
        if self.stopped:
            return f"there are more than {MOST_FOLDERS} folders; those after `{self.stopped}` were left out"
        if not self.denied:
            return None
        others = f" and {len(self.denied) - 1} more" if len(self.denied) > 1 else ""
        return f"the folder `{self.denied[0]}`{others} may not be read and was left out"

    def folders(self, directory: Path, *, depth: int = 0) -> Iterator[list[Path]]:
        """Models and notes in a folder, then in each of those within it, by name. Links are followed, after the folders themselves."""
        if self.stopped or not self._new(directory):
            return
        try:
            with os.scandir(directory) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except PermissionError:
            self.denied.append(directory)
            return
        except OSError:
            return
        wanted = sorted(entry.name for entry in entries if entry.name.lower().endswith(SUFFIXES) or _are_notes(entry))
        yield [directory / name for name in wanted]
        if depth < MAX_DEPTH:
            within = [entry for entry in entries if _is_folder(entry)]
            for entry in sorted(within, key=lambda entry: (entry.is_symlink(), entry.name)):
                yield from self.folders(directory / entry.name, depth=depth + 1)

    def _new(self, directory: Path) -> bool:
        """Whether it was not seen before, by whichever path; a link to a folder above would go round forever."""
        try:
            found = directory.stat()
        except OSError:
            return False
        if len(self._seen) >= MOST_FOLDERS:
            self.stopped = directory
            return False
        identity = (found.st_dev, found.st_ino)
        known = identity in self._seen
        self._seen.add(identity)
        return not known


def _are_notes(entry: "os.DirEntry[str]") -> bool:
    """A file, which a pipe of that name is not: reading it would wait forever."""
    try:
        return entry.name.endswith(SIDECAR) and entry.is_file()
    except OSError:
        return False


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """A folder that is no model."""
    try:
        return entry.is_dir() and not entry.name.lower().endswith(SUFFIXES)
    except OSError:  # a link that leads round in a circle
        return False
