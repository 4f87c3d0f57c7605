"""A price file of the user's own, in the catalogue's format or as LiteLLM's `model_prices_and_context_window.json`."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from mmai.registry.known import KnownModel, KnownModels
from mmai.registry.litellm import known_model
from mmai.values.model import ModelRef

PREFIXES = {"google": "gemini", "together": "together_ai"}
"""Our provider to LiteLLM's, where they differ."""


class Rows(Protocol):
    """Facts by reference."""

    def find(self, ref: ModelRef) -> KnownModel | None:
        """The facts of one model; raises ValueError where its row is broken."""

    def refs(self) -> Iterable[ModelRef]:
        """Every model there is a row for."""


class LiteLLMRows:
    """Rows of LiteLLM's format, decoded when they are asked for."""

    def __init__(self, rows: Mapping[str, msgspec.Raw]) -> None:
        self._rows = rows

    def find(self, ref: ModelRef) -> KnownModel | None:
        """The facts of one model: `openai:gpt-5` stands under `gpt-5`, `google:gemini-3` under `gemini/gemini-3`."""
        provider = PREFIXES.get(ref.provider, ref.provider)
        for key in (f"{provider}/{ref.name}", ref.name):
            row = _decoded(self._rows.get(key))
            if row and row.get("litellm_provider") == provider:
                return known_model(row)
        return None

    def refs(self) -> Iterable[ModelRef]:
        """Every model there is a row for; `sample_spec`, which explains the format, is none."""
        ours = {theirs: provider for provider, theirs in PREFIXES.items()}
        for key, raw in self._rows.items():
            row = _decoded(raw)
            provider = row.get("litellm_provider") if row and key != "sample_spec" else None
            if isinstance(provider, str):
                yield ModelRef(ours.get(provider, provider), key.removeprefix(f"{provider}/"))


def read_prices(path: Path) -> tuple[Rows, str]:
    """A price file's rows, and the day it was last written.

    Raises:
        OSError: it cannot be read.
        ValueError: it is in neither format.
    """
    data = path.read_bytes()
    day = time.strftime("%Y-%m-%d", time.localtime(path.stat().st_mtime))
    if not data.lstrip().startswith(b"{"):
        return KnownModels.parse(data), day
    rows = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    if "models" in rows:
        return KnownModels(msgspec.json.decode(rows["models"], type=dict[str, KnownModel])), day
    return LiteLLMRows(rows), day


def _decoded(raw: msgspec.Raw | None) -> dict[str, Any] | None:
    row = None if raw is None else msgspec.json.decode(raw)
    return row if isinstance(row, dict) else None
