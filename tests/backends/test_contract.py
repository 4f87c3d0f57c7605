"""What `backends/base.py` promises, held over every adapter. A new adapter is a row in `ADAPTERS`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

import pytest
from fakes.anthropic import FakeAnthropic
from fakes.anthropic import usual_models as usual_anthropic_models
from fakes.google import FakeGoogle
from fakes.google import usual_models as usual_google_models
from fakes.ollama import FakeOllama, usual_models
from fakes.openai import FakeOpenAI
from fakes.openai import usual_models as usual_openai_models
from fakes.wall import Wall, refused
from msgspec.structs import replace
from packages.shipped import FOLDER

from mmai import backends
from mmai.backends.base import Backend, RetryAdvice
from mmai.errors import (
    AuthError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, TextEvent
from mmai.values.model import ModelCard
from mmai.values.request import Message, Request, TextPart
from mmai.values.service import Service, ServiceRequest, ServiceResponse, described
from mmai.values.traffic import FailureKind

Serve = Callable[[], AbstractContextManager[tuple[Endpoint, Wall | None]]]
TEXT = "The cat sat. It was a warm day. The cat slept until evening."
"""Thirteen words: the smallest model here reads sixteen."""


@contextmanager
def an_ollama() -> Iterator[tuple[Endpoint, Wall | None]]:
    with FakeOllama(*usual_models()) as server:
        server.streams("Hel", "lo", thinking=("hm",))
        yield Endpoint(provider="ollama", kind="ollama", url=server.url), server


@contextmanager
def an_anthropic() -> Iterator[tuple[Endpoint, Wall | None]]:
    with FakeAnthropic(*usual_anthropic_models()) as server:
        server.streams("Hel", "lo", thinking=("hm",))
        yield Endpoint(provider="anthropic", kind="anthropic", url=server.url, locality="cloud"), server


@contextmanager
def a_google() -> Iterator[tuple[Endpoint, Wall | None]]:
    with FakeGoogle(*usual_google_models()) as server:
        server.streams("Hel", "lo", thinking=("hm",))
        yield Endpoint(provider="google", kind="google", url=server.url), server


@contextmanager
def an_openai() -> Iterator[tuple[Endpoint, Wall | None]]:
    with FakeOpenAI(*usual_openai_models()) as server:
        server.streams("Hel", "lo", thinking=("hm",))
        yield Endpoint(provider="openai", kind="openai", url=server.base_url), server


@contextmanager
def a_service_of_its_own() -> Iterator[tuple[Endpoint, Wall | None]]:
    with Wall() as server:
        server.answers(200, {"out": "Hello"})
        service = Service(
            request=ServiceRequest(body={"inputs": "{prompt}"}), response=ServiceResponse(text="out"), health="/health"
        )
        card = described(ModelCard(provider="lab", name="m", endpoints=(server.url,), source="configured"), service)
        yield Endpoint(provider="lab", kind="custom", url=server.url, models=(card,), options={"service": service}), server


@contextmanager
def a_folder() -> Iterator[tuple[Endpoint, Wall | None]]:
    options = {"directories": (str(FOLDER),), "named": True, "files": {}, "cache_dir": "/nowhere", "executor": "reference"}
    yield Endpoint(provider="coreml", kind="coreml", options=options), None


ADAPTERS: dict[str, Serve] = {
    "anthropic": an_anthropic,
    "coreml": a_folder,
    "custom": a_service_of_its_own,
    "google": a_google,
    "ollama": an_ollama,
    "openai": an_openai,
}
"""Adapter to a context that gives its endpoint and, where there is one, its server."""


@pytest.fixture(params=list(ADAPTERS))
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Endpoint, Wall | None]]:
    with ADAPTERS[request.param]() as place:
        yield place


@asynccontextmanager
async def opened(endpoint: Endpoint) -> AsyncIterator[Backend]:
    backend = backends.load(endpoint)
    try:
        yield backend
    finally:
        await backend.aclose()
        await backend.aclose()  # may be called twice


def asking(text: str = TEXT) -> Request:
    return Request(messages=(Message("user", (TextPart(text),)),))


def listed(endpoint: Endpoint) -> list[ModelCard]:
    async def ask() -> list[ModelCard]:
        async with opened(endpoint) as backend:
            return list(await backend.list_models())

    return asyncio.run(ask())


def answered(endpoint: Endpoint) -> list[tuple[ModelCard, list[Event]]]:
    """Every model that can handle a plain request, with its answer."""

    async def ask() -> list[tuple[ModelCard, list[Event]]]:
        async with opened(endpoint) as backend:
            able = [card for card in await backend.list_models() if backend.can_handle(card, asking()) is None]
            return [(card, [event async for event in backend.infer(card, asking())]) for card in able]

    return asyncio.run(ask())


def test_opening_sends_nothing(place: tuple[Endpoint, Wall | None]) -> None:
    endpoint, server = place

    async def ask() -> None:
        async with opened(endpoint) as backend:
            assert backend.provider == endpoint.provider
            assert backend.endpoint == endpoint.url

    asyncio.run(ask())
    assert server is None or server.journal.connections == 0


def test_cards_name_their_provider_and_endpoint(place: tuple[Endpoint, Wall | None]) -> None:
    endpoint, _ = place
    cards = listed(endpoint)
    assert cards
    for card in cards:
        assert card.provider == endpoint.provider
        assert card.endpoints == ((endpoint.url,) if endpoint.url else ())
        assert card.capabilities
        assert card.source == "discovered"
    assert len({card.name for card in cards}) == len(cards)


def test_every_answer_ends_with_one_finished_event_and_holds_no_empty_text(place: tuple[Endpoint, Wall | None]) -> None:
    answers = answered(place[0])
    assert answers
    for _, events in answers:
        assert len(events) > 1
        assert [isinstance(event, FinishedEvent) for event in events] == [False] * (len(events) - 1) + [True]
        assert all(event.text for event in events if isinstance(event, TextEvent | ReasoningEvent))


def test_whether_a_model_can_is_told_without_the_network(place: tuple[Endpoint, Wall | None]) -> None:
    endpoint, _ = place
    with refused() as nowhere:
        backend = backends.load(replace(endpoint, url=endpoint.url and nowhere))
        for card in listed(endpoint):
            refusal = backend.can_handle(card, asking())
            assert refusal is None or (refusal and not refusal.endswith("."))
        asyncio.run(backend.aclose())


def test_an_answer_may_be_left_at_any_moment(place: tuple[Endpoint, Wall | None]) -> None:
    endpoint, _ = place

    async def ask() -> None:
        async with opened(endpoint) as backend:
            for card in await backend.list_models():
                if backend.can_handle(card, asking()) is None:
                    events = backend.infer(card, asking())
                    await anext(events)
                    await events.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(ask())


def test_health_is_told_and_never_raised(place: tuple[Endpoint, Wall | None]) -> None:
    endpoint, _ = place

    async def ask(url: str | None) -> tuple[str, str | None]:
        async with opened(replace(endpoint, url=url)) as backend:
            health = await backend.health_check()
            return health.state, health.reason

    assert asyncio.run(ask(endpoint.url)) == ("healthy", None)
    if endpoint.url:
        with refused() as nowhere:
            state, reason = asyncio.run(ask(nowhere))
        assert state == "unreachable"
        assert reason


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (CannotConnect("x"), RetryAdvice(FailureKind.CONNECT)),
        (TimedOut("x", phase="first_token"), RetryAdvice(FailureKind.SILENT)),
        (TimedOut("x", phase="total"), RetryAdvice(FailureKind.DEADLINE)),
        (RateLimited("x", retry_after_s=2.0), RetryAdvice(FailureKind.RATE_LIMITED, 2.0)),
        (QuotaExceeded("x"), RetryAdvice(FailureKind.QUOTA)),
        (AuthError("x"), RetryAdvice(FailureKind.AUTH)),
        (ProviderError("x", status=503), RetryAdvice(FailureKind.SERVER)),
        (ProviderError("x", status=404), RetryAdvice(FailureKind.NO_ANSWER)),
        (UnknownModel("x"), RetryAdvice(FailureKind.MODEL_GONE)),
        (InvalidRequest("x"), RetryAdvice(FailureKind.INVALID)),
        (ContextOverflow("x"), RetryAdvice(FailureKind.CONTEXT)),
        (IncompleteAnswer("x", reason="cut"), RetryAdvice(FailureKind.CUT)),
        (IncompleteAnswer("x", reason="filter"), RetryAdvice(FailureKind.FILTER)),
        (MmaiError("x"), RetryAdvice(FailureKind.OTHER)),
    ],
)
def test_advice_follows_the_table(place: tuple[Endpoint, Wall | None], error: MmaiError, advice: RetryAdvice) -> None:
    assert backends.load(place[0]).advise(error) == advice
