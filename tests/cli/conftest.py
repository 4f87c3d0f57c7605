"""Fixtures of the command-line tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Mmai
from fakes.ollama import METRICS, Answer, FakeOllama
from fakes.wall import Script, Seen, refused


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


@pytest.fixture
def talking(on: Mmai, ollama: FakeOllama) -> Mmai:
    """Beside a server that says how many messages it got, and the last of them."""

    def say(seen: Seen) -> Script:
        messages = seen.json["messages"]
        counts = {**METRICS, "prompt_eval_count": 3, "eval_count": 2}
        return Answer((f"{len(messages)}: {messages[-1]['content']}",), (), (), counts, "stop", True).script(seen)

    ollama.when(lambda seen: seen.path == "/api/chat", say)
    return on
