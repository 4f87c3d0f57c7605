"""The settings in force as rows for `config show`: key, value, origin, and no key or header in clear."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, to_builtins

from mmai.settings.durations import written_duration
from mmai.settings.layers import dotted
from mmai.settings.reference import BACKEND, SECTIONS
from mmai.settings.schema import BackendSettings, DeclaredModel, Origin, Settings
from mmai.settings.shapes import duration
from mmai.settings.table import ANY_NAME, Key, Table

MASK = "****"


class Setting(Struct, frozen=True):
    """One key in force."""

    key: str
    value: Any
    """As it would be written in the file; `****` where it may not be shown, None where it is not set."""
    origin: Origin


def listing(settings: Settings) -> tuple[Setting, ...]:
    """Every key of every section, and of each provider those that say something."""
    return tuple(_section(settings, settings, SECTIONS, ()))


def _section(settings: Settings, values: Any, table: Table, path: tuple[str, ...]) -> Iterator[Setting]:
    for name, entry in table.items():
        below = (*path, name)
        if isinstance(entry, Key):
            yield Setting(dotted(below), _shown(values, name, entry), settings.origin(dotted(below)))
        elif ANY_NAME in entry:
            for provider, backend in settings.backends.items():
                yield from _backend(settings, backend, (*below, provider))
        else:
            yield from _section(settings, getattr(values, name), entry, below)


def _backend(settings: Settings, backend: BackendSettings, path: tuple[str, ...]) -> Iterator[Setting]:
    said = [row for row in _section(settings, backend, _spelled_once(BACKEND), path) if row.value not in (None, [], {})]
    yield from said or [Setting(dotted(path), {}, settings.origin(dotted(path)))]


def _spelled_once(table: Table) -> Table:
    return {name: entry for name, entry in table.items() if not (isinstance(entry, Key) and entry.alias_of)}


def _shown(values: Any, name: str, key: Key) -> Any:
    value = getattr(values, key.field_of(name))
    if key.read is duration:
        return written_duration(value)
    if key.secret and value:
        return dict.fromkeys(value, MASK) if isinstance(value, dict) else MASK
    if isinstance(value, Struct):
        return to_builtins(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _plain(item: Any) -> Any:
    return item.card.name if isinstance(item, DeclaredModel) else item
