"""Roles as the file beside a model that would say the same: `<model>.mmai.yaml`, a line for each key."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from mmai.values.package import SIDECAR, Package, Roles

PLAIN = re.compile(r"[A-Za-z_][\w./ -]*[\w./-]|[A-Za-z_]")
"""What needs no quotes in YAML, unless it is one of `WORDS`."""
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan", "infinity"))


def sidecar_path(package: Package) -> Path:
    """Where the file would lie."""
    path = Path(package.path)
    return path.with_name(path.stem + SIDECAR)


def sidecar_lines(package: Package) -> list[str]:
    """The roles of a model as YAML; paths are relative to the model's folder where they lie in it."""
    folder = Path(package.path).parent
    return [f"{key}: {_flow(value)}" for key, value in _said(package.roles, folder).items() if value is not None]


def _said(roles: Roles, folder: Path) -> dict[str, Any]:
    return {
        "task": roles.task,
        "inputs": roles.inputs or None,
        "outputs": roles.outputs or None,
        "scores": roles.scores,
        "labels": roles.labels or None,
        "preprocess": None if roles.image is None else msgspec.to_builtins(roles.image),
        "frontend": None if roles.audio is None else msgspec.to_builtins(roles.audio),
        "tokenizer": roles.tokenizer and _relative(roles.tokenizer, folder),
        "vocab": roles.vocabulary or None,
        "pooling": roles.pooling,
        "decoder": roles.decoder,
        "blank": roles.blank or None,
        "parts": {role: _relative(path, folder) for role, path in roles.parts.items()} or None,
        "options": roles.options or None,
    }


def _relative(path: str, folder: Path) -> str:
    return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path


def _flow(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            plain = PLAIN.fullmatch(value) and value.lower() not in WORDS
            return value if plain else json.dumps(value, ensure_ascii=False)
        case _:
            return json.dumps(value)
