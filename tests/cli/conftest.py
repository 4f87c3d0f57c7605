"""Fixtures of the command-line tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Mmai
from fakes.ollama import FakeOllama
from fakes.wall import refused


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The address of an endpoint that refuses connections."""
    with refused() as url:
        yield url


@pytest.fixture
def mmai(tmp_path: Path, nowhere: str) -> Mmai:
    """The command on an empty home, with no server to find."""
    return Mmai(tmp_path, nowhere)


@pytest.fixture
def on(mmai: Mmai, ollama: FakeOllama) -> Mmai:
    """The command on an empty home, beside a fake Ollama."""
    mmai.env["OLLAMA_HOST"] = ollama.url
    return mmai
