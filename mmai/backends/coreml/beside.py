"""What exporters leave beside a model or in its notes for other tools, and what of it helps here: tokenizers and names of classes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmai.values.package import Package

PREVIEW_PARAMETERS = "com.apple.coreml.model.preview.parameters"

MAX_BYTES = 4 << 20
"""Of a file that may hold labels; ImageNet with all its synonyms has 0.5 MB."""


def file_beside(package: Package, name: str) -> str | None:
    """A file that lies beside the model, under its own name, the model's, or in a folder `tokenizer`."""
    path = Path(package.path)
    for candidate in (path.with_name(f"{path.stem}.{name}"), path.with_name(name), path.with_name("tokenizer") / name):
        if candidate.is_file():
            return str(candidate)
    return None


def labels_beside(package: Package, count: int) -> tuple[str, ...]:
    """Names for `count` classes: those Xcode's preview would show, those of a `labels.txt`, or those of a `config.json` as Hugging
    Face has them. A list of another length is of another model.
    """
    return next((labels for labels in _candidates(package) if len(labels) == count), ())


def _candidates(package: Package) -> Iterator[tuple[str, ...]]:
    yield _listed(_decoded(package.metadata.get(PREVIEW_PARAMETERS, "null")), "labels")
    if (text := _read(file_beside(package, "labels.txt"))) is not None:
        yield tuple(line.strip() for line in text.splitlines() if line.strip())
    if (text := _read(file_beside(package, "config.json"))) is not None:
        yield _numbered(_decoded(text))


def _read(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _listed(said: Any, key: str) -> tuple[str, ...]:
    listed = said.get(key) if isinstance(said, dict) else None
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _numbered(config: Any) -> tuple[str, ...]:
    """`id2label` in the order of its numbers; nothing where it is only `LABEL_0`, `LABEL_1`, which says no more than they do."""
    table = config.get("id2label") if isinstance(config, dict) else None
    if not isinstance(table, dict):
        return ()
    names = [str(table[str(number)]) for number in range(len(table)) if str(number) in table]
    return () if any(name == f"LABEL_{number}" for number, name in enumerate(names)) else tuple(names)
