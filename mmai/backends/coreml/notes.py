"""What somebody notes about a model, as it stands there: in a `<model>.mmai.yaml` beside it, or as `mmai.*` in its own metadata."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from mmai.errors import CannotRun
from mmai.settings.node import Node, Wrong
from mmai.values.package import SIDECAR

PREFIX = "mmai."
"""Of the keys of a model's own metadata."""

KEYS = (
    "task",
    "inputs",
    "outputs",
    "scores",
    "labels",
    "preprocess",
    "frontend",
    "tokenizer",
    "vocab",
    "pooling",
    "decoder",
    "blank",
    "parts",
    "options",
)


class Notes(Struct, frozen=True):
    """What was said, by key, and where."""

    said: dict[str, Any]
    origin: str
    """The file, or the model whose metadata it is."""
    folder: Path
    """Relative paths are meant from here."""
    source: Literal["sidecar", "metadata"]
    lines: dict[str, int] = {}
    """Of a file: key to the line it stands on."""

    def at(self, key: str) -> str:
        """Where a key was said, as a message names it."""
        return f"`{self.origin}` line {self.lines[key]}" if key in self.lines else f"`{self.origin}`"


def sidecar_of(path: Path) -> Path | None:
    """The notes beside a model: `X.mmai.yaml`, or `X.mlpackage.mmai.yaml` where several formats of one name lie together."""
    for candidate in (path.with_name(path.name + SIDECAR), path.with_name(path.stem + SIDECAR)):
        if candidate.is_file():
            return candidate
    return None


def read_sidecar(path: Path) -> Notes:
    """The notes of one file.

    Raises:
        CannotRun: it cannot be read, is no YAML, or has a key that means nothing.
    """
    from mmai.settings.document import parse  # noqa: PLC0415 - 9 ms, and most models have no such file

    try:
        root = parse(path.read_bytes())
    except OSError as exc:
        raise CannotRun(f"`{path.name}` cannot be read: {exc.strerror or exc}") from exc
    except Wrong as wrong:
        line = f" line {wrong.line}" if wrong.line else ""
        raise CannotRun(f"`{path.name}`{line}: {wrong.sentence}") from wrong
    keys = root.value if root is not None and isinstance(root.value, dict) else {}
    lines = {key: node.line for key, node in keys.items()}
    notes = Notes(
        {key: _plain(node) for key, node in keys.items() if not node.absent}, path.name, path.parent, "sidecar", lines
    )
    for key in keys:
        if key not in KEYS:
            raise CannotRun(f"{notes.at(key)}: there is no key `{key}`{nearest(key, KEYS)}")
    return notes


def read_own(metadata: Mapping[str, str], path: Path) -> Notes:
    """The notes in a model's own metadata, where structured values are JSON. Keys that mean nothing here are somebody else's."""
    own = {key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)}
    said = {key: _decoded(key, value) for key, value in own.items() if key in KEYS}
    return Notes(said, path.name, path.parent, "metadata")


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about a word that is none of `words`."""
    from difflib import get_close_matches  # noqa: PLC0415 - for what is wrong

    near = get_close_matches(word, words, n=1)
    return f"; did you mean `{near[0]}`?" if near else f", only {', '.join(words)}"


def _decoded(key: str, value: str) -> Any:
    """A value of the metadata: JSON where it is some, else the text as it is. Digits may be the characters of a vocabulary."""
    if value[:1] not in ('[{"' if key == "vocab" else '[{"-0123456789'):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: _plain(item) for name, item in node.value.items() if not item.absent}
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    return _scalar(node.value) if node.plain else node.value


def _scalar(text: str) -> Any:
    """Numbers, `true` and `false`; any other word is itself."""
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text
