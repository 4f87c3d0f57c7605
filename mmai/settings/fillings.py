"""What of a request has placeholders: its path, its query and its body."""

import re
from typing import Any

from msgspec.structs import replace

from mmai.errors import UsageError
from mmai.settings.node import Node, Wrong
from mmai.settings.shapes import scalar, text
from mmai.values.placeholders import FILES, is_placeholder, places
from mmai.values.service import FORM, MULTIPART, bare_type

_PATH = re.compile(r"/[!$-;=@-~]*")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(;[ -~]*)?")


def plain_path(node: Node) -> str:
    """What stands behind the address of a server."""
    value = text(node)
    if _PATH.fullmatch(value):
        return value
    raise Wrong(
        f"{node.shown} is not a path, which begins with `/` and has no space, `?` or `#`; `query` is for what follows a `?`"
    )


def filled_path(node: Node) -> str:
    """The same, with `{model}` in it."""
    value = plain_path(node)
    if other := next((name for name in _named(node) if name != "model"), None):
        raise Wrong(f"`{{{other}}}` has no place in a path; `{{model}}` has, and `query` takes the others")
    return value


def query(node: Node) -> dict[str, Any]:
    """Names to values, neither lists nor mappings."""
    if not isinstance(node.value, dict):
        raise Wrong(f"{node.shown} is not a mapping of names to values")
    if nested := next((item for item in node.value.values() if not isinstance(item.value, str)), None):
        raise Wrong(f"{nested.shown} is no value of a query, which is text or a number", line=nested.line)
    filled = _filled(node, ())
    assert isinstance(filled, dict)
    return filled


def body(node: Node) -> Any:
    """JSON whose strings have placeholders, or the placeholder of a file. Whether a field may be a file is for `form` to say."""
    if is_file(node):
        return node.value
    if isinstance(node.value, dict):
        rest = {name: item for name, item in node.value.items() if not is_file(item)}
        return _filled(replace(node, value=rest), ()) | {
            name: item.value for name, item in node.value.items() if name not in rest
        }
    return _filled(node, ())


def form(node: Node, content_type: str | None) -> None:
    """Hold a body to its content type.

    Raises:
        Wrong: it is no form though its type says so, or has a file in it though its type cannot.
    """
    kind = bare_type(content_type)
    if not isinstance(node.value, dict):
        if kind in (FORM, MULTIPART):
            raise Wrong(f"{node.shown} is no form: `content_type: {kind}` takes a mapping of fields", line=node.line)
    elif kind != MULTIPART:
        for name, item in node.value.items():
            if is_file(item):
                raise _misplaced(str(item.value)[1:-1], line=item.line, path=(name,))


def is_file(node: Node) -> bool:
    """Whether it is the placeholder of a file and nothing else."""
    return isinstance(node.value, str) and node.value in [f"{{{name}}}" for name in FILES]


def content_type(node: Node) -> str:
    """Such as `audio/wav`."""
    value = text(node)
    if _CONTENT_TYPE.fullmatch(value):
        return value
    raise Wrong(f"{node.shown} is not a content type, such as `application/json`")


def _filled(node: Node, path: tuple[str, ...]) -> Any:
    match node.value:
        case str():
            if file := next((name for name in _named(node, path) if name in FILES), None):
                raise _misplaced(file, line=node.line, path=path)
            return scalar(node)
        case list(items):
            return [_filled(item, (*path, f"[{number}]")) for number, item in enumerate(items)]
        case entries:
            _demand_plain_keys(node, entries, path)
            return {name: _filled(item, (*path, name)) for name, item in entries.items()}


def _misplaced(file: str, *, line: int, path: tuple[str, ...]) -> Wrong:
    instead = f"`{{{file}_base64}}` is the file as text" if path else f"`{{{file}}}` alone is a whole body"
    only = f"`{{{file}}}` can only be the whole body, or a field under `content_type: {MULTIPART}`"
    return Wrong(f"{only}; {instead}", line=line, path=path)


def _named(node: Node, path: tuple[str, ...] = ()) -> list[str]:
    try:
        return list(places(node.value))
    except UsageError as error:
        raise Wrong(error.message, line=node.line, path=path) from error


def _demand_plain_keys(node: Node, entries: dict[str, Node], path: tuple[str, ...]) -> None:
    for name, item in entries.items():
        if "{" in name:
            raise Wrong(f"`{name}` stands in a key; placeholders stand in values", line=item.line, path=(*path, name))
        if item.absent and len(entries) == 1 and is_placeholder(name):
            raise Wrong(f'`{{{name}}}` without quotes is a mapping to YAML; write `"{{{name}}}"`', line=node.line, path=path)
