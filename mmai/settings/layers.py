"""One source of settings as a flat layer: dotted key to value and origin. Layers are merged by precedence, key by key."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from mmai.errors import ConfigError
from mmai.settings.interpolation import Unset, interpolated, variables
from mmai.settings.node import Node, Wrong
from mmai.settings.reference import ROOT
from mmai.settings.schema import Origin
from mmai.settings.table import Key, prove, read, walk
from mmai.values.endpoint import is_provider_name


class Entry(Struct, frozen=True):
    """One value of a layer."""

    value: Any
    origin: Origin
    key: Key
    missing: str | None = None
    """Why `value` is None although it was written."""


Layer = dict[tuple[str, ...], Entry]
"""Path of names, as in `("backends", "ollama", "timeout_ms")`; spellings of one key share a path."""

FileSource = Literal["user", "project"]


def file_layer(
    root: Node, *, source: FileSource, file: str, env: Mapping[str, str], thorough: bool = False
) -> tuple[Layer, tuple[str, ...]]:
    """What one file sets, and the providers it names. `thorough` proves what costs too much for every start.

    Raises:
        ConfigError: naming file, line and key.
    """
    try:
        return _layer(root, source=source, file=file, env=env, thorough=thorough), tuple(_providers(root))
    except Wrong as wrong:
        raise config_error(wrong, file=file, source=source) from wrong


def _layer(root: Node, *, source: FileSource, file: str, env: Mapping[str, str], thorough: bool) -> Layer:
    layer: Layer = {}
    for written, key, node in walk(root, ROOT):
        path = canonical(written, key)
        if path in layer:
            first = layer[path].origin.line
            raise Wrong(f"`{written[-1]}` is given twice, first on line {first}", line=node.line, path=written)
        if (entry := _entry(written, key, node, source=source, file=file, env=env, thorough=thorough)) is not None:
            layer[path] = entry
    return layer


def canonical(written: tuple[str, ...], key: Key) -> tuple[str, ...]:
    """The one path of a key, wherever the file had it.

    `model_system:` may be left out, provider blocks may stand under `backends`, `api_backends` or, for `ollama` and
    `coreml`, at the top; all of them mean the same key, and a file that gives it twice is refused.
    """
    path = written[1:] if written[0] == "model_system" else written
    if path[0] == "api_backends":
        path = ("backends", *path[1:])
    elif path[0] in ("ollama", "coreml"):
        path = ("backends", *path)
    return (*path[:-1], key.alias_of or path[-1])


def config_error(wrong: Wrong, *, file: str, source: FileSource) -> ConfigError:
    """The message a person can act on: sentence, file, line, key; then the command that opens or checks the file."""
    place = str(Origin(source, file, wrong.line)) + (f", {dotted(wrong.path)}" if wrong.path else "")
    return ConfigError(f"{wrong.sentence} ({place})", hint=remedy(Origin(source, file)))


def remedy(origin: Origin) -> str:
    """The command that leads to where a wrong value was set."""
    match origin.source:
        case "user":
            return "mmai config edit"
        case "project":
            return f"mmai config check {origin.where}"
        case _:
            return "mmai config show --origin"


def dotted(path: tuple[str, ...]) -> str:
    """`("models", "[2]", "name")` as `models[2].name`."""
    return ".".join(path).replace(".[", "[")


def _entry(
    written: tuple[str, ...],
    key: Key,
    node: Node,
    *,
    source: FileSource,
    file: str,
    env: Mapping[str, str],
    thorough: bool,
) -> Entry | None:
    origin = Origin(source, file, node.line)
    if source == "project":
        _refuse_in_project(written, key, node)
    try:
        node = interpolated(node, env)
    except Wrong as wrong:
        if not (key.secret and key.personal and isinstance(wrong.__cause__, Unset)):
            raise Wrong(wrong.sentence, line=wrong.line, path=written) from wrong
        missing = f"{wrong.sentence} ({file} line {node.line}, {dotted(written)})"
        return Entry(None, origin, key, missing)
    value = None if node.absent else read(key, node, written)
    if thorough and value is not None:
        prove(key, node, written)
    return None if value is None else Entry(value, origin, key)


def _refuse_in_project(written: tuple[str, ...], key: Key, node: Node) -> None:
    """A project file comes with somebody's repository: it may not hold keys, run commands, read variables or lift a limit."""
    if key.personal:
        sentence = f"`{written[-1]}` is not taken from a project file; it belongs in your own settings"
        raise Wrong(sentence, line=node.line, path=written)
    if written[-1] == "local_only" and key.read(node) is False:
        raise Wrong("a project file can turn `local_only` on, never off", line=node.line, path=written)
    named = next((name for text in _texts(node) for name in variables(text)), None)
    if named is not None:
        raise Wrong(f"`${{{named}}}` is not filled in: a project file cannot read variables", line=node.line, path=written)


def _texts(node: Node) -> Iterator[str]:
    match node.value:
        case str(text):
            yield text
        case list(items):
            for item in items:
                yield from _texts(item)
        case entries:
            for item in entries.values():
                yield from _texts(item)


def _providers(root: Node) -> Iterator[str]:
    """Providers the file names, with or without keys below them."""
    assert isinstance(root.value, dict)
    for name, node in root.value.items():
        if name == "model_system" and isinstance(node.value, dict):
            yield from _providers(node)
        elif name in ("backends", "api_backends") and isinstance(node.value, dict):
            for provider, block in node.value.items():
                if not is_provider_name(provider) or provider == "builtin":
                    fits = "small letters, digits, `-` and `_`; `builtin` has no settings"
                    raise Wrong(
                        f"`{provider}` cannot be the name of a provider: {fits}", line=block.line, path=(name, provider)
                    )
                yield provider
        elif name in ("ollama", "coreml"):
            yield name
