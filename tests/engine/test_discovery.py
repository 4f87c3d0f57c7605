"""Endpoints asked together: each answers, or fails, for itself."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mmai import backends
from mmai.backends.base import Backend
from mmai.clock import Clock
from mmai.engine.discovery import discover
from mmai.engine.session import Session
from mmai.registry.store import Store
from mmai.values.endpoint import Endpoint


class Broken:
    """An adapter with a fault of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.provider = endpoint.provider

    async def list_models(self) -> Any:
        raise KeyError("models")

    async def health_check(self) -> Any:
        raise ZeroDivisionError("division by zero")

    async def aclose(self) -> None:
        """Nothing is open."""


def test_an_adapter_that_breaks_is_a_row_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = backends.load

    def opened(endpoint: Endpoint) -> Backend:
        return Broken(endpoint) if endpoint.kind == "broken" else load(endpoint)  # type: ignore[return-value]

    monkeypatch.setattr(backends, "load", opened)
    endpoints = [
        Endpoint(provider="builtin", kind="builtin"),
        Endpoint(provider="odd", kind="broken", url="http://127.0.0.1:9"),
    ]
    session = Session(endpoints, find_key=lambda _: None)
    registry, changes = asyncio.run(discover(session, Store(tmp_path / "r.json", warn=print), clock=Clock(), warn=print))
    row = registry.providers["odd@http://127.0.0.1:9"]
    assert row.health.state == "failing"
    assert row.health.reason in (
        "its adapter failed: KeyError: 'models'",
        "its adapter failed: ZeroDivisionError: division by zero",
    )
    assert len(changes.new) == 4
