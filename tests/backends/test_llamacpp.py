"""Our OpenAI adapter on llama.cpp itself: what only a real server can say."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import httpx
import pytest
from builders import a_request
from fakes.gguf import ANSWER, CONTEXT_TOKENS, NAME
from fakes.llamacpp import LlamaServer

from mmai import backends
from mmai.backends.base import Backend
from mmai.values.endpoint import Endpoint
from mmai.values.event import FinishedEvent, TextEvent

pytest.importorskip("xllamacpp", reason="llama.cpp is not built for this system")

T = TypeVar("T")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with LlamaServer(tmp_path_factory.mktemp("llamacpp")) as server:
        yield server


def using(server: LlamaServer, work: Callable[[Backend], Awaitable[T]]) -> T:
    """What work with the adapter gives."""

    async def use() -> T:
        backend = backends.load(Endpoint(provider="llamacpp", kind="openai", url=server.url))
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(use())


async def answer(backend: Backend, prompt: str) -> str:
    """The whole text."""
    events = [event async for event in backend.infer(backend.assume(NAME), a_request(prompt))]
    assert isinstance(events[-1], FinishedEvent)
    return "".join(event.text for event in events if isinstance(event, TextEvent))


def test_its_card_has_the_window_it_was_started_with(server: LlamaServer) -> None:
    (card,) = using(server, lambda backend: backend.list_models())
    assert (card.name, card.context_tokens, card.locality) == (NAME, CONTEXT_TOKENS, "local")
    assert card.price is not None
    assert card.price.input_usd_per_mtok == 0


def test_it_is_healthy(server: LlamaServer) -> None:
    assert using(server, lambda backend: backend.health_check()).state == "healthy"


def test_every_word_is_an_event(server: LlamaServer) -> None:
    async def ask(backend: Backend) -> list[str]:
        events = backend.infer(backend.assume(NAME), a_request("hi"))
        return [event.text async for event in events if isinstance(event, TextEvent)]

    pieces = using(server, ask)
    assert "".join(pieces) == ANSWER
    assert len(pieces) == len(ANSWER.split())


def test_an_answer_left_half_way_is_no_longer_generated(server: LlamaServer) -> None:
    async def leave(backend: Backend) -> None:
        endless = backend.infer(backend.assume(NAME), a_request("go on"))
        await anext(endless)
        await endless.aclose()

    using(server, leave)
    slots = f"{server.url.removesuffix('/v1')}/slots"
    while (slot := httpx.get(slots).json()[0])["is_processing"]:
        pass
    # Prompt and answer together: left alone it goes on until its context is full.
    assert 0 < slot["n_prompt_tokens"] < CONTEXT_TOKENS // 2


def test_many_at_once_each_get_their_own(server: LlamaServer) -> None:
    prompts = {"hi": ANSWER, "there was one": " word after another", "a time": " there was one word after another"}

    async def ask(backend: Backend) -> list[str]:
        return await asyncio.gather(*(answer(backend, prompt) for prompt in [*prompts] * 4))

    assert using(server, ask) == [*prompts.values()] * 4
