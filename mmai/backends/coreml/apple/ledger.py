"""A small table in a JSON file, shared by every mmai of this machine. One that cannot be read is empty."""

from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar, cast

import msgspec
from msgspec import Struct

from mmai.errors import StorageError
from mmai.files import locked, replace

Row = TypeVar("Row")


class Table(Struct, Generic[Row]):
    """What is in the file, the oldest row first."""

    version: int = 1
    rows: dict[str, Row] = {}


class Ledger(Generic[Row]):
    """Rows of one type by a key. What cannot be written is forgotten: everything kept here can be found out again."""

    def __init__(self, path: Path, kind: type[Row], *, keep: int = 1000) -> None:
        self.path = path
        self._kind = kind
        self._keep = keep

    def get(self, key: str) -> Row | None:
        """The row, or None."""
        return self._read().get(key)

    def put(self, key: str, row: Row) -> None:
        """Add or replace; the oldest go where there are too many."""
        with suppress(StorageError), locked(self.path):
            rows = self._read()
            rows.pop(key, None)
            rows[key] = row
            for old in list(rows)[: -self._keep]:
                del rows[old]
            replace(self.path, msgspec.json.format(msgspec.json.encode(Table(rows=rows))))

    def _read(self) -> dict[str, Row]:
        try:
            table = msgspec.json.decode(self.path.read_bytes(), type=Table[self._kind])  # type: ignore[name-defined]
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            return {}
        return cast(dict[str, Row], table.rows) if table.version == 1 else {}
