"""The adapter of services the settings describe, over the wire."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import pytest
from builders import a_recording, a_request, an_image
from fakes.wall import CHUNKED, CLOSE, LAST_CHUNK, RESET, SILENCE, Gate, Step, Wall, chunk, head, refused
from msgspec.structs import replace

from mmai.backends.custom import CustomBackend, open_backend
from mmai.errors import (
    AuthError,
    CannotConnect,
    ConfigError,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.endpoint import Endpoint, Secret, Timeouts
from mmai.values.event import (
    DroppedEvent,
    Event,
    FinishedEvent,
    ImageEvent,
    Label,
    LabelsEvent,
    TextEvent,
    Usage,
    VectorEvent,
)
from mmai.values.model import FREE, ModelCard
from mmai.values.request import Message, Request, TensorPart, Tool
from mmai.values.service import Service, ServiceRequest, ServiceResponse, served
from mmai.values.task import TaskType

T = TypeVar("T")
KEY = "hf_0123456789"
ASK = ServiceRequest(path="/models/{model}", body={"inputs": "{prompt}", "parameters": {"max_new_tokens": "{max_tokens}"}})
GENERATED = ServiceResponse(text="[0].generated_text", error="error")
LINES = ServiceResponse(stream="ndjson", text="t", error="e", done="end")
EVENTS = ServiceResponse(stream="sse", text="t", error="e", done="[DONE]")


def an_endpoint(
    url: str, response: ServiceResponse = GENERATED, request: ServiceRequest = ASK, /, *names: str, **facts: Any
) -> Endpoint:
    """A service with the models `names`, `m` alone when there are none."""
    of_service = {name: facts.pop(name) for name in ("auth", "health") if name in facts}
    service = Service(request=request, response=response, **of_service)
    bare = [ModelCard(provider="lab", name=name, endpoints=(url,), locality="local") for name in names or ("m",)]
    cards = tuple(served(card, service) for card in bare)
    return Endpoint(provider="lab", kind="custom", url=url, models=cards, options={"service": service}, **facts)


@asynccontextmanager
async def opened(endpoint: Endpoint) -> AsyncIterator[CustomBackend]:
    backend = open_backend(endpoint)
    try:
        yield backend
    finally:
        await backend.aclose()


def using(endpoint: Endpoint, use: Callable[[CustomBackend], Awaitable[T]]) -> T:
    async def run() -> T:
        async with opened(endpoint) as backend:
            return await use(backend)

    return asyncio.run(run())


def answer(endpoint: Endpoint, request: Request | None = None) -> list[Event]:
    async def collect(backend: CustomBackend) -> list[Event]:
        return [event async for event in backend.infer(endpoint.models[0], request or a_request("hi"))]

    return using(endpoint, collect)


def partial(endpoint: Endpoint) -> tuple[list[Event], MmaiError]:
    """What came before the answer failed, and how it failed."""
    events: list[Event] = []

    async def collect(backend: CustomBackend) -> None:
        async for event in backend.infer(endpoint.models[0], a_request("hi")):
            events.append(event)

    with pytest.raises(MmaiError) as caught:
        using(endpoint, collect)
    return events, caught.value


def refusal(endpoint: Endpoint, request: Request) -> str | None:
    return open_backend(endpoint).can_handle(endpoint.models[0], request)


# What is asked and answered


def test_a_classifier_gives_classes(wall: Wall) -> None:
    wall.answers(200, [[{"label": "NEGATIVE", "score": 0.01}, {"label": "POSITIVE", "score": 0.99}]])
    response = ServiceResponse(labels="[0][*].{name: label, probability: score}")
    endpoint = an_endpoint(wall.url, response, ASK, "distilbert/sst-2")
    assert answer(endpoint, a_request("I love it")) == [
        LabelsEvent((Label("POSITIVE", 0.99), Label("NEGATIVE", 0.01))),
        FinishedEvent(),
    ]
    assert wall.journal.paths == ["POST /models/distilbert/sst-2"]
    assert wall.journal.requests[0].json == {"inputs": "I love it"}
    assert wall.journal.requests[0].headers["content-type"] == "application/json"


def test_an_embedding_service_gives_a_vector(wall: Wall) -> None:
    wall.answers(200, {"data": [{"embedding": [0.5, -1]}], "n": 3})
    response = ServiceResponse(vector="data[0].embedding", usage={"input_tokens": "n"})
    assert answer(an_endpoint(wall.url, response)) == [VectorEvent((0.5, -1.0)), FinishedEvent(usage=Usage(input_tokens=3))]


def test_a_generator_gives_text_and_takes_what_was_set(wall: Wall) -> None:
    wall.answers(200, [{"generated_text": "Hello"}])
    assert answer(an_endpoint(wall.url), a_request("hi", max_tokens=5)) == [TextEvent("Hello"), FinishedEvent()]
    assert wall.journal.requests[0].json == {"inputs": "hi", "parameters": {"max_new_tokens": 5}}


def test_an_image_comes_as_raw_bytes(wall: Wall) -> None:
    image = an_image().data
    wall.answers(200, image, headers={"Content-Type": "image/png"})
    response = ServiceResponse(image="@", error="error")
    assert answer(an_endpoint(wall.url, response)) == [ImageEvent(image, "image/png"), FinishedEvent()]


def test_an_image_comes_as_base64(wall: Wall) -> None:
    image = an_image().data
    wall.answers(200, {"images": [base64.b64encode(image).decode()]})
    assert answer(an_endpoint(wall.url, ServiceResponse(image="images")))[0] == ImageEvent(image, "image/png")


def test_a_transcriber_is_sent_the_recording_itself(wall: Wall) -> None:
    wall.answers(200, {"text": "hello there"})
    endpoint = an_endpoint(wall.url, ServiceResponse(text="text"), ServiceRequest(body="{audio}"))
    assert answer(endpoint, a_request("", a_recording())) == [TextEvent("hello there"), FinishedEvent()]
    seen = wall.journal.requests[0]
    assert (seen.body, seen.headers["content-type"]) == (a_recording().data, "audio/wav")


def test_a_get_asks_in_its_query(wall: Wall) -> None:
    wall.answers(200, {"text": "hello"})
    endpoint = an_endpoint(
        wall.url, ServiceResponse(text="text"), ServiceRequest(method="GET", path="/say", query={"q": "{prompt}"})
    )
    assert answer(endpoint, a_request("a b")) == [TextEvent("hello"), FinishedEvent()]
    seen = wall.journal.requests[0]
    assert (wall.journal.paths, seen.body, "content-type" in seen.headers) == (["GET /say?q=a%20b"], b"", False)


def test_tuning_without_a_place_is_dropped_before_the_first_content(wall: Wall) -> None:
    wall.answers(200, [{"generated_text": "Hello"}])
    request = a_request("hi", temperature=0.1, max_tokens=5, extra={"top_k": 3}, think=True)
    events = answer(an_endpoint(wall.url), request)
    reason = "its `request` in the settings has no place for it"
    assert events[:3] == [DroppedEvent(name, reason) for name in ("temperature", "think", "top_k")]
    assert events[3] == TextEvent("Hello")


# Streams


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (LINES, b'{"t": "Hel"}\n{"t": "lo"}\n{"end": true}\n'),
        (EVENTS, b'data: {"t": "Hel"}\n\ndata: {"t": "lo"}\n\ndata: [DONE]\n\n'),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_is_text_as_it_comes(wall: Wall, response: ServiceResponse, body: bytes, size: int) -> None:
    pieces = [chunk(body[at : at + size]) for at in range(0, len(body), size)]
    wall.says(head(200, CHUNKED), *pieces, LAST_CHUNK)
    assert answer(an_endpoint(wall.url, response)) == [TextEvent("Hel"), TextEvent("lo"), FinishedEvent()]


def test_text_is_there_before_the_answer_is_whole(wall: Wall) -> None:
    gate = Gate()
    wall.says(head(200, CHUNKED), chunk(b'{"t": "Hel"}\n'), gate, chunk(b'{"t": "lo", "end": true}\n'), LAST_CHUNK)
    endpoint = an_endpoint(wall.url, LINES)

    async def first(backend: CustomBackend) -> Event:
        async with aclosing(backend.infer(endpoint.models[0], a_request("hi"))) as events:
            event = await anext(events)
            await gate.reached()
            return event

    assert using(endpoint, first) == TextEvent("Hel")
    wall.journal.wait_hangups()


def test_what_follows_the_mark_is_not_waited_for(wall: Wall) -> None:
    wall.says(head(200, CHUNKED), chunk(b'data: {"t": "Hello"}\n\ndata: [DONE]\n\n'), SILENCE)
    assert answer(an_endpoint(wall.url, EVENTS))[-1] == FinishedEvent()


def test_a_whole_json_answer_to_a_request_for_events_is_read_whole(wall: Wall) -> None:
    wall.answers(200, {"t": "Hello"})
    assert answer(an_endpoint(wall.url, EVENTS)) == [TextEvent("Hello"), FinishedEvent()]


@pytest.mark.parametrize("end", [LAST_CHUNK, CLOSE])
def test_a_stream_that_ends_before_its_mark_is_cut(wall: Wall, end: Step) -> None:
    wall.says(head(200, CHUNKED), chunk(b'{"t": "Hel"}\n'), end)
    events, error = partial(an_endpoint(wall.url, LINES))
    assert events == [TextEvent("Hel")]
    assert isinstance(error, IncompleteAnswer)
    assert error.reason == "cut"


def test_a_connection_that_is_reset_is_a_cut_too(wall: Wall) -> None:
    gate = Gate()
    wall.says(head(200, CHUNKED), chunk(b'{"t": "Hel"}\n'), gate, RESET)
    endpoint = an_endpoint(wall.url, LINES)

    async def cut(backend: CustomBackend) -> MmaiError:
        events = backend.infer(endpoint.models[0], a_request("hi"))
        assert await anext(events) == TextEvent("Hel")
        gate.open()
        with pytest.raises(IncompleteAnswer) as caught:
            await anext(events)
        return caught.value

    assert "reset the connection" in using(endpoint, cut).message


def test_a_cut_after_the_reason_it_ended_is_no_cut(wall: Wall) -> None:
    wall.says(head(200, CHUNKED), chunk(b'{"t": "Hello", "why": "stop"}\n'), CLOSE)
    response = ServiceResponse(stream="ndjson", text="t", finish_reason="why", done="end")
    assert answer(an_endpoint(wall.url, response)) == [TextEvent("Hello"), FinishedEvent()]


def test_an_error_within_a_stream_raises_after_what_came(wall: Wall) -> None:
    wall.says(head(200, CHUNKED), chunk(b'{"t": "Hel"}\n{"e": "out of memory"}\n'), LAST_CHUNK)
    events, error = partial(an_endpoint(wall.url, LINES))
    assert events == [TextEvent("Hel")]
    assert (type(error), error.message) == (ProviderError, f"lab at `{wall.url[7:]}` failed: out of memory")


# Failures


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthError),
        (402, QuotaExceeded),
        (403, AuthError),
        (404, ProviderError),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, ProviderError),
        (503, ProviderError),
    ],
)
def test_a_status_is_the_error_it_stands_for(wall: Wall, status: int, kind: type[MmaiError]) -> None:
    wall.answers(status, {"error": "no luck"})
    _, error = partial(an_endpoint(wall.url))
    assert type(error) is kind
    assert "no luck" in error.message


def test_how_long_to_wait_is_kept(wall: Wall) -> None:
    wall.answers(429, {"error": "slow down"}, headers={"Retry-After": "3"})
    _, error = partial(an_endpoint(wall.url))
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 3.0


def test_an_error_in_an_answer_of_success_raises(wall: Wall) -> None:
    wall.answers(200, {"error": "model is loading"})
    assert partial(an_endpoint(wall.url))[1].message.endswith("failed: model is loading")


def test_an_answer_that_is_not_json_is_shown(wall: Wall) -> None:
    wall.answers(200, "<html>Welcome</html>")
    _, error = partial(an_endpoint(wall.url))
    assert isinstance(error, ProtocolError)
    assert error.message.endswith("the answer is not JSON: `<html>Welcome</html>`")
    assert error.hint == "mmai config edit"


def test_a_service_that_cannot_be_reached_or_is_silent_says_so(wall: Wall) -> None:
    with refused() as nowhere:
        assert isinstance(partial(an_endpoint(nowhere))[1], CannotConnect)
    wall.says(SILENCE)
    _, error = partial(an_endpoint(wall.url, timeouts=Timeouts(first_token_s=0.05)))
    assert isinstance(error, TimedOut)


# Keys


def test_the_key_is_a_bearers_or_goes_into_the_header_of_the_settings(wall: Wall) -> None:
    wall.answers(200, [{"generated_text": "x"}])
    answer(an_endpoint(wall.url, key=Secret(KEY)))
    answer(an_endpoint(wall.url, key=Secret(KEY), auth="X-Api-Key"))
    answer(an_endpoint(wall.url, headers={"Authorization": f"Token {KEY}"}))
    answer(an_endpoint(wall.url))
    bearer, named, own, none = (seen.headers for seen in wall.journal.requests)
    assert bearer["authorization"] == f"Bearer {KEY}"
    assert (named["x-api-key"], "authorization" in named) == (KEY, False)
    assert own["authorization"] == f"Token {KEY}"
    assert "authorization" not in none


@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_error_repeats_a_key_the_service_quotes(wall: Wall, status: int) -> None:
    wall.answers(status, {"error": f"the key {KEY} is bad"})
    _, error = partial(an_endpoint(wall.url, key=Secret(KEY)))
    assert "the key **** is bad" in error.message
    assert KEY not in str(getattr(error, "body", ""))


# Before sending


def test_a_preview_is_the_request_with_its_key_masked(wall: Wall) -> None:
    endpoint = an_endpoint(wall.url, key=Secret(KEY), headers={"X-Team": "secret-team"})
    preview = open_backend(endpoint).preview(endpoint.models[0], a_request("hi", max_tokens=5))
    assert (preview.method, preview.url) == ("POST", f"{wall.url}/models/m")
    assert preview.headers == {"Authorization": "****", "X-Team": "****"}
    assert preview.body == {"inputs": "hi", "parameters": {"max_new_tokens": 5}}
    assert wall.journal.connections == 0


def test_a_preview_of_a_file_says_what_it_is(wall: Wall) -> None:
    endpoint = an_endpoint(wall.url, ServiceResponse(text="text"), ServiceRequest(body="{audio}"))
    preview = open_backend(endpoint).preview(endpoint.models[0], a_request("", a_recording()))
    assert (preview.headers, preview.body) == ({"Content-Type": "audio/wav"}, "64000 bytes of audio/wav")


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (a_request("see", an_image()), "`lab:m`: its `request` in the settings has no place for an image"),
        (a_request("hi", system="x"), "`lab:m`: its `request` in the settings has no place for a system prompt"),
        (a_request("hi", schema={}), "`lab:m`: its `request` in the settings has no place for a schema"),
        (a_request("hi", tools=(Tool("f", "", {}),)), "`lab:m`: its `request` in the settings has no place for tools"),
        (a_request("hi", task=TaskType.EMBEDDING), "`lab:m` lacks `embedding`"),
        (Request(messages=(Message("user", (TensorPart("x", b""),)),)), "`lab:m` takes text and media, not tensors"),
        (a_request("hi", think=True, temperature=1.0, extra={"x": 1}), None),
    ],
)
def test_content_without_a_place_is_refused_and_tuning_never(wall: Wall, request_: Request, why: str | None) -> None:
    assert refusal(an_endpoint(wall.url), request_) == why


def test_a_model_is_what_the_settings_say_now_whatever_is_remembered(wall: Wall) -> None:
    sees = ServiceRequest(body={"p": "{prompt}", "i": "{image_base64}"})
    endpoint = an_endpoint(wall.url, ServiceResponse(text="t"), sees)
    remembered = replace(endpoint.models[0], capabilities=("text_classification",), only_tasks=True)
    assert open_backend(endpoint).can_handle(remembered, a_request("see", an_image())) is None


def test_a_path_that_is_none_is_told_before_anything_is_sent(wall: Wall) -> None:
    _, error = partial(an_endpoint(wall.url, ServiceResponse(text="a[")))
    assert (type(error), error.hint) == (ConfigError, "mmai config check")
    assert error.message == "`text: a[` in the `response` of `lab` is not JMESPath"
    assert wall.journal.connections == 0


def test_a_classifier_takes_text_and_no_other_task(wall: Wall) -> None:
    endpoint = an_endpoint(wall.url, ServiceResponse(labels="[0]"))
    assert refusal(endpoint, a_request("I love it")) is None
    assert refusal(endpoint, a_request("I love it", task=TaskType.IMAGE_GENERATION)) == "`lab:m` lacks `image_generation`"


def test_an_endpoint_nobody_described_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(ConfigError, match="the settings of `lab` do not say where it is and how it is asked"):
        open_backend(Endpoint(provider="lab", kind="custom", url="http://h:1"))


# Models and health


def test_the_models_are_those_of_the_settings_and_nobody_is_asked(wall: Wall) -> None:
    endpoint = an_endpoint(wall.url, GENERATED, ASK, "a", "b")
    cards = using(endpoint, CustomBackend.list_models)
    assert [(card.name, card.price, card.capabilities) for card in cards] == [
        ("a", FREE, ("text_generation",)),
        ("b", FREE, ("text_generation",)),
    ]
    assert wall.journal.connections == 0


def test_a_model_nobody_listed_is_taken_on_its_users_word_where_the_request_names_it(wall: Wall) -> None:
    card = open_backend(an_endpoint(wall.url, ServiceResponse(vector="@"), locality="cloud")).assume("other")
    assert (card.capabilities, card.capabilities_guessed, card.endpoints, card.price) == (("embedding",), True, (), None)
    fixed = open_backend(an_endpoint(wall.url, GENERATED, ServiceRequest(body="{prompt}")))
    with pytest.raises(UnknownModel) as caught:
        fixed.assume("other")
    assert caught.value.message == "`lab` has no model `other`: there is `m`"
    assert caught.value.hint == "mmai models --provider lab"


def test_health_is_unknown_until_there_is_a_path_that_costs_nothing(wall: Wall) -> None:
    health = using(an_endpoint(wall.url), CustomBackend.health_check)
    assert (health.state, health.reason) == ("unknown", "its settings name no `health` path")
    assert wall.journal.connections == 0


@pytest.mark.parametrize(("status", "state"), [(200, "healthy"), (204, "healthy"), (401, "unauthorized"), (503, "failing")])
def test_health_is_what_its_path_answers(wall: Wall, status: int, state: str) -> None:
    wall.answers(status, b"", path="/health")
    health = using(an_endpoint(wall.url, health="/health"), CustomBackend.health_check)
    assert (health.state, health.reason is None) == (state, state == "healthy")
    assert wall.journal.paths == ["GET /health"]


def test_the_body_that_was_shown_is_the_body_that_is_sent(wall: Wall) -> None:
    wall.answers(200, [{"generated_text": "x"}])
    endpoint = an_endpoint(wall.url)
    request = a_request('{"quotes"} \n  {prompt} ü', max_tokens=3)
    answer(endpoint, request)
    shown = open_backend(endpoint).preview(endpoint.models[0], request).body
    assert json.loads(wall.journal.requests[0].body) == shown
