import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from builders import a_recording, a_request, an_image
from fakes.openai import CHAT, SSE, FakeOpenAI, event, fault
from fakes.wall import CLOSE, LAST_CHUNK, RESET, SILENCE, Gate, chunk, head, refused, whole

from mmai.backends.openai import OpenAIBackend, open_backend
from mmai.errors import (
    AuthError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    NoKey,
    ProtocolError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
    UnsupportedOption,
)
from mmai.values.endpoint import Endpoint, KeyRule, Secret, Timeouts
from mmai.values.event import DroppedEvent, Event, FinishedEvent, ReasoningEvent, TextEvent, Usage, VectorEvent
from mmai.values.model import FREE, ModelCard
from mmai.values.request import AudioPart, Request, Tool, ToolCall
from mmai.values.task import TaskType

T = TypeVar("T")
HI = a_request("hi")
KEY = "sk-a-key-of-some-length"
CLOCK = Tool("now", "The time", {"type": "object", "properties": {}})


@asynccontextmanager
async def opened(url: str | None, **facts: Any) -> AsyncIterator[OpenAIBackend]:
    fields = {"provider": "openai", "locality": "cloud"} | facts
    backend = open_backend(Endpoint(kind="openai", url=url, **fields))
    try:
        yield backend
    finally:
        await backend.aclose()


def with_backend(url: str | None, use: Callable[[OpenAIBackend], Awaitable[T]], **facts: Any) -> T:
    async def run() -> T:
        async with opened(url, **facts) as backend:
            return await use(backend)

    return asyncio.run(run())


def answer(server: FakeOpenAI, request: Request = HI, model: str | ModelCard = "gpt-4.1-mini", **facts: Any) -> list[Event]:
    """What a model says, named by the user or by its card."""

    async def collect(backend: OpenAIBackend) -> list[Event]:
        card = backend.assume(model) if isinstance(model, str) else model
        return [said async for said in backend.infer(card, request)]

    return with_backend(server.base_url, collect, **facts)


def failure(url: str, request: Request = HI, model: str = "gpt-4.1-mini", **facts: Any) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    came: list[Event] = []

    async def collect(backend: OpenAIBackend) -> None:
        async for said in backend.infer(backend.assume(model), request):
            came.append(said)

    with pytest.raises(MmaiError) as raised:
        with_backend(url, collect, **facts)
    return came, raised.value


# Text


def test_a_chat_is_streamed(openai: FakeOpenAI) -> None:
    openai.streams("Hel", "lo", thinking=("hm",), usage=(3, 2), cached_tokens=1, resolved="gpt-4.1-mini-2025-04-14")
    assert answer(openai) == [
        ReasoningEvent("hm"),
        TextEvent("Hel"),
        TextEvent("lo"),
        FinishedEvent(
            usage=Usage(input_tokens=3, output_tokens=2, cached_tokens=1, reasoning_tokens=0, audio_tokens=0),
            resolved_model="gpt-4.1-mini-2025-04-14",
        ),
    ]


def test_text_comes_while_the_server_still_writes(openai: FakeOpenAI) -> None:
    gate = Gate()
    openai.streams("Hel", gate, "lo")

    async def use(backend: OpenAIBackend) -> list[Event]:
        events = backend.infer(backend.assume("gpt-4.1-mini"), HI)
        async with aclosing(events):
            first = await anext(events)
            gate.open()
            return [first, *[said async for said in events]]

    assert with_backend(openai.base_url, use)[:2] == [TextEvent("Hel"), TextEvent("lo")]


def test_leaving_an_answer_hangs_up(openai: FakeOpenAI) -> None:
    openai.streams("Hel", SILENCE)

    async def use(backend: OpenAIBackend) -> None:
        events = backend.infer(backend.assume("gpt-4.1-mini"), HI)
        await anext(events)
        await events.aclose()

    with_backend(openai.base_url, use)
    openai.journal.wait_hangups()


def test_tools_are_called(openai: FakeOpenAI) -> None:
    openai.streams(tool_calls=[("now", {"zone": "UTC"})])
    events = answer(openai, a_request("hi", tools=(CLOCK,)))
    assert events[0] == ToolCall("now", {"zone": "UTC"}, "call_0")
    assert openai.journal.paths == ["POST /v1/chat/completions"]


def test_a_model_that_wants_responses_for_tools_gets_them(openai: FakeOpenAI) -> None:
    said = "Function tools with reasoning_effort are not supported in /v1/chat/completions. Use /v1/responses instead."
    openai.streams("So.", thinking=("hm",), tool_calls=[("now", {"zone": "UTC"})], usage=(3, 9), reasoning_tokens=4)
    openai.answers(400, fault(said, param="reasoning_effort"), path=CHAT)
    events = answer(openai, a_request("hi", tools=(CLOCK,), think=True), "gpt-5.6-luna")
    assert openai.journal.paths == ["POST /v1/chat/completions", "POST /v1/responses"]
    assert openai.journal.requests[1].json["reasoning"]["effort"] == "medium"
    assert events[:3] == [ReasoningEvent("hm"), TextEvent("So."), ToolCall("now", {"zone": "UTC"}, "call_0")]
    last = events[-1]
    assert isinstance(last, FinishedEvent)
    assert (last.reason, last.usage.reasoning_tokens, last.usage.output_tokens) == ("tool_calls", 4, 9)


def test_a_card_that_needs_responses_gets_them(openai: FakeOpenAI) -> None:
    card = ModelCard(provider="openai", name="gpt-5.6-luna", api="responses")
    assert [said.text for said in answer(openai, model=card) if isinstance(said, TextEvent)] == ["Hello", " there"]
    assert openai.journal.paths == ["POST /v1/responses"]


def test_a_model_that_takes_no_chats_is_asked_for_a_response(openai: FakeOpenAI) -> None:
    openai.add("gpt-6-pro", reasons=True, chats=False)
    assert answer(openai, a_request("hi", seed=3), "gpt-6-pro")[:2] == [
        DroppedEvent("seed", "the protocol has none"),
        TextEvent("Hello"),
    ]
    assert openai.journal.paths == ["POST /v1/chat/completions", "POST /v1/responses"]


def test_an_embedding_is_a_vector(openai: FakeOpenAI) -> None:
    vector, last = answer(openai, model="text-embedding-3-small")
    assert vector == VectorEvent((0.25, -0.5, 1.0))
    assert last == FinishedEvent(usage=Usage(input_tokens=8))


def test_the_task_says_embedding_to_a_model_that_also_writes(openai: FakeOpenAI) -> None:
    card = ModelCard(provider="openai", name="text-embedding-3-small", capabilities=("text_generation", "embedding"))
    request = a_request("hi", task=TaskType.EMBEDDING)
    assert isinstance(answer(openai, request, card)[0], VectorEvent)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_a_whole_answer_to_a_stream_is_read_all_the_same(openai: FakeOpenAI, path: str) -> None:
    card = ModelCard(provider="openai", name="gpt-4.1-mini", api="responses" if path.endswith("responses") else None)
    openai.streams("Hello", usage=(3, 2))
    events = answer(openai, a_request("hi", extra={"stream": False}), card)
    assert events[0] == TextEvent("Hello")
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].usage.output_tokens == 2


# What is not sent, and what is refused


def test_an_option_the_model_does_not_know_is_told_before_the_answer(openai: FakeOpenAI) -> None:
    events = answer(openai, a_request("hi", temperature=0.2, max_tokens=9), "gpt-5.6-luna")
    assert events[0] == DroppedEvent("temperature", "a model that reasons takes none")
    assert events[1] == TextEvent("Hello")
    assert openai.journal.requests[0].json["max_completion_tokens"] == 9


def test_an_option_the_server_refuses_is_left_out_the_second_time(openai: FakeOpenAI) -> None:
    said = "Unsupported parameter: 'seed' is not supported with this model."
    openai.answers(400, fault(said, code="unsupported_parameter", param="seed"), times=1)
    events = answer(openai, a_request("hi", seed=3, temperature=0.5))
    assert events[0] == DroppedEvent("seed", f"OpenAI at `127.0.0.1:{openai.port}` takes none")
    assert events[1] == TextEvent("Hello")
    first, second = openai.journal.requests
    assert first.json["seed"] == 3
    assert second.json == {name: value for name, value in first.json.items() if name != "seed"}


def test_a_limit_the_server_knows_by_its_other_name_is_kept(openai: FakeOpenAI) -> None:
    openai.add("secret-reasoner", reasons=True)
    events = answer(openai, a_request("hi", max_tokens=9), "secret-reasoner", provider="lab")
    assert events[0] == TextEvent("Hello")
    assert openai.journal.requests[1].json["max_completion_tokens"] == 9


def test_several_options_are_refused_one_after_the_other(openai: FakeOpenAI) -> None:
    openai.add("secret-reasoner", reasons=True)
    events = answer(openai, a_request("hi", temperature=0.2, stop=("END",)), "secret-reasoner", provider="lab")
    assert [said.option for said in events if isinstance(said, DroppedEvent)] == ["temperature", "stop"]
    assert len(openai.journal.requests) == 3


def test_what_nobody_asked_for_is_left_out_in_silence(openai: FakeOpenAI) -> None:
    said = {"message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "no"}]}}
    openai.answers(422, said, times=1)
    assert answer(openai)[0] == TextEvent("Hello")
    assert "stream_options" not in openai.journal.requests[1].json


def test_a_field_that_was_not_sent_is_not_left_out_again(openai: FakeOpenAI) -> None:
    openai.answers(400, fault("Unsupported parameter: 'top_p'", code="unsupported_parameter", param="top_p"))
    came, error = failure(openai.base_url)
    assert (came, type(error)) == ([], UnsupportedOption)
    assert len(openai.journal.requests) == 1


def test_what_is_asked_is_never_left_out(openai: FakeOpenAI) -> None:
    openai.answers(400, fault("'tools' is not supported", code="unsupported_parameter", param="tools"))
    _, error = failure(openai.base_url, a_request("hi", tools=(CLOCK,)))
    assert type(error) is InvalidRequest
    assert len(openai.journal.requests) == 1


def test_content_a_model_cannot_take_is_refused_before_sending() -> None:
    backend = open_backend(Endpoint(provider="openai", kind="openai"))
    ogg = AudioPart(b"OggS", "audio/ogg")
    embedding, chat = backend.assume("text-embedding-3-small"), backend.assume("gpt-audio")
    assert backend.can_handle(embedding, a_request("hi", an_image())) == (
        "`openai:text-embedding-3-small` embeds text, not images or sound"
    )
    assert backend.can_handle(chat, a_request("hi", ogg)) == "`openai:gpt-audio` takes WAV and MP3, not `audio/ogg`"
    assert backend.can_handle(chat, a_request("hi", a_recording())) is None
    assert open_backend(Endpoint(provider="lab", kind="openai")).can_handle(chat, a_request("hi", ogg)) is None


# Failures


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, fault("maximum context length is 8", code="context_length_exceeded"), ContextOverflow),
        (400, fault("no"), InvalidRequest),
        (403, fault("no"), AuthError),
        (429, fault("slow", code="rate_limit_exceeded"), RateLimited),
        (429, fault("spent", code="insufficient_quota"), QuotaExceeded),
        (500, fault("boom"), ProviderError),
        (503, "busy", ProviderError),
    ],
)
def test_a_failing_status_is_its_class(openai: FakeOpenAI, status: int, body: Any, kind: type[MmaiError]) -> None:
    openai.answers(status, body, headers={"Retry-After": "2"})
    came, error = failure(openai.base_url)
    assert came == []
    assert type(error) is kind
    assert isinstance(error, RateLimited | ProviderError | AuthError)
    assert (error.status, len(openai.journal.requests)) == (status, 1)
    if status == 429:
        assert error.retry_after_s == 2.0


def test_a_model_that_is_not_there_is_unknown(openai: FakeOpenAI) -> None:
    _, error = failure(openai.base_url, model="nope")
    assert isinstance(error, UnknownModel)
    assert error.message == f"OpenAI at `127.0.0.1:{openai.port}` has no model `nope`"


def test_an_address_without_its_path_is_hinted_at(openai: FakeOpenAI) -> None:
    _, error = failure(openai.url)
    assert error.hint == f"such servers usually answer at `{openai.url}/v1`, which the address has to say"


@pytest.mark.parametrize("broken", [RESET, CLOSE, LAST_CHUNK])
def test_a_stream_that_breaks_is_incomplete_and_keeps_its_text(openai: FakeOpenAI, broken: Any) -> None:
    openai.streams("Hel", "lo", broken, done=False)
    came, error = failure(openai.base_url)
    assert isinstance(error, IncompleteAnswer)
    # A reset may overtake what was sent before it.
    assert came == [TextEvent("Hel"), TextEvent("lo")][: len(came)]
    assert broken is RESET or len(came) == 2


def test_a_stream_that_breaks_after_the_reason_of_its_end_is_whole(openai: FakeOpenAI) -> None:
    last = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    openai.streams("Hello", last, CLOSE, done=False)
    assert answer(openai) == [TextEvent("Hello"), FinishedEvent()]


def test_a_broken_reason_is_no_end_though_the_connection_breaks_with_it(openai: FakeOpenAI) -> None:
    last = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]})
    openai.streams("Hel", last, CLOSE, done=False)
    came, error = failure(openai.base_url)
    assert came == [TextEvent("Hel")]
    assert isinstance(error, IncompleteAnswer)


def test_silence_has_its_phase(openai: FakeOpenAI) -> None:
    openai.says(SILENCE, times=1)
    _, error = failure(openai.base_url, timeouts=Timeouts(first_token_s=0.05, stall_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"
    openai.streams("Hel", SILENCE)
    came, error = failure(openai.base_url, timeouts=Timeouts(stall_s=0.05))
    assert came == [TextEvent("Hel")]
    assert isinstance(error, TimedOut)
    assert error.phase == "stall"


def test_nobody_there_is_told_with_the_command_that_starts_the_server() -> None:
    with refused() as nowhere:
        _, error = failure(f"{nowhere}/v1", provider="llamacpp", locality="local")
        assert isinstance(error, CannotConnect)
        assert error.hint == "llama-server -m MODEL.gguf"
        _, error = failure(f"{nowhere}/v1", provider="lab")
        assert error.hint is None


def test_a_web_page_is_no_answer(openai: FakeOpenAI) -> None:
    openai.answers(200, "<html>hello</html>")
    _, error = failure(openai.base_url)
    assert isinstance(error, ProtocolError)
    assert (
        error.message
        == f"OpenAI at `127.0.0.1:{openai.port}` sent no answer but a web page, so it is no API that answers there"
    )


# Keys


def test_the_key_goes_into_one_header(openai: FakeOpenAI) -> None:
    openai.key = KEY
    answer(openai, key=Secret(KEY))
    assert openai.journal.requests[0].headers["authorization"] == f"Bearer {KEY}"
    _, error = failure(openai.base_url)
    assert isinstance(error, AuthError)
    assert error.hint == "mmai keys set openai"


def test_without_a_key_none_is_sent(openai: FakeOpenAI) -> None:
    answer(openai)
    assert "authorization" not in openai.journal.requests[0].headers


def test_a_header_of_ones_own_stands_in_place_of_the_key(openai: FakeOpenAI) -> None:
    answer(openai, key=Secret(KEY), headers={"authorization": "Basic abc"})
    assert openai.journal.requests[0].headers["authorization"] == "Basic abc"


def test_a_site_that_wants_a_key_is_not_asked_without_one(openai: FakeOpenAI) -> None:
    _, error = failure(openai.base_url, key_rule=KeyRule(required=True))
    assert isinstance(error, NoKey)
    assert openai.journal.requests == []


def test_a_key_the_server_quotes_is_not_repeated(openai: FakeOpenAI) -> None:
    quoted = fault(f"the key {KEY} is spent", code="insufficient_quota")
    scripts: tuple[Callable[[], None], ...] = (
        lambda: openai.answers(429, quoted, times=1),
        lambda: openai.streams("Hel", event(quoted), done=False, times=1),
        lambda: openai.says(whole(200, quoted), times=1),
        lambda: openai.says(head(200, SSE), chunk(b"<html>" + KEY.encode() + b"\n"), LAST_CHUNK, times=1),
        lambda: openai.says(head(200, SSE), chunk(b"data: %b\n\n" % KEY.encode() * 2), LAST_CHUNK, times=1),
    )
    for script in scripts:
        script()
        _, error = failure(openai.base_url, key=Secret(KEY))
        assert KEY not in f"{error} {error.message} {getattr(error, 'body', None)}"


def test_a_preview_shows_what_would_be_sent_and_no_key() -> None:
    backend = open_backend(Endpoint(provider="openai", kind="openai", key=Secret(KEY)))
    preview = backend.preview(backend.assume("gpt-5.6-luna"), a_request("hi", max_tokens=9))
    assert (preview.method, preview.url) == ("POST", "https://api.openai.com/v1/chat/completions")
    assert preview.headers == {"Authorization": "****"}
    assert preview.body["max_completion_tokens"] == 9
    assert backend.preview(backend.assume("text-embedding-3-small"), HI).body["input"] == "hi"


# Discovery


def test_models_are_listed(openai: FakeOpenAI) -> None:
    cards = with_backend(openai.base_url, OpenAIBackend.list_models)
    assert [(card.name, card.capabilities) for card in cards] == [
        ("gpt-4.1-mini", ("text_generation",)),
        ("gpt-5.6-luna", ("text_generation", "thinking")),
        ("text-embedding-3-small", ("embedding",)),
    ]
    assert {card.endpoints for card in cards} == {(openai.base_url,)}


def test_a_server_on_this_machine_costs_nothing(openai: FakeOpenAI) -> None:
    cards = with_backend(openai.base_url, OpenAIBackend.list_models, provider="llamacpp", locality="local")
    assert [card.price for card in cards] == [FREE] * 3


def test_asking_for_models_and_health_at_once_asks_the_server_once(openai: FakeOpenAI) -> None:
    async def use(backend: OpenAIBackend) -> None:
        cards, health = await asyncio.gather(backend.list_models(), backend.health_check())
        assert (len(cards), health.state) == (3, "healthy")
        await backend.health_check()

    with_backend(openai.base_url, use)
    assert openai.journal.paths == ["GET /v1/models"] * 2


@pytest.mark.parametrize(("status", "state"), [(401, "unauthorized"), (500, "failing")])
def test_health_says_what_is_wrong(openai: FakeOpenAI, status: int, state: str) -> None:
    openai.answers(status, fault("so it is"), path="/v1/models")
    health = with_backend(openai.base_url, OpenAIBackend.health_check)
    assert health.state == state
    assert health.reason
    assert "so it is" in health.reason


def test_closing_while_a_list_is_under_way_leaves_nothing_behind(openai: FakeOpenAI) -> None:
    gate = Gate()
    openai.says(gate, path="/v1/models")

    async def use(backend: OpenAIBackend) -> None:
        asking = asyncio.get_running_loop().create_task(backend.list_models())
        await gate.reached()
        asking.cancel()
        await asyncio.wait((asking,))
        await backend.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with_backend(openai.base_url, use)


def test_a_run_imports_no_sdk(openai: FakeOpenAI) -> None:
    code = (
        "import asyncio, json, sys\n"
        "from mmai.backends import load\n"
        "from mmai.values.endpoint import Endpoint\n"
        "from mmai.values.request import Message, Request, TextPart\n"
        "async def ask():\n"
        f"    backend = load(Endpoint(provider='openai', kind='openai', url={openai.base_url!r}))\n"
        "    request = Request(messages=(Message('user', (TextPart('hi'),)),))\n"
        "    events = [event async for event in backend.infer(backend.assume('gpt-4.1-mini'), request)]\n"
        "    await backend.aclose()\n"
        "    return events\n"
        "print(len(asyncio.run(ask())), *{'openai', 'anthropic', 'google', 'httpx', 'pydantic', 'jmespath', 'email'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
