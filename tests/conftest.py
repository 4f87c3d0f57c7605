"""Fixtures every test may use: local servers that misbehave on command."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from builders import Warnings
from fakes.google import FakeGoogle
from fakes.google import usual_models as usual_google_models
from fakes.ollama import FakeOllama, usual_models
from fakes.wall import Wall

# A shared machine is sometimes slow, which proves nothing; in CI the same examples come every time.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "patient")


@pytest.fixture
def wall() -> Iterator[Wall]:
    """A raw HTTP server; script it with `says` and `answers`."""
    with Wall() as server:
        yield server


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """A fake Ollama with four models: llama3.2:3b, qwen3:8b (thinks), gemma3:4b (sees), nomic-embed-text (embeds)."""
    with FakeOllama(*usual_models()) as server:
        yield server


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    """A fake Gemini API with seven models; gemini-2.5-flash and gemini-3.5-flash chat and think, any key is let in."""
    with FakeGoogle(*usual_google_models()) as server:
        yield server


@pytest.fixture
def warnings() -> Warnings:
    """What was warned of."""
    return Warnings()
