"""The batches that were submitted, one small file each, so that a process that dies loses none."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import json

from mmai import files
from mmai.errors import UsageError
from mmai.values.batch import BatchRecord


class BatchRecords:
    """A folder of records. One that cannot be read counts as gone: `--resume` says what replaces it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, record: BatchRecord) -> None:
        """Keep a record, in place of the one it had.

        Raises:
            StorageError: it cannot be written.
        """
        files.replace(self._path(record.id), json.encode(record))

    def find(self, batch_id: str) -> BatchRecord | None:
        """The record of a batch by the provider's id."""
        return _read(self._path(batch_id))

    def open(self, key: str) -> BatchRecord | None:
        """The latest batch of the same content whose answers nobody has collected yet."""
        found = [record for record in self._all() if record.key == key and not record.closed]
        return max(found, key=lambda record: record.submitted_at, default=None)

    def submitting(self, key: str) -> AbstractContextManager[None]:
        """Hold the submission of this content against a second process, which would pay for it twice.

        Raises:
            StorageError: another one is submitting it.
        """
        return files.locked(self._folder / key[:32])

    def _all(self) -> Iterator[BatchRecord]:
        with suppress(OSError):
            for path in self._folder.glob("*.json"):
                if record := _read(path):
                    yield record

    def _path(self, batch_id: str) -> Path:
        """Named by a hash: an id is the provider's, and may be anything."""
        return self._folder / f"{sha256(batch_id.encode(errors='replace')).hexdigest()[:32]}.json"


def demand_id(text: str) -> str:
    """What somebody typed as the id of a batch.

    Raises:
        UsageError: it cannot be one.
    """
    if not text or not text.isascii() or not all(char.isalnum() or char in "-_.=" for char in text):
        raise UsageError(f"`{text}` is not the id of a batch, such as `batch_abc123`", hint="mmai run --resume ID")
    return text


def _read(path: Path) -> BatchRecord | None:
    try:
        return json.decode(path.read_bytes(), type=BatchRecord)
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
