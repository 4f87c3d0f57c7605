"""The prompts of a file of any length, one at a time: JSON lines, a table, or a prompt a line. Pure but for the handle it reads."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Literal

from msgspec import json

from mmai.engine.batch_file import BatchPrompt, prompt_of, read_value
from mmai.errors import UsageError

Format = Literal["jsonl", "csv", "txt"]

SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".txt": "txt"}

BOM = b"\xef\xbb\xbf"
MAX_CELL = 1 << 24
"""Characters of one cell of a table."""

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def format_of(name: str, start: bytes) -> Format:
    """By the suffix; where that says nothing, by how the file begins: JSON lines begin with `{` or a quote."""
    for suffix, form in SUFFIXES.items():
        if name.lower().endswith(suffix):
            return form
    return "jsonl" if start.removeprefix(BOM).lstrip()[:1] in (b"{", b'"') else "txt"


class Template:
    """A prompt with places for fields, as in `Name the river of {city}`; `{{` and `}}` are braces."""

    def __init__(self, text: str) -> None:
        """Raises:
        UsageError: a brace that opens or closes nothing.
        """
        self.text = text
        self.fields = tuple(dict.fromkeys(place[1].strip() for place in _PLACE.finditer(text) if place[1] is not None))
        if stray := next((place for place in _PLACE.finditer(text) if place[0] in ("{", "}")), None):
            raise UsageError(
                f"the `{stray[0]}` at character {stray.start() + 1} of the prompt belongs to no field: write it twice"
            )

    def filled(self, fields: Mapping[str, Any], number: int, *, source: str) -> str:
        """The prompt of one line.

        Raises:
            UsageError: the line has no such field.
        """
        for name in self.fields:
            if name not in fields:
                there = ", ".join(f"`{field}`" for field in fields) or "none"
                raise UsageError(f"line {number} of `{source}` has no field `{name}`; its fields are {there}")

        def fill(place: re.Match[str]) -> str:
            return place[0][0] if place[1] is None else _said(fields[place[1].strip()])

        return _PLACE.sub(fill, self.text)


def read_rows(handle: BinaryIO, form: Format, *, source: str, template: Template | None = None) -> Iterator[BatchPrompt]:
    """Every prompt in order, as it is read.

    Raises:
        UsageError: while iterating, a line that is none; its number is named.
    """
    for number, fields in _fields(handle, form, source):
        if template is not None:
            prompt = template.filled(fields, number, source=source)
            fields = {**{name: value for name, value in fields.items() if name != "prompt"}, "prompt": prompt}
        yield prompt_of(fields, number, source=source)


def _fields(handle: BinaryIO, form: Format, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    match form:
        case "csv":
            yield from _cells(handle, source)
        case "txt":
            for number, line in _lines(handle):
                yield number, {"prompt": _text(line, number, source)}
        case _:
            for number, line in _lines(handle):
                yield number, read_value(line, number, source=source)


def _lines(handle: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(handle, 1):
        text = line.removeprefix(BOM) if number == 1 else line
        if text.strip():
            yield number, text.rstrip(b"\r\n")


def _text(line: bytes, number: int, source: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"line {number} of `{source}` is no UTF-8: it has byte 0x{line[exc.start]:02x}") from exc


def _cells(handle: BinaryIO, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows below a header, with quotes and line ends in cells as RFC 4180 has them."""
    csv.field_size_limit(MAX_CELL)
    text = io.TextIOWrapper(handle, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, [])
        if not header or len(set(header)) < len(header):
            raise UsageError(f"`{source}` needs a first line that names each column once")
        for cells in reader:
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(header, cells, strict=True))
            elif any(cells):
                raise UsageError(f"line {reader.line_num} of `{source}` has {len(cells)} cells, and its header {len(header)}")
    except csv.Error as exc:
        raise UsageError(f"line {reader.line_num} of `{source}` is no CSV: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"`{source}` is no UTF-8 after line {reader.line_num}") from exc
    finally:
        text.detach()


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.encode(value).decode()
