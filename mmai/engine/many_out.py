"""The answers of many prompts in a file that is its own journal: each line is whole, and what stands there is not asked again."""

import os
import shlex
import stat
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from msgspec import MsgspecError, Struct, json

from mmai import files
from mmai.errors import StorageError, UsageError

MOST = 100_000_000
"""Rows of one file; 8 bytes of memory are kept for each."""


START = b'{"id":'
"""How every answer begins."""


class _Line(Struct):
    """What tells which row a line answers."""

    index: int
    key: str
    error: object = None


class AnswersFile:
    """A file of answers, locked for one process. Lines of rows that failed are taken away when it is opened, and so is a torn
    last line.

    A context manager; `ordered` puts the lines in the order of the rows when all are there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys = array("Q")
        """Of each row that is answered, by its index; 0 for the others."""
        self._descriptor = -1
        self.answered = 0

    def __enter__(self) -> Self:
        """Raises:
        UsageError: it holds something else, or another process writes to it.
        StorageError: it cannot be written.
        """
        with self._as_ours("opened"):
            if self.path.exists() and not self.path.is_file():
                hint = f"mmai run --batch … > {shlex.quote(str(self.path))}"
                raise UsageError(f"`{self.path}` is no file that could be gone on with", hint=hint)
            self._open()
            try:
                files.clear_leftovers(self.path)
                self._take_up()
            except BaseException:
                os.close(self._descriptor)
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def has(self, index: int, key: int) -> bool:
        """Whether that row is answered.

        Raises:
            UsageError: the line of that index answers something else.
        """
        there = self._keys[index] if index < len(self._keys) else 0
        if there and there != key:
            raise self._strange(f"its answer number {index} is to another prompt, or of another model")
        return bool(there)

    def add(self, line: bytes) -> None:
        """Put one whole line at the end, now.

        Raises:
            StorageError: it could not be written; nothing of it stands there.
        """
        end = os.fstat(self._descriptor).st_size
        try:
            self._write(line)
        except OSError as exc:
            with suppress(OSError):
                os.ftruncate(self._descriptor, end)
            raise StorageError(
                f"cannot write `{self.path}`: {exc.strerror or exc}; the same command goes on from here"
            ) from exc

    def ordered(self) -> None:
        """Put the lines in the order of their rows, in one step.

        Raises:
            StorageError: there is no room for a second copy; the file is whole, and as it was.
        """
        places = sorted((line.index, start, length) for line, start, length in self._read())
        with self._as_ours("sorted"), self._another() as sorted_file:
            for _, start, length in places:
                sorted_file.write(os.pread(self._descriptor, length, start))

    def _take_up(self) -> None:
        failed, whole = 0, 0
        for line, start, length in self._read():
            whole = start + length
            if line.error is not None:
                failed += 1
                continue
            self._note(line)
        if torn := os.pread(self._descriptor, os.fstat(self._descriptor).st_size - whole, whole):
            if not whole and not _may_be_torn(torn):
                raise self._strange("it has no line end, and is no answer of `mmai run --batch`")
            os.ftruncate(self._descriptor, whole)
        if failed:
            self._without_failed()

    def _note(self, line: _Line) -> None:
        if not 0 <= line.index < MOST:
            raise self._strange(f"it answers row {line.index}")
        if line.index >= len(self._keys):
            self._keys.extend([0] * (line.index + 1 - len(self._keys)))
        if self._keys[line.index]:
            raise self._strange(f"it answers row {line.index} twice")
        self._keys[line.index] = key_number(line.key)
        self.answered += 1

    def _without_failed(self) -> None:
        with self._another() as kept:
            for line, start, length in self._read():
                if line.error is None:
                    kept.write(os.pread(self._descriptor, length, start))
        before = self._descriptor
        self._open()
        os.close(before)

    def _open(self) -> None:
        """Open and lock the file that has the name now: whoever had it open may have put another in its place meanwhile."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            if not files.try_lock(descriptor):
                os.close(descriptor)
                raise UsageError(f"another `mmai run --batch` is writing to `{self.path}`")
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self.path.stat()):
                    self._descriptor = descriptor
                    return
            os.close(descriptor)

    def _another(self) -> AbstractContextManager[BinaryIO]:
        """What takes its place, for those who could read it and no others."""
        return files.replacing(self.path, mode=stat.S_IMODE(os.fstat(self._descriptor).st_mode))

    def _read(self) -> Iterator[tuple[_Line, int, int]]:
        """Each whole line with its place and length; what follows the last line end is torn."""
        start = 0
        with open(os.dup(self._descriptor), "rb") as handle:
            handle.seek(0)
            for number, text in enumerate(handle, 1):
                if not text.endswith(b"\n"):
                    return
                try:
                    line = json.decode(text, type=_Line)
                    key_number(line.key)
                except (MsgspecError, ValueError) as exc:
                    raise self._strange(f"its line {number} is no answer of `mmai run --batch`") from exc
                yield line, start, len(text)
                start += len(text)

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _strange(self, what: str) -> UsageError:
        return UsageError(f"`{self.path}` holds other answers: {what}", hint="mmai run --batch … --out ANOTHER.jsonl")

    @contextmanager
    def _as_ours(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise StorageError(f"`{self.path}` cannot be {done}: {exc.strerror or exc}") from exc


def _may_be_torn(text: bytes) -> bool:
    """Whether the only line of a file, which has no end, may be the beginning of an answer, and no value of its own."""
    if not text.startswith(START[: len(text)]):
        return False
    try:
        value = json.decode(text)
    except (MsgspecError, ValueError, RecursionError):
        return True
    return isinstance(value, dict) and {"index", "key"} <= value.keys()


def key_number(text: str) -> int:
    """The key of a row as it stands in its line, 16 hexadecimal digits, as a number above 0.

    Raises:
        ValueError: it is no such key.
    """
    if len(text) != 16:
        raise ValueError(text)
    return int(text, 16) or 1
