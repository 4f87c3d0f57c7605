"""The registry file: read without a lock, changed under one, and kept twice so that damage costs nothing."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from mmai import files
from mmai.errors import StorageError
from mmai.values.registry import SCHEMA_VERSION, Registry


class Store:
    """`registry.json`, and the copy of its latest good content in `registry.json.bak`.

    The copy is a file of its own rather than a hard link, since damage done in place would reach both names of one file.
    `warn` takes one sentence, once in the life of this object.
    """

    def __init__(self, path: Path, *, warn: Callable[[str], None]) -> None:
        self.path = path
        self.copy = path.with_name(path.name + ".bak")
        self._warn = warn
        self._warned = False

    def read(self) -> Registry:
        """The registry; an empty one where there is no file.

        A damaged or unreadable file is warned of, and the copy stands in for it.

        Raises:
            StorageError: a newer mmai wrote it, in a form this one would misread.
        """
        try:
            return self._load()[0]
        except OSError as exc:
            return self._load_copy(f"cannot be read ({exc.strerror or exc})", remedy="make it readable, or move it away")[0]

    def update(self, change: Callable[[Registry], Registry]) -> Registry:
        """Replace the registry by what `change` makes of the latest one, and return what was written.

        `change` runs under the lock and must be quick. Returning its argument writes nothing.

        Raises:
            StorageError: the file cannot be read, locked or written, or a newer mmai wrote it; nothing was changed.
        """
        with files.locked(self.path):
            before, written = self._load_to_change()
            after = change(before)
            if after is before:
                return before
            after = msgspec.structs.replace(after, schema_version=SCHEMA_VERSION, generation=before.generation + 1)
            data = _encode(after, unknown=_unknown_fields(written))
            files.replace(self.path, data)
            # The change is made. Where the disk filled up just now, an older copy is a good one still.
            with suppress(StorageError):
                files.replace(self.copy, data)
        return after

    def _load(self) -> tuple[Registry, bytes]:
        try:
            return _decode(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return Registry(), b"{}"
        except (ValueError, RecursionError) as exc:
            return self._load_copy(f"is damaged ({exc})", remedy="`mmai discover` writes it anew")

    def _load_to_change(self) -> tuple[Registry, bytes]:
        try:
            return self._load()
        except OSError as exc:
            # Perhaps unreadable only now (no descriptors left): writing over it from a copy could lose the latest changes.
            raise StorageError(f"cannot read `{self.path}`: {exc.strerror or exc}", hint="mmai paths") from exc

    def _load_copy(self, problem: str, *, remedy: str) -> tuple[Registry, bytes]:
        try:
            loaded = _decode(self.copy)
            instead = "its last good copy stands in"
        except (OSError, ValueError, RecursionError):
            loaded = Registry(), b"{}"
            instead = "there is no good copy of it"
        if not self._warned:
            self._warned = True
            self._warn(f"`{self.path}` {problem}, {instead}: {remedy}")
        return loaded


class _Stamp(msgspec.Struct):
    schema_version: int = 0


def _decode(path: Path) -> tuple[Registry, bytes]:
    data = path.read_bytes()
    try:
        registry = msgspec.json.decode(data, type=Registry)
        version = registry.schema_version
    except msgspec.ValidationError:
        version = msgspec.json.decode(data, type=_Stamp).schema_version
        if version <= SCHEMA_VERSION:
            raise
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"`{path}` has schema version {version}, from a newer mmai; this one reads up to {SCHEMA_VERSION}",
            hint="pip install --upgrade mmai",
        )
    return registry, data


def _unknown_fields(data: bytes) -> dict[str, msgspec.Raw]:
    """What a newer version keeps at the top of the document and this one does not know."""
    document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    return {field: value for field, value in document.items() if field not in Registry.__struct_fields__}


def _encode(registry: Registry, *, unknown: dict[str, msgspec.Raw]) -> bytes:
    document = {field: getattr(registry, field) for field in Registry.__struct_fields__}
    try:
        data = msgspec.json.encode(unknown | document)
        msgspec.json.decode(data, type=Registry)  # What could not be read again is not written.
    except (ValueError, TypeError, RecursionError) as exc:
        raise StorageError(f"the registry has a value that cannot be kept: {exc}") from exc
    return data
