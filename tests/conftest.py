"""Fixtures every test may use: local servers that misbehave on command."""

import gc
import os
from collections.abc import Iterator

import hypothesis
import pytest
from builders import Warnings
from fakes.anthropic import FakeAnthropic
from fakes.anthropic import usual_models as usual_anthropic_models
from fakes.google import FakeGoogle
from fakes.google import usual_models as usual_google_models
from fakes.ollama import FakeOllama, usual_models
from fakes.openai import FakeOpenAI
from fakes.openai import usual_models as usual_openai_models
from fakes.openai_media import OpenAIMedia
from fakes.openai_media import usual_models as usual_media_models
from fakes.wall import Wall

# A shared machine is sometimes slow, which proves nothing; in CI the same examples come every time.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "patient")


def pytest_collection_finish() -> None:
    """What the run keeps anyway is not looked through again and again: coremltools collects garbage with every model it makes."""
    gc.freeze()


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
def anthropic() -> Iterator[FakeAnthropic]:
    """A fake Anthropic with five models: claude-opus-5-5, claude-sonnet-5-5, claude-haiku-5-5, claude-haiku-4-5 (samples),
    claude-sonnet-4-5 (deprecated).
    """
    with FakeAnthropic(*usual_anthropic_models()) as server:
        yield server


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    """A fake Gemini API with seven models; gemini-2.5-flash and gemini-3.5-flash chat and think, any key is let in."""
    with FakeGoogle(*usual_google_models()) as server:
        yield server


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    """A fake OpenAI with three models: gpt-4.1-mini, gpt-5.6-luna (reasons), text-embedding-3-small (embeds)."""
    with FakeOpenAI(*usual_openai_models()) as server:
        yield server


@pytest.fixture
def studio() -> Iterator[OpenAIMedia]:
    """A fake OpenAI that also draws (gpt-image-2, dall-e-3), listens (whisper-1, gpt-4o-transcribe) and speaks (gpt-4o-mini-tts)."""
    with OpenAIMedia(*usual_media_models()) as server:
        yield server


@pytest.fixture
def warnings() -> Warnings:
    """What was warned of."""
    return Warnings()
