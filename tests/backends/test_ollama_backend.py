import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from fakes.ollama import FakeOllama, Layer
from fakes.wall import RESET, SILENCE, Gate, refused, whole

from mmai.backends.ollama import OllamaBackend, open_backend
from mmai.errors import (
    AuthError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint, Secret, Timeouts
from mmai.values.event import Event, FinishedEvent, TextEvent, VectorEvent
from mmai.values.model import FREE, ModelCard
from mmai.values.pull import PullProgress
from mmai.values.request import AudioPart, ImagePart, Message, Options, Request, TensorPart, TextPart, Tool
from mmai.values.task import Modality, TaskType

T = TypeVar("T")
HI = Request(messages=(Message("user", (TextPart("hi"),)),))


def a_card(name: str = "llama3.2:3b", **facts: Any) -> ModelCard:
    return ModelCard(provider="ollama", name=name, **{"locality": "local", **facts})


@asynccontextmanager
async def opened(url: str | None, **facts: Any) -> AsyncIterator[OllamaBackend]:
    backend = open_backend(Endpoint(provider="ollama", kind="ollama", url=url, **facts))
    try:
        yield backend
    finally:
        await backend.aclose()


def with_backend(url: str | None, use: Callable[[OllamaBackend], Awaitable[T]], **facts: Any) -> T:
    async def run() -> T:
        async with opened(url, **facts) as backend:
            return await use(backend)

    return asyncio.run(run())


def answer(url: str, model: ModelCard | None = None, request: Request = HI, **facts: Any) -> list[Event]:
    async def collect(backend: OllamaBackend) -> list[Event]:
        return [event async for event in backend.infer(model or a_card(), request)]

    return with_backend(url, collect, **facts)


def failure(url: str, model: ModelCard | None = None, **facts: Any) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    came: list[Event] = []

    async def collect(backend: OllamaBackend) -> None:
        async for event in backend.infer(model or a_card(), HI):
            came.append(event)

    with pytest.raises(MmaiError) as raised:
        with_backend(url, collect, **facts)
    return came, raised.value


# Discovery


def test_models_are_listed_with_what_tags_show_and_ps_say(ollama: FakeOllama) -> None:
    ollama.loaded["qwen3:8b"] = ollama.models["qwen3:8b"]
    cards = with_backend(ollama.url, OllamaBackend.list_models)
    assert [card.name for card in cards] == ["llama3.2:3b", "qwen3:8b", "gemma3:4b", "nomic-embed-text:latest"]
    assert [card.loaded for card in cards] == [False, True, False, False]
    assert [card.context_tokens for card in cards] == [131_072, 40_960, 131_072, 2_048]
    assert cards[2].inputs == (Modality.TEXT, Modality.IMAGE)
    assert cards[3].capabilities == ("embedding",)
    assert {card.endpoints for card in cards} == {(ollama.url,)}
    assert {card.locality for card in cards} == {"local"}


def test_only_what_the_list_leaves_out_is_asked_for(ollama: FakeOllama) -> None:
    with_backend(ollama.url, OllamaBackend.list_models)
    assert sorted(seen.model or "" for seen in ollama.journal.of("/api/show")) == [
        "gemma3:4b",
        "llama3.2:3b",
        "nomic-embed-text:latest",
    ]


def test_a_model_that_cannot_be_shown_is_listed_all_the_same(ollama: FakeOllama) -> None:
    ollama.answers(500, {"error": "broken"}, path="/api/show", model="gemma3:4b")
    cards = {card.name: card for card in with_backend(ollama.url, OllamaBackend.list_models)}
    assert (cards["gemma3:4b"].context_tokens, cards["gemma3:4b"].size_bytes) == (None, 3_338_801_804)
    assert cards["llama3.2:3b"].context_tokens == 131_072


def test_without_ps_nothing_is_said_of_the_memory(ollama: FakeOllama) -> None:
    ollama.answers(500, path="/api/ps")
    assert {card.loaded for card in with_backend(ollama.url, OllamaBackend.list_models)} == {None}


def test_a_model_of_the_cloud_is_told_from_local_ones(ollama: FakeOllama) -> None:
    ollama.add("gpt-oss:120b-cloud", remote_host="https://ollama.com", size_bytes=384)
    cards = {card.name: card for card in with_backend(ollama.url, OllamaBackend.list_models)}
    assert (cards["gpt-oss:120b-cloud"].locality, cards["gpt-oss:120b-cloud"].price) == ("cloud", None)
    assert (cards["llama3.2:3b"].locality, cards["llama3.2:3b"].price) == ("local", FREE)


def test_a_hundred_models_are_shown_a_few_at_a_time(ollama: FakeOllama) -> None:
    for number in range(100):
        ollama.add(f"m{number}:1b")
    assert len(with_backend(ollama.url, OllamaBackend.list_models)) == 104
    assert ollama.journal.connections <= 9  # eight shows and ps


# Inference


def test_text_streams_and_ends_with_the_servers_figures(ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo", usage=(3, 2))
    *texts, end = answer(ollama.url)
    assert texts == [TextEvent("Hel"), TextEvent("lo")]
    assert isinstance(end, FinishedEvent)
    assert (end.usage.input_tokens, end.usage.output_tokens) == (3, 2)


def test_text_is_there_before_the_answer_is_whole(ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams("Hel", gate, "lo")

    async def use(backend: OllamaBackend) -> list[Event]:
        events = []
        async for event in backend.infer(a_card(), HI):
            events.append(event)
            gate.open()  # the server goes on only once the first text has been seen
        return events

    assert with_backend(ollama.url, use)[:2] == [TextEvent("Hel"), TextEvent("lo")]


def test_an_embedding_model_gives_a_vector(ollama: FakeOllama) -> None:
    vector, end = answer(ollama.url, a_card("nomic-embed-text", capabilities=("embedding",)))
    assert vector == VectorEvent((0.25, -0.5, 1.0))
    assert isinstance(end, FinishedEvent)
    assert ollama.journal.of("/api/embed")[0].json["input"] == "hi"


def test_the_task_of_embedding_gives_a_vector(ollama: FakeOllama) -> None:
    card = a_card(capabilities=("text_generation", "embedding"))
    request = Request(messages=HI.messages, task=TaskType.EMBEDDING)
    assert isinstance(answer(ollama.url, card, request)[0], VectorEvent)


def test_a_key_and_headers_of_the_settings_are_sent(ollama: FakeOllama) -> None:
    answer(ollama.url, key=Secret("abc"), headers={"X-Team": "7"})
    headers = ollama.journal.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer abc", "7")


def test_answers_one_after_the_other_share_a_connection(ollama: FakeOllama) -> None:
    async def use(backend: OllamaBackend) -> None:
        for _ in range(3):
            assert [event async for event in backend.infer(a_card(), HI)]

    with_backend(ollama.url, use)
    assert (len(ollama.journal.requests), ollama.journal.connections) == (3, 1)


def test_closing_the_answer_cancels_it_upstream(ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE)

    async def use(backend: OllamaBackend) -> None:
        async with aclosing(backend.infer(a_card(), HI)) as events:
            assert await anext(events) == TextEvent("Hel")
        await asyncio.to_thread(ollama.journal.wait_hangups)

    with_backend(ollama.url, use)


def test_a_cancelled_run_cancels_upstream(ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE)
    began = asyncio.Event()

    async def read(backend: OllamaBackend) -> None:
        async for _ in backend.infer(a_card(), HI):
            began.set()

    async def use(backend: OllamaBackend) -> None:
        task = asyncio.create_task(read(backend))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(ollama.journal.wait_hangups)

    with_backend(ollama.url, use)


# Faults


def test_nobody_listening_says_how_to_start_it() -> None:
    with refused() as url:
        came, error = failure(url)
    assert came == []
    assert type(error) is CannotConnect
    assert error.hint == "ollama serve"


def test_a_model_that_is_not_there_says_how_to_get_it(ollama: FakeOllama) -> None:
    _, error = failure(ollama.url, a_card("nope:1b"))
    assert type(error) is UnknownModel
    assert error.message == f"Ollama at `127.0.0.1:{ollama.port}` has no model `nope:1b`"
    assert error.hint == "mmai pull ollama:nope:1b"


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (400, "invalid format", InvalidRequest),
        (400, "the input length exceeds the context length", ContextOverflow),
        (401, "unauthorized", AuthError),
        (403, "forbidden", AuthError),
        (429, "slow down", RateLimited),
        (500, "llama runner process has terminated", ProviderError),
        (503, "server busy, please try again", ProviderError),
    ],
)
def test_a_status_becomes_its_error(ollama: FakeOllama, status: int, text: str, kind: type[MmaiError]) -> None:
    ollama.answers(status, {"error": text}, headers={"Retry-After": "2"})
    came, error = failure(ollama.url)
    assert came == []
    assert type(error) is kind
    assert text in error.message


def test_a_status_whose_body_never_ends_is_still_that_status(ollama: FakeOllama) -> None:
    ollama.says(whole(503, b"busy")[:-2], RESET)
    _, error = failure(ollama.url)
    assert type(error) is ProviderError
    assert error.status == 503


def test_a_cut_keeps_the_text_and_says_so(ollama: FakeOllama) -> None:
    gate = Gate()
    ollama.streams("Hel", gate, RESET)
    came: list[Event] = []

    async def use(backend: OllamaBackend) -> None:
        async for event in backend.infer(a_card(), HI):
            came.append(event)
            gate.open()

    with pytest.raises(IncompleteAnswer) as raised:
        with_backend(ollama.url, use)
    assert came == [TextEvent("Hel")]
    assert raised.value.reason == "cut"


def test_an_answer_that_ends_in_order_without_its_last_line_is_cut(ollama: FakeOllama) -> None:
    ollama.streams("Hel", done=False)
    came, error = failure(ollama.url)
    assert came == [TextEvent("Hel")]
    assert isinstance(error, IncompleteAnswer)


def test_a_stall_keeps_the_text_and_says_so(ollama: FakeOllama) -> None:
    ollama.streams("Hel", SILENCE)
    came, error = failure(ollama.url, timeouts=Timeouts(stall_s=0.05))
    assert came == [TextEvent("Hel")]
    assert isinstance(error, TimedOut)
    assert error.phase == "stall"


def test_a_server_that_never_answers_is_given_up(ollama: FakeOllama) -> None:
    ollama.says(SILENCE)
    _, error = failure(ollama.url, timeouts=Timeouts(first_token_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"
    ollama.journal.wait_hangups()


def test_an_error_line_after_text_is_raised(ollama: FakeOllama) -> None:
    ollama.streams("Hel", b'{"error":"out of memory"}\n', done=False)
    came, error = failure(ollama.url)
    assert came == [TextEvent("Hel")]
    assert type(error) is ProviderError
    assert "out of memory" in error.message


def test_one_malformed_line_is_counted_and_two_are_an_error(ollama: FakeOllama) -> None:
    ollama.streams("a", b"{nonsense\n", "b")
    *texts, end = answer(ollama.url)
    assert texts == [TextEvent("a"), TextEvent("b")]
    assert isinstance(end, FinishedEvent)
    assert end.skipped_lines == 1
    ollama.streams("a", b"{nonsense\n", "b", b"{more\n", "c")
    came, error = failure(ollama.url)
    assert came == [TextEvent("a"), TextEvent("b")]
    assert type(error) is ProtocolError


def test_a_line_of_a_mebibyte_is_read(ollama: FakeOllama) -> None:
    ollama.streams("x" * 1_048_576)
    assert answer(ollama.url)[0] == TextEvent("x" * 1_048_576)


def test_characters_split_over_packets_are_whole_again(ollama: FakeOllama) -> None:
    line = '{"message":{"content":"né 語 🙂"}}\n'.encode()
    ollama.streams(*(bytes([byte]) for byte in line))
    assert answer(ollama.url)[0] == TextEvent("né 語 🙂")


@pytest.mark.parametrize("body", [b"", b"<html>welcome</html>", b'{"error":"disguised"}'])
def test_a_success_that_is_none_is_an_error(ollama: FakeOllama, body: bytes) -> None:
    ollama.answers(200, body)
    came, error = failure(ollama.url)
    assert came == []
    assert isinstance(error, ProviderError)


# Health


def test_a_healthy_server_tells_its_version(ollama: FakeOllama) -> None:
    health = with_backend(ollama.url, OllamaBackend.health_check)
    assert (health.state, health.version, health.reason) == ("healthy", "0.33.0", None)
    assert health.latency_ms is not None
    assert health.checked_at is not None


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [(401, "", "unauthorized"), (500, "", "failing"), (200, "<html>", "failing"), (200, "", "failing"), (302, "", "failing")],
)
def test_another_answer_is_a_state_with_a_reason(ollama: FakeOllama, status: int, body: str, state: str) -> None:
    ollama.answers(status, body, path="/api/version")
    health = with_backend(ollama.url, OllamaBackend.health_check)
    assert health.state == state
    assert health.reason


def test_a_server_that_is_not_there_or_silent_is_unreachable(ollama: FakeOllama) -> None:
    ollama.says(SILENCE, path="/api/version")
    silent = with_backend(ollama.url, OllamaBackend.health_check, timeouts=Timeouts(first_token_s=0.05))
    with refused() as url:
        absent = with_backend(url, OllamaBackend.health_check)
    assert (silent.state, absent.state) == ("unreachable", "unreachable")
    assert "connection refused" in (absent.reason or "")


# Memory


def test_a_model_is_loaded_and_let_go(ollama: FakeOllama) -> None:
    async def use(backend: OllamaBackend) -> None:
        ready = await backend.ensure_ready(a_card(), timeout_s=5)
        assert (ready.name, ready.context_tokens) == ("llama3.2:3b", 4096)
        assert ready.load_ms is not None
        assert [held.name for held in await backend.loaded()] == ["llama3.2:3b"]
        await backend.unload(a_card())
        assert await backend.loaded() == []
        await backend.unload(a_card())
        await backend.unload(a_card("nope"))

    with_backend(ollama.url, use)


def test_a_loaded_model_is_ready_without_another_load(ollama: FakeOllama) -> None:
    ollama.loaded["nomic-embed-text:latest"] = ollama.models["nomic-embed-text:latest"]

    async def use(backend: OllamaBackend) -> None:
        ready = await backend.ensure_ready(a_card("nomic-embed-text", capabilities=("embedding",)), timeout_s=5)
        assert ready.load_ms is None

    with_backend(ollama.url, use)
    assert ollama.journal.paths == ["GET /api/ps"]


def test_an_embedding_model_is_loaded_by_the_path_it_answers(ollama: FakeOllama) -> None:
    async def use(backend: OllamaBackend) -> None:
        await backend.ensure_ready(a_card("nomic-embed-text", capabilities=("embedding",)), timeout_s=5)

    with_backend(ollama.url, use)
    assert list(ollama.loaded) == ["nomic-embed-text:latest"]


def test_a_load_under_way_is_waited_for(ollama: FakeOllama) -> None:
    ollama.load_gate = gate = Gate()

    async def use(backend: OllamaBackend) -> None:
        loads = [asyncio.create_task(backend.ensure_ready(a_card(), timeout_s=5)) for _ in range(2)]
        await gate.reached()
        gate.open()
        assert [ready.name for ready in await asyncio.gather(*loads)] == ["llama3.2:3b", "llama3.2:3b"]

    with_backend(ollama.url, use)


def test_a_load_that_takes_too_long_is_given_up(ollama: FakeOllama) -> None:
    ollama.load_gate = Gate()

    async def use(backend: OllamaBackend) -> None:
        await backend.ensure_ready(a_card(), timeout_s=0.05)

    with pytest.raises(TimedOut) as raised:
        with_backend(ollama.url, use)
    assert raised.value.phase == "first_token"
    ollama.journal.wait_hangups()


def test_a_model_that_was_not_downloaded_cannot_be_loaded(ollama: FakeOllama) -> None:
    with pytest.raises(UnknownModel):
        with_backend(ollama.url, lambda backend: backend.ensure_ready(a_card("nope"), timeout_s=5))


@pytest.mark.parametrize("status", [200, 500])
def test_a_load_that_fails_says_why(ollama: FakeOllama, status: int) -> None:
    ollama.answers(status, {"error": "not enough memory"}, path="/api/generate")
    with pytest.raises(ProviderError, match="not enough memory"):
        with_backend(ollama.url, lambda backend: backend.ensure_ready(a_card(), timeout_s=5))


def test_what_runs_in_the_cloud_is_always_ready(ollama: FakeOllama) -> None:
    card = a_card("gpt-oss:120b-cloud", locality="cloud")

    async def use(backend: OllamaBackend) -> None:
        assert (await backend.ensure_ready(card, timeout_s=5)).name == card.name
        await backend.unload(card)

    with_backend(ollama.url, use)
    assert ollama.journal.requests == []


# Downloads


def pull(backend: OllamaBackend, name: str) -> Awaitable[list[PullProgress]]:
    async def collect() -> list[PullProgress]:
        return [progress async for progress in backend.pull(name)]

    return collect()


def test_a_pulled_model_is_there_and_a_removed_one_is_not(ollama: FakeOllama) -> None:
    ollama.library.models["tiny:1b"] = (Layer("sha256:" + "ab" * 32, 400),)
    reports = with_backend(ollama.url, lambda backend: pull(backend, "tiny:1b"))
    assert [report.completed_bytes for report in reports] == [None, None, 100, 200, 300, 400, None, None, None]
    assert (reports[2].total_bytes, reports[-1].status) == (400, "success")
    assert "tiny:1b" in ollama.models
    with_backend(ollama.url, lambda backend: backend.remove("tiny:1b"))
    assert "tiny:1b" not in ollama.models


def test_a_pull_that_is_closed_stops_and_the_next_goes_on(ollama: FakeOllama) -> None:
    ollama.library.models["tiny:1b"] = (Layer("sha256:" + "ab" * 32, 400),)
    ollama.library.pauses[4] = Gate()

    async def use(backend: OllamaBackend) -> list[PullProgress]:
        async with aclosing(backend.pull("tiny:1b")) as progress:
            while (await anext(progress)).completed_bytes != 200:
                pass
        await asyncio.to_thread(ollama.journal.wait_hangups)
        ollama.library.pauses.clear()
        return await pull(backend, "tiny:1b")

    assert [report.completed_bytes for report in with_backend(ollama.url, use)][2] == 300


def test_what_the_library_lacks_cannot_be_pulled_and_what_is_not_there_not_removed(ollama: FakeOllama) -> None:
    with pytest.raises(UnknownModel, match="library has no model `nope`"):
        with_backend(ollama.url, lambda backend: pull(backend, "nope"))
    with pytest.raises(UnknownModel):
        with_backend(ollama.url, lambda backend: backend.remove("nope"))


# What a model can take


def asking(*parts: Any, **more: Any) -> Request:
    return Request(messages=(Message("user", parts or (TextPart("hi"),)),), **more)


@pytest.mark.parametrize(
    ("capabilities", "request_", "reason"),
    [
        (("text_generation",), asking(), None),
        (("text_generation",), asking(ImagePart(b"", "image/png")), "vision"),
        (("text_generation", "vision"), asking(ImagePart(b"", "image/png")), None),
        (("text_generation", "vision"), asking(AudioPart(b"", "audio/wav")), "audio"),
        (("text_generation", "audio"), asking(AudioPart(b"", "audio/wav")), None),
        (("text_generation",), asking(TensorPart("x", b"")), "tensors"),
        (("text_generation",), asking(tools=(Tool("f", "", {}),)), "tools"),
        (("text_generation",), asking(schema={}), "json_schema"),
        (("text_generation",), asking(options=Options(think=True)), "thinking"),
        (("text_generation",), asking(options=Options(think=False)), None),
        (("text_generation",), asking(task=TaskType.EMBEDDING), "embedding"),
        (("embedding",), asking(task=TaskType.EMBEDDING), None),
        (("embedding",), asking(), None),
        (("image_generation",), asking(), "text_generation"),
    ],
)
def test_a_request_a_model_cannot_take_is_refused_with_what_it_lacks(
    capabilities: tuple[str, ...], request_: Request, reason: str | None
) -> None:
    refusal = open_backend(Endpoint(provider="ollama", kind="ollama")).can_handle(a_card(capabilities=capabilities), request_)
    assert refusal is None if reason is None else reason in (refusal or "")


def test_without_a_url_it_is_this_machines_own_server() -> None:
    assert open_backend(Endpoint(provider="ollama", kind="ollama")).endpoint == "http://127.0.0.1:11434"
