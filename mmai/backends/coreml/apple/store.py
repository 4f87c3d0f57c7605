"""Where one model's compiled form comes from and goes to: the cache, or where that cannot be used a folder for this once."""

import shutil
import tempfile
from pathlib import Path

from mmai.backends.coreml.apple.cache import COMPILED, Cache
from mmai.backends.coreml.apple.hold import Hold
from mmai.errors import StorageError


class Store:
    """Of one model while it is loaded. What is in use stays where it is until `release`."""

    def __init__(self, cache: Cache, *, sha256: str, source: str) -> None:
        self._cache = cache
        self._sha256 = sha256
        self._source = source
        self._kept: Hold | None = None
        self._scratch: Path | Hold | None = None
        self.notes: list[str] = []
        """What went wrong without stopping anything."""

    @property
    def scratch(self) -> Path:
        """A folder of its own for whatever is only needed until `release`."""
        if self._scratch is None:
            try:
                self._scratch = self._cache.scratch()
            except (StorageError, OSError) as exc:
                self._note(exc)
                self._scratch = Path(tempfile.mkdtemp(prefix="mmai-coreml-"))
        return self._scratch.folder if isinstance(self._scratch, Hold) else self._scratch

    def find(self) -> Path | None:
        """The compiled model, where it is in the cache."""
        try:
            self._kept = self._cache.find(self._sha256)
        except (StorageError, OSError) as exc:
            self._note(exc)
        return None if self._kept is None else self._kept.folder / COMPILED

    def keep(self) -> Path:
        """The model that was compiled into `scratch`, at the place it is loaded from."""
        compiled = self.scratch / COMPILED
        if isinstance(self._scratch, Hold):
            try:
                self._kept = self._cache.keep(self._sha256, compiled, source=self._source)
                return self._kept.folder / COMPILED
            except (StorageError, OSError) as exc:
                self._note(exc)
        return compiled

    def drop(self) -> None:
        """What the cache had is no good."""
        if self._kept is not None:
            try:
                self._cache.drop(self._kept)
            except (StorageError, OSError) as exc:
                self._note(exc)
            self._kept = None

    def release(self) -> None:
        """Nothing is in use any more. May be called twice."""
        if self._kept is not None:
            self._kept.release()
        if self._scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if isinstance(self._scratch, Hold):
            self._scratch.release()
        self._kept = self._scratch = None

    def _note(self, exc: StorageError | OSError) -> None:
        reason = exc.message if isinstance(exc, StorageError) else f"{exc.filename or 'its folder'}: {exc.strerror or exc}"
        note = f"the compiled model is not kept for the next time: {reason}"
        if note not in self.notes:
            self.notes.append(note)
