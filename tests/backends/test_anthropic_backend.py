"""The adapter of Anthropic's Messages API against a server of its kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from builders import a_recording, a_request, an_image
from fakes.anthropic import FakeAnthropic, FakeModel, error_body, error_event, usual_models
from fakes.wall import CLOSE, RESET, SILENCE, refused, whole

from mmai.backends.anthropic import AnthropicBackend, open_backend
from mmai.backends.base import Counter
from mmai.errors import (
    AuthError,
    CallError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    MmaiError,
    ProtocolError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint, KeyRule, Secret, Timeouts
from mmai.values.event import DroppedEvent, Event, FinishedEvent, ReasoningEvent, TextEvent, Usage
from mmai.values.model import ModelCard
from mmai.values.request import ImagePart, Request
from mmai.values.task import TaskType

T = TypeVar("T")
HI = a_request("hi")
KEY = "sk-ant-0123456789"


def a_card(name: str = "claude-opus-5-5", **facts: Any) -> ModelCard:
    return ModelCard(provider="anthropic", name=name, **{"capabilities_guessed": True, **facts})


@asynccontextmanager
async def opened(url: str | None, **facts: Any) -> AsyncIterator[AnthropicBackend]:
    backend = open_backend(Endpoint(**{"provider": "anthropic", "kind": "anthropic", "url": url, "locality": "cloud", **facts}))
    try:
        yield backend
    finally:
        await backend.aclose()


def with_backend(url: str | None, use: Callable[[AnthropicBackend], Awaitable[T]], **facts: Any) -> T:
    async def run() -> T:
        async with opened(url, **facts) as backend:
            return await use(backend)

    return asyncio.run(run())


def answer(url: str, model: ModelCard | None = None, request: Request = HI, **facts: Any) -> list[Event]:
    async def collect(backend: AnthropicBackend) -> list[Event]:
        return [event async for event in backend.infer(model or a_card(), request)]

    return with_backend(url, collect, **facts)


def failure(url: str, model: ModelCard | None = None, **facts: Any) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    came: list[Event] = []

    async def collect(backend: AnthropicBackend) -> None:
        async for event in backend.infer(model or a_card(), HI):
            came.append(event)

    with pytest.raises(MmaiError) as raised:
        with_backend(url, collect, **facts)
    return came, raised.value


def counted(url: str, request: Request = HI, model: ModelCard | None = None, **facts: Any) -> int:
    return with_backend(url, lambda backend: backend.count_tokens(model or a_card(), request), **facts)


def uncounted(url: str, model: ModelCard | None = None, **facts: Any) -> MmaiError:
    with pytest.raises(MmaiError) as raised:
        counted(url, model=model, **facts)
    return raised.value


# Discovery


def test_models_are_listed_with_what_the_api_says(anthropic: FakeAnthropic) -> None:
    cards = with_backend(anthropic.url, AnthropicBackend.list_models)
    assert [card.name for card in cards] == [model.id for model in usual_models()]
    assert [card.max_output_tokens for card in cards] == [128_000, 128_000, 128_000, 64_000, 64_000]
    assert [card.deprecated for card in cards] == [None, None, None, None, "2026-11-30"]
    assert {card.locality for card in cards} == {"cloud"}
    assert anthropic.journal.paths == ["GET /v1/models?limit=1000"]


def test_a_long_list_is_read_to_its_end(anthropic: FakeAnthropic) -> None:
    anthropic.models = {f"claude-{number}": FakeModel(f"claude-{number}") for number in range(1_500)}
    cards = with_backend(anthropic.url, AnthropicBackend.list_models)
    assert len({card.name for card in cards}) == 1_500
    assert anthropic.journal.paths == ["GET /v1/models?limit=1000", "GET /v1/models?limit=1000&after_id=claude-999"]


def test_a_list_that_never_ends_is_left_when_it_repeats_itself(anthropic: FakeAnthropic) -> None:
    page = whole(200, {"data": [FakeModel("x").entry], "has_more": True, "last_id": "x"})
    anthropic.when(lambda seen: seen.path.startswith("/v1/models"), lambda seen: [page])
    assert len(with_backend(anthropic.url, AnthropicBackend.list_models)) == 2


def test_where_a_list_goes_on_may_be_any_text(anthropic: FakeAnthropic) -> None:
    page = whole(200, {"data": [FakeModel("x").entry], "has_more": True, "last_id": "a b&c"})
    anthropic.when(lambda seen: seen.path.startswith("/v1/models"), lambda seen: [page])
    with_backend(anthropic.url, AnthropicBackend.list_models)
    assert anthropic.journal.paths[1] == "GET /v1/models?limit=1000&after_id=a%20b%26c"


def test_a_model_nobody_listed_is_taken_on_the_users_word(anthropic: FakeAnthropic) -> None:
    card = with_backend(anthropic.url, lambda backend: asyncio.sleep(0, backend.assume("claude-next")))
    assert (str(card.ref), card.endpoints, card.capabilities_guessed, card.locality) == (
        "anthropic:claude-next",
        (),
        True,
        "cloud",
    )
    assert anthropic.journal.connections == 0


# What it can take


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (a_request("hi", an_image()), None),
        (a_request("hi", ImagePart(b"II*", "image/tiff")), "reads JPEG, PNG, GIF and WebP, not `image/tiff`"),
        (a_request("hi", a_recording()), "takes text and images, not sound"),
        (a_request("hi", task=TaskType.EMBEDDING), "lacks `embedding`"),
        (a_request("hi", task=TaskType.IMAGE_GENERATION), "lacks `image_generation`"),
        (a_request("hi", task=TaskType.TRANSLATION), None),
    ],
)
def test_what_no_claude_takes_is_refused_before_sending(request_: Request, words: str | None) -> None:
    refusal = open_backend(Endpoint(provider="anthropic", kind="anthropic")).can_handle(a_card(), request_)
    assert refusal == (f"`anthropic:claude-opus-5-5` {words}" if words else None)


def test_what_the_list_says_it_lacks_is_refused(anthropic: FakeAnthropic) -> None:
    anthropic.models = {"blind": FakeModel("blind", vision=False)}
    (card,) = with_backend(anthropic.url, AnthropicBackend.list_models)
    backend = open_backend(Endpoint(provider="anthropic", kind="anthropic"))
    assert backend.can_handle(card, a_request("hi", an_image())) == "`anthropic:blind` lacks `vision`"


# Asking


def test_an_answer_streams_with_thinking_and_counts(anthropic: FakeAnthropic) -> None:
    anthropic.streams("Hel", "lo", thinking=("hm",), usage=(3, 2), cache=(5, 7))
    assert answer(anthropic.url) == [
        ReasoningEvent("hm"),
        TextEvent("Hel"),
        TextEvent("lo"),
        FinishedEvent(usage=Usage(input_tokens=15, cached_tokens=5, cache_write_tokens=7, output_tokens=2)),
    ]
    (seen,) = anthropic.journal.of("/v1/messages")
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert seen.json["max_tokens"] == 8_192


def test_the_longest_answer_asked_for_is_the_models_own(anthropic: FakeAnthropic) -> None:
    answer(anthropic.url, a_card(max_output_tokens=128_000))
    assert anthropic.journal.of("/v1/messages")[0].json["max_tokens"] == 128_000


def test_what_is_left_out_is_said_before_the_answer(anthropic: FakeAnthropic) -> None:
    events = answer(anthropic.url, request=a_request("hi", temperature=0.5, seed=3))
    assert events[:2] == [DroppedEvent("temperature", "this model takes none"), DroppedEvent("seed", "Anthropic has none")]
    assert events[2] == TextEvent("Hello")


def test_an_answer_that_comes_whole_all_the_same_is_read(anthropic: FakeAnthropic) -> None:
    message = {"model": "claude-opus-5-5", "stop_reason": "max_tokens", "content": [{"type": "text", "text": "Hello"}]}
    anthropic.answers(200, message | {"usage": {"input_tokens": 3, "output_tokens": 2}})
    assert answer(anthropic.url) == [
        TextEvent("Hello"),
        FinishedEvent(reason="length", usage=Usage(input_tokens=3, output_tokens=2)),
    ]


def test_a_preview_is_what_would_be_sent_with_the_key_masked() -> None:
    backend = open_backend(Endpoint(provider="anthropic", kind="anthropic", key=Secret(KEY)))
    preview = backend.preview(a_card(), HI)
    assert (preview.method, preview.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert preview.headers == {"anthropic-version": "2023-06-01", "x-api-key": "****"}
    assert preview.body["stream"] is True


# Keys


def test_the_key_travels_in_its_own_header(anthropic: FakeAnthropic) -> None:
    anthropic.key = KEY
    assert answer(anthropic.url, key=Secret(KEY))
    headers = anthropic.journal.requests[0].headers
    assert headers["x-api-key"] == KEY
    assert "authorization" not in headers


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
def test_a_credential_in_the_settings_stands_in_place_of_the_key(anthropic: FakeAnthropic, name: str) -> None:
    anthropic.key = "mine-9876543210"
    answer(anthropic.url, key=Secret(KEY), headers={name: "mine-9876543210"})
    counted(anthropic.url, key=Secret(KEY), headers={name: "mine-9876543210"})
    for seen in anthropic.journal.requests:
        assert KEY not in seen.headers.values()
        assert seen.headers[name.lower()] == "mine-9876543210"


def test_a_version_in_the_settings_is_the_one_that_is_sent(anthropic: FakeAnthropic) -> None:
    answer(anthropic.url, headers={"Anthropic-Version": "2026-10-21"})
    assert anthropic.journal.requests[0].headers["anthropic-version"] == "2026-10-21"


def test_without_a_key_nothing_is_sent_to_who_wants_one(anthropic: FakeAnthropic) -> None:
    facts: dict[str, Any] = {"key_rule": KeyRule(required=True)}
    _, error = failure(anthropic.url, **facts)
    assert isinstance(error, AuthError)
    assert isinstance(uncounted(anthropic.url, **facts), AuthError)
    assert anthropic.journal.connections == 0


@pytest.mark.parametrize("kind", ["authentication_error", "api_error"])
def test_a_key_that_is_quoted_back_is_not_shown(anthropic: FakeAnthropic, kind: str) -> None:
    anthropic.streams("Hel", error_event(kind, f"your key {KEY} is wrong"), done=False, times=1)
    came, streamed = failure(anthropic.url, key=Secret(KEY))
    anthropic.answers(401, error_body(kind, f"your key {KEY} is wrong"))
    _, refused_ = failure(anthropic.url, key=Secret(KEY))
    anthropic.answers(401, error_body(kind, f"your key {KEY} is wrong"), path="/v1/messages/count_tokens")
    count = uncounted(anthropic.url, key=Secret(KEY))
    assert came == [TextEvent("Hel")]
    for error in (streamed, refused_, count):
        assert isinstance(error, CallError)
        assert "your key **** is wrong" in error.message
        assert KEY not in f"{error!r} {error} {error.body}"


# Failures


@pytest.mark.parametrize(
    ("status", "kind", "message", "error"),
    [
        (400, "invalid_request_error", "prompt is too long: 5 tokens > 4 maximum", ContextOverflow),
        (400, "invalid_request_error", "Your credit balance is too low", QuotaExceeded),
        (401, "authentication_error", "invalid x-api-key", AuthError),
        (404, "not_found_error", "model: claude-opus-5-5", UnknownModel),
        (429, "rate_limit_error", "slow", RateLimited),
        (529, "overloaded_error", "Overloaded", ProviderError),
    ],
)
def test_a_failure_is_the_same_whether_asked_or_counted(
    anthropic: FakeAnthropic, status: int, kind: str, message: str, error: type[MmaiError]
) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        anthropic.answers(status, error_body(kind, message), headers={"retry-after": "7"}, path=path)
    _, asked = failure(anthropic.url)
    count = uncounted(anthropic.url)
    assert type(asked) is type(count) is error
    assert (asked.message, asked.hint) == (count.message, count.hint)
    if isinstance(asked, RateLimited) and isinstance(count, RateLimited) and error is RateLimited:
        assert asked.retry_after_s == count.retry_after_s == 7.0
    assert len(anthropic.journal.requests) == 2


def test_an_error_event_before_the_text_leaves_nothing_behind(anthropic: FakeAnthropic) -> None:
    anthropic.streams(error_event("overloaded_error"), done=False)
    came, error = failure(anthropic.url)
    assert came == []
    assert isinstance(error, ProviderError)
    assert error.status == 529


@pytest.mark.parametrize("fault", [RESET, CLOSE])
def test_a_stream_that_is_cut_keeps_its_text_and_is_incomplete(anthropic: FakeAnthropic, fault: Any) -> None:
    anthropic.streams("Hel", fault)
    came, error = failure(anthropic.url)
    assert came[:1] in ([TextEvent("Hel")], [])
    assert isinstance(error, IncompleteAnswer | CannotConnect)


def test_a_connection_that_ends_after_the_reason_was_told_has_lost_nothing(anthropic: FakeAnthropic) -> None:
    told = b'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}\n\n'
    anthropic.streams("Hello", told, CLOSE)
    assert answer(anthropic.url) == [
        TextEvent("Hello"),
        FinishedEvent(usage=Usage(input_tokens=25, output_tokens=2, cached_tokens=0, cache_write_tokens=0)),
    ]


def test_a_server_that_keeps_silent_is_given_up_on(anthropic: FakeAnthropic) -> None:
    anthropic.says(SILENCE)
    _, error = failure(anthropic.url, timeouts=Timeouts(first_token_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"


def test_nobody_there_is_said() -> None:
    with refused() as nowhere:
        _, error = failure(nowhere)
        count = uncounted(nowhere)
    assert isinstance(error, CannotConnect)
    assert error.message == count.message
    assert type(count) is CannotConnect


# Counting


def test_it_counts_what_it_would_send(anthropic: FakeAnthropic) -> None:
    anthropic.counted = 14
    anthropic.key = KEY
    request = a_request("hi", an_image(), system="be brief", schema={"type": "string"}, think=True, temperature=0.2)
    assert counted(anthropic.url, request, key=Secret(KEY)) == 14
    (seen,) = anthropic.journal.requests
    assert seen.path == "/v1/messages/count_tokens"
    assert seen.json.keys() == {"model", "messages", "system", "thinking", "output_config"}
    assert (seen.headers["x-api-key"], seen.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert isinstance(open_backend(Endpoint(provider="anthropic", kind="anthropic")), Counter)


def test_counting_takes_nothing_from_the_environment(anthropic: FakeAnthropic, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused() as elsewhere:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-environment")
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-the-environment")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", elsewhere)
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: of-the-environment\nx-api-key: of-the-environment")
        for proxy in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(proxy, elsewhere)
        assert counted(anthropic.url) == 2_095
    headers = anthropic.journal.requests[0].headers
    assert headers.keys() <= {
        "host",
        "connection",
        "content-length",
        "content-type",
        "user-agent",
        "accept",
        "accept-encoding",
        "anthropic-version",
        "x-stainless-raw-response",
    }
    assert headers["user-agent"].startswith("mmai/")


def test_counting_follows_no_redirect(anthropic: FakeAnthropic) -> None:
    with FakeAnthropic(*usual_models()) as elsewhere:
        to = {"Location": f"{elsewhere.url}/v1/messages/count_tokens"}
        anthropic.answers(307, "", headers=to, path="/v1/messages/count_tokens")
        error = uncounted(anthropic.url, key=Secret(KEY))
        assert elsewhere.journal.connections == 0
    assert isinstance(error, ProviderError)
    assert error.status == 307


@pytest.mark.parametrize("body", [b"", "<html>", {"tokens": 3}, {"input_tokens": "many"}, [1]])
def test_what_is_no_count_breaks_the_protocol(anthropic: FakeAnthropic, body: object) -> None:
    anthropic.answers(200, body, path="/v1/messages/count_tokens")
    assert isinstance(uncounted(anthropic.url), ProtocolError)


def test_json_that_is_none_breaks_the_protocol(anthropic: FakeAnthropic) -> None:
    anthropic.answers(200, b"{oops", headers={"Content-Type": "application/json"}, path="/v1/messages/count_tokens")
    assert isinstance(uncounted(anthropic.url), ProtocolError)


def test_counting_gives_up_on_silence(anthropic: FakeAnthropic) -> None:
    anthropic.says(SILENCE, path="/v1/messages/count_tokens")
    error = uncounted(anthropic.url, timeouts=Timeouts(first_token_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"


# Health


def test_a_wrong_key_is_told_from_a_dead_server(anthropic: FakeAnthropic) -> None:
    anthropic.key = KEY
    health = with_backend(anthropic.url, AnthropicBackend.health_check, key=Secret("sk-ant-wrong-key"))
    assert health.state == "unauthorized"
    assert with_backend(anthropic.url, AnthropicBackend.health_check, key=Secret(KEY)).state == "healthy"
    assert {seen.path for seen in anthropic.journal.requests} == {"/v1/models?limit=1"}


def test_another_provider_of_the_kind_goes_by_its_own_name(anthropic: FakeAnthropic) -> None:
    _, error = failure(anthropic.url, ModelCard(provider="kimi", name="nope"), provider="kimi")
    assert error.message.startswith("`kimi` at `127.0.0.1:")
    assert error.hint == "mmai models --provider kimi"
