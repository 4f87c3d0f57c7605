"""How keys are described and found: a table of keys, and the walk that pairs it with a file."""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from mmai.settings.node import Node, Wrong
from mmai.settings.shapes import Reader, duration

Proof = Callable[[Node], None]

ANY_NAME = "*"
"""In a table: the row every name shares that has none of its own."""


class Key(Struct, frozen=True):
    """One key of the file."""

    read: Reader
    meaning: str
    """Half a sentence, with the unit."""
    default: str = "null"
    """As it would be written in the file."""
    field: str | None = None
    """Its field, where that is named otherwise."""
    alias_of: str | None = None
    """The key this one is another spelling of."""
    secret: bool = False
    personal: bool = False
    """Refused in a project file, which is somebody else's: it can hold a key, or run a command."""
    kind: str | None = None
    """The only kind of backend that has this key."""
    proof: Proof | None = None
    """A look that costs too much for every start, on top of `read`: for `config check`."""

    def field_of(self, name: str) -> str:
        """The field that holds the value of this key, called `name` in the file."""
        return self.field or (f"{name}_s" if self.read is duration else name)


Table = dict[str, "Key | Table"]


def walk(node: Node, table: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Key, Node]]:
    """Every key below `node` that has a value, with its path and description.

    Raises:
        Wrong: a key the table does not have, or a section that is no mapping.
    """
    if not isinstance(node.value, dict):
        raise Wrong(f"{node.shown} stands where keys belong: {_some(table)}", line=node.line, path=path)
    for name, item in node.value.items():
        below = (*path, name)
        entry = table.get(name) or table.get(ANY_NAME)
        if entry is None:
            raise Wrong(_unknown(name, table), line=item.line, path=below)
        if item.absent:
            continue
        if isinstance(entry, Key):
            yield below, entry, item
        else:
            yield from walk(item, entry, below)


def read(key: Key, node: Node, path: tuple[str, ...]) -> Any:
    """The value of one key.

    Raises:
        Wrong: with line and path.
    """
    return _placed(key.read, node, path)


def prove(key: Key, node: Node, path: tuple[str, ...]) -> None:
    """Look at one key as thoroughly as can be; it has been read.

    Raises:
        Wrong: with line and path.
    """
    if key.proof is not None:
        _placed(key.proof, node, path)


def _placed(look: Reader, node: Node, path: tuple[str, ...]) -> Any:
    try:
        return look(node)
    except Wrong as wrong:
        raise Wrong(wrong.sentence, line=wrong.line or node.line, path=(*path, *wrong.path)) from wrong


def _some(table: Table) -> str:
    names = [f"`{name}`" for name in table if name != ANY_NAME] or ["one for each provider"]
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")


def _unknown(name: str, table: Table) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 4 ms, and only a mistake needs it

    near = get_close_matches(name, table, n=1)
    instead = f"`{near[0]}` is" if near else f"those are {_some(table)}"
    providers = ", and providers stand under `backends`" if "backends" in table and not near else ""
    return f"`{name}` is not a key here; {instead}{providers}"
