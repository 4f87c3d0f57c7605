"""What a key may hold: each shape reads a node, or says in a sentence what would fit."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

from mmai.settings.durations import duration_s
from mmai.settings.node import Node, Wrong
from mmai.values.decision import PolicyName
from mmai.values.endpoint import Secret
from mmai.values.traffic import Strategy

T = TypeVar("T")
Reader = Callable[[Node], Any]

YES = frozenset(("true", "yes", "on", "1"))
NO = frozenset(("false", "no", "off", "0"))
_INTEGER = re.compile(r"[-+]?\d+(_\d+)*", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?([kmgt]?i?b?)", re.ASCII | re.IGNORECASE)
_UNITS = {
    f"{letter}{kind}": (1024 if kind.startswith("i") else 1000) ** power
    for power, letter in enumerate(("", "k", "m", "g", "t"))
    for kind in ("", "b", "i", "ib")
}
_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@\\:\[\]]+)(?::(\d{1,5}))?(/[^\s?#@\\]*)?", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_.-]*(:\d{1,5})?|\[?[0-9a-fA-F:]*:[0-9a-fA-F:]*\]?(:\d{1,5})?")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def text(node: Node) -> str:
    """Words that are not empty, without line breaks or control characters."""
    if isinstance(node.value, str) and node.value.strip() and node.value.isprintable():
        return node.value
    raise _unfit(node, "a line of text")


def file(node: Node) -> str:
    """A path that means the same file in every folder."""
    path = text(node)
    if path.startswith(("/", "~")) or path[1:3] in (":\\", ":/"):
        return path
    raise _unfit(node, "an absolute path, or one under `~`")


def secret(node: Node) -> Secret | None:
    """A key; empty is none. No message ever shows it."""
    if not isinstance(node.value, str) or not (node.value.isascii() and node.value.strip().isprintable()):
        raise Wrong("a key is one line of ASCII text")
    value = node.value.strip()
    return Secret(value) if value else None


def boolean(node: Node) -> bool:
    """`true` and `false`, and what YAML calls by the same names."""
    word = node.value.lower() if isinstance(node.value, str) else ""
    if word in YES or word in NO:
        return word in YES
    raise _unfit(node, "`true` or `false`")


def number(low: float = 0.0, high: float = math.inf) -> Callable[[Node], float]:
    """A finite number within the bounds, both included."""

    def read(node: Node) -> float:
        try:
            value = float(node.value)  # type: ignore[arg-type]  # a list or mapping is the TypeError below
        except (TypeError, ValueError):
            value = math.nan
        if low <= value <= high and math.isfinite(value):
            return value
        raise _unfit(node, f"a number from {low:g} to {high:g}" if high < math.inf else f"a number of {low:g} or more")

    return read


def whole(low: int = 1) -> Callable[[Node], int]:
    """A whole number of `low` or more; `128_000` is one."""

    def read(node: Node) -> int:
        if isinstance(node.value, str) and len(node.value) <= 18 and _INTEGER.fullmatch(node.value) and int(node.value) >= low:
            return int(node.value)
        raise _unfit(node, f"a whole number of {low} or more")

    return read


def duration(node: Node) -> float:
    """Seconds above 0."""
    try:
        seconds = duration_s(node.value if isinstance(node.value, str) else "")
    except ValueError:
        seconds = 0.0
    if seconds > 0:
        return seconds
    raise _unfit(node, "a duration above 0, such as `30s`, `500ms`, `2m`, `1h` or a number of seconds")


def keep_alive(node: Node) -> float | str:
    """As Ollama takes it: seconds, negative for ever, or text such as `10m`."""
    value = text(node)
    if _INTEGER.fullmatch(value):
        return float(value)
    try:
        duration_s(value)
    except ValueError:
        raise _unfit(node, "how long weights stay loaded: `10m`, a number of seconds, or `-1` for ever") from None
    return value


def choice(*words: str) -> Callable[[Node], str]:
    """One of a few words."""

    def read(node: Node) -> str:
        if isinstance(node.value, str) and node.value in words:
            return node.value
        raise _unfit(node, " or ".join(f"`{word}`" for word in words))

    return read


def policy(node: Node) -> PolicyName:
    """The name of a policy."""
    return PolicyName(choice(*PolicyName)(node))


def strategy(node: Node) -> Strategy:
    """The name of a way to spread calls."""
    return Strategy(choice(*Strategy)(node))


def size(node: Node) -> int:
    """Bytes: a number of them, or one with a unit, as in `16GB` or `512 MiB`."""
    found = _SIZE.fullmatch(node.value.strip()) if isinstance(node.value, str) else None
    count = float(found[1]) * _UNITS[found[2].lower()] if found else 0.0
    if count >= 1:
        return round(count)
    raise _unfit(node, "a size such as `16GB`, `512MiB` or a number of bytes")


def listed(reader: Callable[[Node], T]) -> Callable[[Node], tuple[T, ...]]:
    """A list whose every item has the same shape."""

    def read(node: Node) -> tuple[T, ...]:
        if not isinstance(node.value, list):
            raise _unfit(node, "a list, such as `[one, two]`")
        return tuple(_item(reader, item, position) for position, item in enumerate(node.value))

    return read


def alone(reader: Callable[[Node], T]) -> Callable[[Node], tuple[T, ...]]:
    """One value, where the field holds several."""
    return lambda node: (reader(node),)


def _item(reader: Callable[[Node], T], item: Node, position: int) -> T:
    try:
        return reader(item)
    except Wrong as wrong:
        raise Wrong(wrong.sentence, line=wrong.line or item.line, path=(f"[{position}]", *wrong.path)) from wrong


words = listed(text)


def headers(node: Node) -> dict[str, str]:
    """HTTP header names to values."""
    if not isinstance(node.value, dict):
        raise _unfit(node, "a mapping of header names to values")
    for name, item in node.value.items():
        if not HEADER.fullmatch(name):
            raise Wrong(f"`{name}` is not the name of a header", line=item.line)
        if not (isinstance(item.value, str) and item.value.isascii() and item.value.isprintable()):
            raise Wrong(f"header `{name}` takes one line of ASCII text", line=item.line)
    return {name: str(item.value) for name, item in node.value.items()}


def mapping(node: Node) -> dict[str, Any]:
    """Whatever an adapter takes, with numbers, `true`, `false` and `null` read as JSON has them."""
    if not isinstance(node.value, dict):
        raise _unfit(node, "a mapping of names to values")
    return {name: _free(item) for name, item in node.value.items()}


def _free(node: Node) -> Any:
    match node.value:
        case list(items):
            return [_free(item) for item in items]
        case dict(entries):
            return {name: _free(item) for name, item in entries.items()}
        case _:
            return scalar(node)


def scalar(node: Node) -> Any:
    """A value that is no list or mapping, as JSON has it: in quotes, it is text."""
    value = node.value
    assert isinstance(value, str)
    if not node.plain:
        return value
    if node.absent:
        return None
    if value in ("true", "false"):
        return value == "true"
    if _INTEGER.fullmatch(value) and len(value) <= 18:
        return int(value)
    try:
        return float(value) if math.isfinite(float(value)) else value
    except ValueError:
        return value


def address(node: Node) -> str:
    """A base URL without a trailing slash, or a bare `host:port`, which only Ollama takes; never with a user name or password."""
    value = node.value.strip() if isinstance(node.value, str) else ""
    if "@" in value:
        raise Wrong(
            "an address with a user name or password in it is not taken, since addresses are shown; `api_key` is for keys"
        )
    if value and _BARE.fullmatch(value):
        return value
    found = _URL.fullmatch(value)
    if found is None or not 0 < int(found[3] or 1) <= 65535:
        if value and "://" not in value and _URL.fullmatch(f"http://{value}"):
            raise Wrong(f"`{value}` needs `http://` or `https://` before it")
        raise _unfit(node, "the address of a server, such as `http://localhost:11434`")
    scheme, host, port, path = found.groups()
    return f"{scheme.lower()}://{host.lower()}{f':{port}' if port else ''}{(path or '').rstrip('/')}"


def _unfit(node: Node, fits: str) -> Wrong:
    return Wrong(f"{node.shown} is not {fits}")
