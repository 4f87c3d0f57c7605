"""YAML to nodes with lines, and nothing that can grow: no aliases, tags, merges or second documents. Importing it costs 9 ms."""

from collections.abc import Iterator

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from mmai.settings.node import Node, Wrong

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
"""Twice what the deepest setting needs."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(data: bytes) -> Node | None:
    """The document's root, or None when it holds nothing but comments.

    Raises:
        Wrong: with the line, where one can be named.
    """
    if len(data) > MAX_BYTES:
        raise Wrong(f"{len(data)} bytes are too much for settings, which take {MAX_BYTES}")
    text = _decoded(data)
    try:
        return _document(yaml.parse(text, Loader=LOADER), text)
    except yaml.YAMLError as exc:
        raise _syntax(exc, text) from exc


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Wrong(f"byte 0x{data[exc.start]:02x} is not UTF-8", line=data.count(b"\n", 0, exc.start) + 1) from exc


def _syntax(error: yaml.YAMLError, text: str) -> Wrong:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if mark is None:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        return Wrong(f"not YAML: {getattr(error, 'reason', None) or 'unreadable'}", line=line)
    lines = text.splitlines()
    if mark.line < len(lines) and lines[mark.line].lstrip(" ").startswith("\t"):
        return Wrong("a tab indents this line, where YAML takes only spaces", line=mark.line + 1)
    return Wrong(f"not YAML: {getattr(error, 'problem', None) or 'unreadable'}", line=mark.line + 1)


def _document(events: Iterator[Event], text: str) -> Node | None:
    root: Node | None = None
    documents = 0
    for event in events:
        match event:
            case DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise Wrong("a second document begins here, and settings are one", line=_line(event))
                root = _node(events, next(events), line=None, depth=0)
            case StreamEndEvent():
                break
    if root is not None and root.absent:
        return None
    if root is not None and not isinstance(root.value, dict):
        raise Wrong(f"settings are keys with values, not {root.shown}", line=root.line)
    return root


def _line(event: Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 1


def _node(events: Iterator[Event], event: Event, *, line: int | None, depth: int) -> Node:
    line = line or _line(event)
    if depth > MAX_DEPTH:
        raise Wrong(f"nested more than {MAX_DEPTH} deep", line=line)
    if isinstance(event, AliasEvent):
        raise Wrong(f"`*{event.anchor}` is an alias, which settings do not take: write the value again", line=line)
    if (tag := getattr(event, "tag", None)) is not None:
        raise Wrong(f"`{tag}` is a tag, which settings do not take", line=line)
    match event:
        case MappingStartEvent():
            return Node(line, _mapping(events, depth))
        case SequenceStartEvent():
            return Node(line, _sequence(events, depth))
        case ScalarEvent():
            return Node(line, event.value, not event.style)
        case _:
            raise Wrong("not YAML: a value is missing", line=line)


def _sequence(events: Iterator[Event], depth: int) -> list[Node]:
    items = []
    while not isinstance(event := next(events), SequenceEndEvent):
        items.append(_node(events, event, line=None, depth=depth + 1))
    return items


def _mapping(events: Iterator[Event], depth: int) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        line = _line(event)
        if not isinstance(event, ScalarEvent):
            raise Wrong("a key is a word, not a list, a mapping or an alias", line=line)
        if event.value == "<<" and not event.style:
            raise Wrong("`<<` merges mappings, which settings do not take: write the keys again", line=line)
        if event.value in entries:
            raise Wrong(f"`{event.value}` stands twice, first on line {entries[event.value].line}", line=line)
        entries[event.value] = _node(events, next(events), line=line, depth=depth + 1)
    return entries
