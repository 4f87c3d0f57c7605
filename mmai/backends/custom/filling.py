"""A template with its places filled. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mmai.values.placeholders import Place, pieces, places

LEFT_OUT: Final = object()
"""In place of a value: whatever would hold it is not sent."""


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The JSON value of a template, or `LEFT_OUT`.

    Text that is one place takes the type of its value. Text all of whose places have no value is left out, and with it whatever
    has nothing else in it; an item of a list that has places, all of them empty, is left out whole, such as the turn of a
    system prompt nobody gave. In text beside others, an empty place is no text.
    """
    match template:
        case str():
            return _text(template, values)
        case dict():
            entries = {key: value for key, part in template.items() if (value := filled(part, values)) is not LEFT_OUT}
            return LEFT_OUT if template and not entries else entries
        case list():
            asked = (filled(part, values) for part in template if not _unasked(part, values))
            items = [value for value in asked if value is not LEFT_OUT]
            return LEFT_OUT if template and not items else items
        case _:
            return template


def _text(template: str, values: Mapping[str, Any]) -> Any:
    parts = pieces(template)
    names = [part.name for part in parts if isinstance(part, Place)]
    if names and not any(name in values for name in names):
        return LEFT_OUT
    if len(parts) == len(names) == 1:
        return values[names[0]]
    return "".join(part if isinstance(part, str) else written(values.get(part.name, "")) for part in parts)


def _unasked(part: Any, values: Mapping[str, Any]) -> bool:
    """Whether nothing in it was asked for. Every request has a model."""
    names = set(places(part)) - {"model"}
    return bool(names) and names.isdisjoint(values)


def written(value: Any) -> str:
    """A value within text: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
