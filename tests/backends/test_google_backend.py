import asyncio
import io
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from builders import a_request, an_image
from fakes.google import FakeGoogle, error, event, generate_path, retry_info, usual_models
from fakes.wall import CLOSE, RESET, SILENCE, Gate, chunk, head, refused, whole

from mmai.backends.google import GoogleBackend, open_backend
from mmai.errors import (
    AuthError,
    CannotConnect,
    IncompleteAnswer,
    MmaiError,
    NoKey,
    ProtocolError,
    ProviderError,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint, KeyRule, Secret, Timeouts
from mmai.values.event import AudioEvent, DroppedEvent, Event, FinishedEvent, ImageEvent, ReasoningEvent, TextEvent, VectorEvent
from mmai.values.model import ModelCard
from mmai.values.request import Request, ToolCall
from mmai.values.task import TaskType

T = TypeVar("T")
HI = a_request("hi")
FLASH = "gemini-2.5-flash"
KEY = "a-key-of-some-length"


@asynccontextmanager
async def opened(url: str | None, **facts: Any) -> AsyncIterator[GoogleBackend]:
    backend = open_backend(Endpoint(provider="google", kind="google", url=url, **({"locality": "cloud"} | facts)))
    try:
        yield backend
    finally:
        await backend.aclose()


def with_backend(url: str | None, use: Callable[[GoogleBackend], Awaitable[T]], **facts: Any) -> T:
    async def run() -> T:
        async with opened(url, **facts) as backend:
            return await use(backend)

    return asyncio.run(run())


def answer(url: str, name: str = FLASH, request: Request = HI, **facts: Any) -> list[Event]:
    """What a model named by the user says."""

    async def collect(backend: GoogleBackend) -> list[Event]:
        return [said async for said in backend.infer(backend.assume(name), request)]

    return with_backend(url, collect, **facts)


def failure(url: str, name: str = FLASH, **facts: Any) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    came: list[Event] = []

    async def collect(backend: GoogleBackend) -> None:
        async for said in backend.infer(backend.assume(name), HI):
            came.append(said)

    with pytest.raises(MmaiError) as raised:
        with_backend(url, collect, **facts)
    return came, raised.value


def finished(events: list[Event]) -> FinishedEvent:
    assert isinstance(events[-1], FinishedEvent)
    return events[-1]


# Discovery


def test_models_are_listed_from_every_page(google: FakeGoogle) -> None:
    google.page_size = 2
    cards = with_backend(google.url, GoogleBackend.list_models)
    assert [card.name for card in cards] == [
        "gemini-2.5-flash",
        "gemini-3.5-flash",
        "gemini-2.5-flash-image",
        "gemini-2.5-flash-preview-tts",
        "gemini-embedding-001",
    ]
    assert {(card.endpoints, card.locality) for card in cards} == {((google.url,), "cloud")}
    assert [seen.path for seen in google.journal.requests][:2] == [
        "/v1beta/models?pageSize=1000",
        "/v1beta/models?pageSize=1000&pageToken=2",
    ]


def test_a_list_without_an_end_is_given_up(google: FakeGoogle) -> None:
    google.answers(200, {"models": [], "nextPageToken": "again/&"}, path="/v1beta/models")
    with pytest.raises(ProtocolError, match="lists models without an end"):
        with_backend(google.url, GoogleBackend.list_models)
    assert google.journal.requests[-1].path == "/v1beta/models?pageSize=1000&pageToken=again/%26"


def test_without_an_address_it_is_googles_own() -> None:
    async def use(backend: GoogleBackend) -> str | None:
        return backend.endpoint

    assert with_backend(None, use) == "https://generativelanguage.googleapis.com"


# Inference


def test_text_streams_and_ends_with_the_servers_figures(google: FakeGoogle) -> None:
    google.streams("Hel", "lo", thinking=("hm",), usage=(3, 2))
    *texts, end = answer(google.url)
    assert texts == [ReasoningEvent("hm"), TextEvent("Hel"), TextEvent("lo")]
    assert isinstance(end, FinishedEvent)
    assert (end.usage.input_tokens, end.usage.output_tokens, end.resolved_model) == (3, 2, None)
    assert google.journal.paths == [f"POST {generate_path(FLASH)}"]


def test_text_is_there_before_the_answer_is_whole(google: FakeGoogle) -> None:
    gate = Gate()
    google.streams("Hel", gate, "lo")

    async def use(backend: GoogleBackend) -> list[Event]:
        events = []
        async for said in backend.infer(backend.assume(FLASH), HI):
            events.append(said)
            gate.open()  # the server goes on only once the first text has been seen
        return events

    assert with_backend(google.url, use)[:2] == [TextEvent("Hel"), TextEvent("lo")]


@pytest.mark.parametrize("name", [FLASH, f"models/{FLASH}"])
def test_a_name_may_be_given_in_full(google: FakeGoogle, name: str) -> None:
    answer(google.url, name)
    assert google.journal.requests[0].path == generate_path(FLASH)


def test_a_tuned_model_is_asked_where_it_lives(google: FakeGoogle) -> None:
    google.add("tunedModels/mine-1")
    assert answer(google.url, "tunedModels/mine-1")[0] == TextEvent("Hello")
    assert google.journal.requests[0].path == "/v1beta/tunedModels/mine-1:streamGenerateContent?alt=sse"


def test_a_name_cannot_leave_its_place_in_the_path(google: FakeGoogle) -> None:
    assert type(failure(google.url, "é?key=x#")[1]) is UnknownModel
    assert google.journal.requests[0].path == "/v1beta/models/%C3%A9%3Fkey%3Dx%23:streamGenerateContent?alt=sse"


def test_a_call_of_a_tool_keeps_id_and_seal(google: FakeGoogle) -> None:
    google.streams(tool_calls=[("now", {"zone": "UTC"})])
    events = answer(google.url)
    assert events[0] == ToolCall("now", {"zone": "UTC"}, "call-now", "c2lnbmF0dXJl")
    assert finished(events).reason == "tool_calls"


def test_an_answer_that_comes_whole_is_read_as_one(google: FakeGoogle) -> None:
    told = {"candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]}
    google.answers(200, told, path=generate_path(FLASH).partition("?")[0])
    assert answer(google.url) == [TextEvent("Hello"), FinishedEvent()]


def test_an_image_model_is_asked_for_images(google: FakeGoogle) -> None:
    google.streams("Here you are", media=[("image/png", b"\x89PNG")])
    events = answer(google.url, "gemini-2.5-flash-image", a_request("a cat", an_image(), task=TaskType.IMAGE_GENERATION))
    assert events[:2] == [TextEvent("Here you are"), ImageEvent(b"\x89PNG", "image/png")]
    assert finished(events).usage.images == 1
    assert google.asked()[0].json["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}


def test_a_model_that_speaks_gives_sound_that_plays(google: FakeGoogle) -> None:
    google.streams(media=[("audio/L16;codec=pcm;rate=24000", bytes(480))])
    voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
    sound, end = answer(google.url, "gemini-2.5-flash-preview-tts", a_request("Say hi", extra={"speechConfig": voice}))
    assert isinstance(sound, AudioEvent)
    with wave.open(io.BytesIO(sound.data)) as file:
        assert (file.getframerate(), file.getnframes()) == (24_000, 240)
    assert isinstance(end, FinishedEvent)
    (seen,) = google.asked("generateContent")
    assert seen.json["generationConfig"] == {"responseModalities": ["AUDIO"], "speechConfig": voice}


def test_an_embedding_model_gives_a_vector(google: FakeGoogle) -> None:
    request = a_request("hi", temperature=0.5, extra={"dimensions": 3})
    assert answer(google.url, "gemini-embedding-001", request) == [
        DroppedEvent("temperature", "an embedding has none"),
        VectorEvent((0.25, -0.5, 1.0)),
        FinishedEvent(),
    ]
    assert google.asked("embedContent")[0].json == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "hi"}]},
        "outputDimensionality": 3,
    }


def test_what_is_dropped_is_said_before_the_answer(google: FakeGoogle) -> None:
    events = answer(google.url, request=a_request("hi", keep_alive="5m", stop=tuple("abcdef")))
    assert [said.option for said in events[:2] if isinstance(said, DroppedEvent)] == ["keep_alive", "stop"]
    assert events[2] == TextEvent("Hello")


def test_the_key_goes_into_a_header_and_nowhere_else(google: FakeGoogle) -> None:
    answer(google.url, key=Secret(KEY), headers={"X-Team": "7"})
    (seen,) = google.journal.requests
    assert (seen.headers["x-goog-api-key"], seen.headers["x-team"]) == (KEY, "7")
    assert KEY not in seen.path + seen.body.decode()
    assert "authorization" not in seen.headers


def test_without_a_key_no_header_is_sent(google: FakeGoogle) -> None:
    answer(google.url)
    assert "x-goog-api-key" not in google.journal.requests[0].headers


def test_a_preview_is_what_would_be_sent_without_the_key(google: FakeGoogle) -> None:
    async def use(backend: GoogleBackend) -> Any:
        return backend.preview(backend.assume(FLASH), HI)

    shown = with_backend(google.url, use, key=Secret(KEY))
    answer(google.url)
    assert shown.method == "POST"
    assert shown.url == google.url + generate_path(FLASH)
    assert shown.headers == {"x-goog-api-key": "****"}
    assert shown.body == google.asked()[0].json


def test_answers_one_after_the_other_share_a_connection(google: FakeGoogle) -> None:
    async def use(backend: GoogleBackend) -> None:
        for _ in range(3):
            assert [said async for said in backend.infer(backend.assume(FLASH), HI)]

    with_backend(google.url, use)
    assert (len(google.journal.requests), google.journal.connections) == (3, 1)


def test_closing_the_answer_cancels_it_upstream(google: FakeGoogle) -> None:
    google.streams("Hel", SILENCE)

    async def use(backend: GoogleBackend) -> None:
        async with aclosing(backend.infer(backend.assume(FLASH), HI)) as events:
            assert await anext(events) == TextEvent("Hel")
        await asyncio.to_thread(google.journal.wait_hangups)

    with_backend(google.url, use)


def test_what_a_known_model_lacks_is_refused_before_sending(google: FakeGoogle) -> None:
    card = ModelCard(provider="google", name="gemma-3-1b-it")

    async def use(backend: GoogleBackend) -> tuple[str | None, str | None]:
        request = a_request("what is it?", an_image())
        return backend.can_handle(card, request), backend.can_handle(backend.assume("gemma-3-1b-it"), request)

    assert with_backend(google.url, use) == ("`google:gemma-3-1b-it` lacks `vision`", None)
    assert google.journal.requests == []


def test_text_takes_no_sdk_and_no_second_http_library(google: FakeGoogle) -> None:
    code = (
        "import asyncio, sys\n"
        "from mmai.backends import load\n"
        "from mmai.values.endpoint import Endpoint\n"
        "from mmai.values.request import Message, Request, TextPart\n"
        "backend = load(Endpoint(provider='google', kind='google', url=sys.argv[1]))\n"
        "request = Request(messages=(Message('user', (TextPart('hi'),)),))\n"
        "async def ask():\n"
        "    return [said async for said in backend.infer(backend.assume('gemini-2.5-flash'), request)]\n"
        "print(len(asyncio.run(ask())), *{'google', 'openai', 'anthropic', 'httpx', 'pydantic', 'jmespath'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, google.url], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


# Faults


def test_nobody_listening_is_no_connection() -> None:
    with refused() as url:
        came, found = failure(url)
    assert came == []
    assert type(found) is CannotConnect


def test_a_model_that_is_not_there_says_how_to_find_others(google: FakeGoogle) -> None:
    _, found = failure(google.url, "gemini-9")
    assert type(found) is UnknownModel
    assert found.message == f"Gemini API at `127.0.0.1:{google.port}` has no model `gemini-9`, or not for this"
    assert found.hint == "mmai models --provider google"


def test_a_wrong_key_is_told_from_a_wrong_request() -> None:
    with FakeGoogle(*usual_models(), key="the-right-key") as server:
        _, found = failure(server.url, key=Secret("the-wrong-key"))
        assert type(found) is AuthError
        assert (found.status, found.hint) == (400, "mmai keys set google")
        _, missing = failure(server.url)
        assert type(missing) is AuthError
        assert missing.status == 403
        assert answer(server.url, key=Secret("the-right-key"))[0] == TextEvent("Hello")


def test_googles_own_site_is_not_asked_without_a_key(google: FakeGoogle) -> None:
    _, found = failure(google.url, key_rule=KeyRule(required=True))
    assert type(found) is NoKey
    assert found.hint == "mmai keys set google"
    assert google.journal.connections == 0


def test_a_limit_says_when_to_come_back(google: FakeGoogle) -> None:
    google.answers(429, error(429, "slow down", retry_info("17s")))
    _, found = failure(google.url)
    assert type(found) is RateLimited
    assert found.retry_after_s == 17.0


def test_a_key_that_a_server_quotes_is_not_repeated(google: FakeGoogle) -> None:
    for status in (200, 400):
        google.answers(status, error(400, f"bad key {KEY}", status="INVALID_ARGUMENT"))
        _, found = failure(google.url, key=Secret(KEY))
        assert "bad key ****" in found.message
        assert KEY not in found.message + str(getattr(found, "body", ""))
    google.streams("Hel", event(error(500, f"bad key {KEY}")), done=False)
    came, found = failure(google.url, key=Secret(KEY))
    assert came == [TextEvent("Hel")]
    assert "bad key ****" in found.message


def test_a_failure_outside_of_every_event_is_that_failure(google: FakeGoogle) -> None:
    google.streams("Hel", b'{\n  "error": {\n    "code": 503,\n    "message": "overloaded"\n  }\n}\n', done=False)
    came, found = failure(google.url)
    assert came == [TextEvent("Hel")]
    assert type(found) is ProviderError
    assert found.status == 503


@pytest.mark.parametrize("fault", [RESET, CLOSE])
def test_a_cut_keeps_the_text_and_says_so(google: FakeGoogle, fault: Any) -> None:
    gate = Gate()
    google.streams("Hel", gate, fault)
    came: list[Event] = []

    async def use(backend: GoogleBackend) -> None:
        async for said in backend.infer(backend.assume(FLASH), HI):
            came.append(said)
            gate.open()

    with pytest.raises(IncompleteAnswer) as raised:
        with_backend(google.url, use)
    assert raised.value.reason == "cut"
    assert came == [TextEvent("Hel")]


def test_an_end_without_a_reason_is_a_cut(google: FakeGoogle) -> None:
    google.streams("Hel", done=False)
    came, found = failure(google.url)
    assert came == [TextEvent("Hel")]
    assert isinstance(found, IncompleteAnswer)


def test_a_break_after_the_reason_harms_nothing(google: FakeGoogle) -> None:
    sse = head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
    end = event({"candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]})
    google.says(sse, chunk(end), CLOSE)
    assert answer(google.url) == [TextEvent("Hello"), FinishedEvent()]
    google.says(sse, chunk(end), SILENCE)
    assert answer(google.url, timeouts=Timeouts(stall_s=0.05)) == [TextEvent("Hello"), FinishedEvent()]


def test_silence_in_the_middle_is_a_stall(google: FakeGoogle) -> None:
    google.streams("Hel", SILENCE)
    came, found = failure(google.url, timeouts=Timeouts(stall_s=0.05))
    assert came == [TextEvent("Hel")]
    assert isinstance(found, TimedOut)
    assert found.phase == "stall"


def test_silence_at_all_is_no_first_token(google: FakeGoogle) -> None:
    google.says(SILENCE)
    _, found = failure(google.url, timeouts=Timeouts(first_token_s=0.05))
    assert isinstance(found, TimedOut)
    assert found.phase == "first_token"


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b'{"candidates": 3}'])
def test_a_success_that_is_no_answer_is_not_the_protocol(google: FakeGoogle, body: bytes) -> None:
    for kind in ("text/html", "application/json; charset=UTF-8", "text/event-stream"):
        google.says(whole(200, body, {"Content-Type": kind}))
        assert type(failure(google.url)[1]) is ProtocolError


# Health


def test_health_tells_a_refused_key_from_silence() -> None:
    with FakeGoogle(*usual_models(), key="the-right-key") as server:
        health = with_backend(server.url, GoogleBackend.health_check, key=Secret("the-wrong-key"))
        assert health.state == "unauthorized"
        assert "API key not valid" in str(health.reason)
        well = with_backend(server.url, GoogleBackend.health_check, key=Secret("the-right-key"))
        assert (well.state, well.reason) == ("healthy", None)
    with refused() as url:
        assert with_backend(url, GoogleBackend.health_check).state == "unreachable"
