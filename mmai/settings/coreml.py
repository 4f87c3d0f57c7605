"""Where the settings say models in files are, as absolute paths."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmai.paths import Paths, meant
from mmai.settings.schema import BackendSettings, DeclaredModel, Settings


def places(provider: str, backend: BackendSettings, settings: Settings, *, env: Mapping[str, str]) -> dict[str, Any]:
    """`directories`, whether the settings `named` them, `files` and `cache_dir`, for `Endpoint.options`.

    A relative path in a settings file is meant from that file's own folder; one of a model also from the directories, and from
    where the command was typed.
    """
    paths = Paths.find(env)
    here = _folder(settings, f"backends.{provider}.directories")
    directories = [meant(name, folder=here) for name in backend.directories] or [paths.models]
    beside = _folder(settings, f"backends.{provider}.models")
    files = {model.card.name: _file(model, [beside, *directories, Path.cwd()]) for model in backend.models if model.path}
    cache = Path(backend.cache_dir) if backend.cache_dir else paths.cache_dir / "coreml"
    return {
        "directories": tuple(map(str, directories)),
        "named": bool(backend.directories),
        "cache_dir": str(meant(cache, folder=_folder(settings, f"backends.{provider}.cache_dir"))),
        "files": files,
    }


def _folder(settings: Settings, key: str) -> Path:
    origin = settings.origin(key)
    return Path(origin.where).parent if origin.where and origin.line else Path.cwd()


def _file(model: DeclaredModel, folders: list[Path]) -> dict[str, Any]:
    assert model.path, "the caller looked"
    found = [meant(model.path, folder=folder) for folder in folders]
    path = next((candidate for candidate in found if os.path.lexists(candidate)), found[0])
    return {"path": str(path), "input_shape": model.input_shape, "output_shape": model.output_shape}
