"""JSON for programs: one envelope for every command, on success and on failure alike."""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import msgspec

from mmai.errors import MmaiError
from mmai.values.model import ModelRef

VERSION = 1
"""Of the envelope. Fields are added without a new one, never renamed or taken away."""

_AS_THEY_ARE = frozenset((float, int, bool, type(None)))

# DEL and C1 in UTF-8: legal in JSON, and obeyed by a terminal that shows it.
_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]")


def envelope(
    command: str,
    data: Any,
    *,
    warnings: Sequence[str] = (),
    error: MmaiError | None = None,
    pretty: bool = False,
) -> bytes:
    """The answer of `command`: one line, or indented for a person when `pretty`.

    `data` is an object; None, of a command that failed before it had any, is an empty one.
    """
    line = _encode(
        {
            "version": VERSION,
            "command": command,
            "status": "ok" if error is None else "error",
            "data": {} if data is None else data,
            "warnings": warnings,
            "error": None if error is None else _error(error),
        }
    )
    return (msgspec.json.format(line, indent=2) if pretty else line) + b"\n"


def json_lines(rows: Iterable[Any]) -> bytes:
    """One JSON value a line."""
    return b"".join(_encode(row) + b"\n" for row in rows)


def plain_line(row: Any) -> bytes:
    """A line of what is `plain` already, which `json_lines` would spend half of its time on to find out."""
    return _dense(row) + b"\n"


def plain(value: Any) -> Any:
    """`value` in dicts and lists with every field present: a value's own encoding leaves out what is None.

    References become `provider:name`, tagged values keep their tag, and half a surrogate pair, which UTF-8 cannot hold, becomes
    U+FFFD.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE or (kind is str and value.isascii()):
        return value
    match value:
        case str():
            text = value.value if isinstance(value, Enum) else value
            return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case ModelRef():
            return plain(str(value))
        case msgspec.Struct():
            config = value.__struct_config__
            tag = {} if config.tag_field is None else {config.tag_field: config.tag}
            return tag | {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case dict():
            return {plain(key if type(key) is str else str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def _encode(value: Any) -> bytes:
    """Compact JSON; NaN and infinities, which JSON has no word for, are null (msgspec's own rule)."""
    return _dense(plain(value))


def _dense(value: Any) -> bytes:
    return _CONTROLS.sub(_escaped, msgspec.json.encode(value))


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found.group().decode())


def _error(error: MmaiError) -> dict[str, Any]:
    return {"code": error.code, "exit_code": error.exit_code, "message": error.message, "hint": error.hint}
