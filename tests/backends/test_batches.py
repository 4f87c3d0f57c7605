"""The batch services of OpenAI and Anthropic, held to one contract: what is submitted, how far it is, and what comes of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from builders import a_cloud_card, a_request
from fakes.anthropic import usual_models as claudes
from fakes.anthropic_batch import FakeAnthropicBatches
from fakes.openai import usual_models as gpts
from fakes.openai_batch import FakeOpenAIBatches
from fakes.wall import RESET, Wall, refused
from msgspec import Struct

from mmai import backends
from mmai.backends.base import Batches
from mmai.errors import AuthError, CannotConnect, InvalidRequest, MmaiError, ProtocolError, ProviderError, RateLimited
from mmai.values.batch import BatchAnswer, BatchFault, BatchRow, BatchState
from mmai.values.endpoint import Endpoint, KeyRule, Secret
from mmai.values.model import ModelCard

T = TypeVar("T")
KEY = "sk-very-secret-indeed"


class Service(Struct, frozen=True):
    """One provider: its fake, and where and how it is asked."""

    provider: str
    fake: Any
    url: str
    model: str
    batches: str
    """The path of a new batch."""

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(provider=self.provider, kind=self.provider, url=self.url, key=Secret(KEY))

    @property
    def card(self) -> ModelCard:
        return a_cloud_card(f"{self.provider}:{self.model}", endpoints=())


@pytest.fixture
def openai() -> Iterator[Service]:
    with FakeOpenAIBatches(*gpts(), key=KEY) as fake:
        yield Service("openai", fake, fake.base_url, "gpt-4.1-mini", "/v1/batches")


@pytest.fixture
def anthropic() -> Iterator[Service]:
    with FakeAnthropicBatches(*claudes(), key=KEY) as fake:
        yield Service("anthropic", fake, fake.url, "claude-haiku-4-5", "/v1/messages/batches")


@pytest.fixture(params=["openai", "anthropic"])
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.getfixturevalue(request.param)
    return found


@asynccontextmanager
async def opened(endpoint: Endpoint) -> AsyncIterator[Batches]:
    backend = backends.load(endpoint)
    try:
        assert isinstance(backend, Batches)
        yield backend
    finally:
        await backend.aclose()
        await backend.aclose()  # may be called twice


def asked(endpoint: Endpoint, ask: Callable[[Batches], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with opened(endpoint) as backend:
            return await ask(backend)

    return asyncio.run(run())


async def answers(backend: Batches, batch_id: str) -> dict[str, BatchAnswer]:
    return {answer.id: answer async for answer in backend.batch_answers(batch_id)}


def rows(*prompts: str, **options: Any) -> list[BatchRow]:
    return [BatchRow(f"line-{number}", a_request(prompt, **options)) for number, prompt in enumerate(prompts, 1)]


def collected(service: Service, sent: list[BatchRow], *, model: ModelCard | None = None) -> dict[str, BatchAnswer]:
    """What becomes of the rows, from the submission to the end."""

    async def walk(backend: Batches) -> dict[str, BatchAnswer]:
        batch_id = await backend.submit_batch(model or service.card, sent)
        while (await backend.batch_status(batch_id)).state == "running":
            pass
        return await answers(backend, batch_id)

    return asked(service.endpoint, walk)


def test_a_batch_is_half_the_price(service: Service) -> None:
    async def terms(backend: Batches) -> tuple[float, bool]:
        return backend.batch_discount, backend.batch_limit >= 50_000

    assert asked(service.endpoint, terms) == (0.5, True)
    assert service.fake.journal.connections == 0


def test_every_row_comes_back_under_its_name_with_what_it_took(service: Service) -> None:
    service.fake.streams("One", usage=(3, 2), times=1)
    service.fake.streams("Two", usage=(30, 20))
    found = collected(service, rows("a", "b"))
    assert {name: answer.text for name, answer in found.items()} == {"line-1": "One", "line-2": "Two"}
    first = found["line-1"]
    assert (first.error, first.finish_reason, first.model) == (None, "stop", service.model)
    assert (first.usage.input_tokens, first.usage.output_tokens) == (3, 2)


def test_progress_is_told(service: Service) -> None:
    service.fake.batching.polls = 1

    async def walk(backend: Batches) -> list[tuple[str, int | None, int]]:
        batch_id = await backend.submit_batch(service.card, rows("a", "b"))
        seen = [await backend.batch_status(batch_id) for _ in range(2)]
        assert {status.id for status in seen} == {batch_id}
        return [(status.state, status.total, status.succeeded) for status in seen]

    first, last = asked(service.endpoint, walk)
    assert first[:2] == ("running", 2)
    assert last == ("ended", 2, 2)


def test_rows_are_sent_as_single_requests_are_but_whole(service: Service) -> None:
    collected(service, rows("Why?", system="Be brief.", max_tokens=7, temperature=0.5))
    batching = service.fake.batching
    if service.provider == "anthropic":
        body = batching.requests["msgbatch_000001"][0]["params"]
        assert (body["max_tokens"], body["temperature"]) == (7, 0.5)
    else:
        import json

        line = json.loads(batching.contents["file-000001"])
        body = line["body"]
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))
        assert batching.files["file-000001"]["purpose"] == "batch"
    assert not body.get("stream")
    assert "stream_options" not in body
    assert body["model"] == service.model


def test_a_row_that_fails_says_why_and_the_others_are_answered(service: Service) -> None:
    service.fake.answers(429, {"error": {"type": "rate_limit_error", "message": "slow down"}}, times=1)
    found = collected(service, rows("a", "b"))
    assert isinstance(found["line-1"].error, RateLimited)
    assert "slow down" in found["line-1"].error.message
    assert (found["line-2"].error, found["line-2"].text) == (None, "Hello there")


def test_an_answer_at_its_limit_keeps_its_text(service: Service) -> None:
    service.fake.streams(
        "Hel", **({"stop_reason": "max_tokens"} if service.provider == "anthropic" else {"finish_reason": "length"})
    )
    found = collected(service, rows("a"))
    assert (found["line-1"].finish_reason, found["line-1"].text) == ("length", "Hel")


def test_what_expired_says_so_and_what_was_answered_is_kept(service: Service) -> None:
    service.fake.batching.most = 1
    if service.provider == "openai":
        service.fake.batching.ends_as = "expired"
    found = collected(service, rows("a", "b"))
    assert found["line-1"].text == "Hello there"
    error = found["line-2"].error
    assert error is not None
    assert (error.code, error.message) == ("timeout", "the batch expired before this row was answered")


def test_a_cancelled_batch_keeps_what_was_answered(service: Service) -> None:
    service.fake.batching.polls, service.fake.batching.most = 1, 1

    async def walk(backend: Batches) -> tuple[list[BatchState], dict[str, BatchAnswer]]:
        batch_id = await backend.submit_batch(service.card, rows("a", "b"))
        states = [(await backend.batch_status(batch_id)).state]
        await backend.cancel_batch(batch_id)
        states.append((await backend.batch_status(batch_id)).state)
        if states[-1] == "running":
            states.append((await backend.batch_status(batch_id)).state)
        return states, await answers(backend, batch_id)

    states, found = asked(service.endpoint, walk)
    assert states[0] == "running"
    assert states[-1] in ("cancelled", "ended")
    assert found["line-1"].text == "Hello there"
    assert "line-2" not in found or found["line-2"].error is not None


def test_openai_says_what_is_wrong_with_a_batch_and_where(openai: Service) -> None:
    sent = [BatchRow("same", a_request("a")), BatchRow("other", a_request("b")), BatchRow("same", a_request("c"))]

    async def walk(backend: Batches) -> tuple[str, tuple[BatchFault, ...]]:
        status = await backend.batch_status(await backend.submit_batch(openai.card, sent))
        return status.state, status.faults

    assert asked(openai.endpoint, walk) == ("failed", (BatchFault("The custom_id 'same' is not unique.", row=2),))


def test_openai_embeds_in_batches(openai: Service) -> None:
    card = a_cloud_card("openai:text-embedding-3-small", capabilities=("embedding",))
    found = collected(openai, rows("a"), model=card)
    assert found["line-1"].vector == (0.25, -0.5, 1.0)
    assert found["line-1"].usage.input_tokens == 8


def test_openai_responses_go_through_batches(openai: Service) -> None:
    openai.fake.streams("Hello", usage=(3, 9), reasoning_tokens=4)
    found = collected(openai, rows("a"), model=a_cloud_card("openai:gpt-5.6-luna", api="responses"))
    assert openai.fake.batching.batches["batch_000001"]["endpoint"] == "/v1/responses"
    assert found["line-1"].text == "Hello"
    usage = found["line-1"].usage
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (3, 9, 4)


def test_openai_draws_nothing_in_batches(openai: Service) -> None:
    with pytest.raises(InvalidRequest, match="a batch is for text"):
        collected(openai, rows("a cat"), model=a_cloud_card("openai:gpt-image-2", capabilities=("image_generation",)))
    assert openai.fake.journal.connections == 0


def test_a_server_without_batches_says_so(service: Service) -> None:
    for path in ("/v1/files", "/v1/messages/batches"):
        service.fake.answers(404, {"detail": "Not Found"}, path=path)
    with pytest.raises(InvalidRequest, match="takes no batches"):
        collected(service, rows("a"))


def test_an_unknown_batch_is_named(service: Service) -> None:
    with pytest.raises(InvalidRequest, match="knows no batch `nope`") as caught:
        asked(service.endpoint, lambda backend: backend.batch_status("nope"))
    assert caught.value.status == 404


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (429, RateLimited), (500, ProviderError), (503, ProviderError)])
def test_failures_while_asking_are_of_the_usual_classes(service: Service, status: int, kind: type[MmaiError]) -> None:
    body = {"type": "error", "error": {"type": "x", "message": f"it was {KEY}"}}
    service.fake.answers(status, body, headers={"Retry-After": "7"}, path=f"{service.batches}/b1")
    with pytest.raises(kind) as caught:
        asked(service.endpoint, lambda backend: backend.batch_status("b1"))
    error = caught.value
    assert isinstance(error, (AuthError, ProviderError, RateLimited))
    assert KEY not in f"{error.message}{error.body}"
    assert (error.status, error.retry_after_s) == (status, 7.0)


def test_a_server_that_is_down_and_one_that_hangs_up(service: Service) -> None:
    with refused() as nowhere, pytest.raises(CannotConnect):
        asked(
            Endpoint(provider=service.provider, kind=service.provider, url=nowhere, key=Secret(KEY)),
            lambda backend: backend.batch_status("b1"),
        )
    service.fake.says(RESET, path=f"{service.batches}/b1")
    with pytest.raises(CannotConnect):
        asked(service.endpoint, lambda backend: backend.batch_status("b1"))


def test_what_is_no_batch_is_a_protocol_error(service: Service) -> None:
    service.fake.answers(200, "<html>", path=f"{service.batches}/b1")
    with pytest.raises(ProtocolError):
        asked(service.endpoint, lambda backend: backend.batch_status("b1"))


def test_a_redirect_is_not_followed_and_no_key_goes_there(service: Service, wall: Wall) -> None:
    service.fake.answers(302, "", headers={"Location": f"{wall.url}/steal"}, path=f"{service.batches}/b1")
    with pytest.raises(ProviderError, match="points to"):
        asked(service.endpoint, lambda backend: backend.batch_status("b1"))
    assert wall.journal.connections == 0


def test_results_are_asked_of_the_server_itself_whatever_address_it_names(anthropic: Service, wall: Wall) -> None:
    async def walk(backend: Batches) -> dict[str, BatchAnswer]:
        batch_id = await backend.submit_batch(anthropic.card, rows("a"))
        await backend.batch_status(batch_id)
        anthropic.fake.batching.batches[batch_id]["results_url"] = f"{wall.url}/v1/messages/batches/{batch_id}/results"
        return await answers(backend, batch_id)

    assert asked(anthropic.endpoint, walk)["line-1"].text == "Hello there"
    assert wall.journal.connections == 0


def test_without_a_key_nothing_is_sent_to_the_providers_own_site(service: Service) -> None:
    endpoint = Endpoint(provider=service.provider, kind=service.provider, url=service.url, key_rule=KeyRule(required=True))
    with pytest.raises(AuthError):
        asked(endpoint, lambda backend: backend.submit_batch(service.card, rows("a")))
    assert service.fake.journal.connections == 0


IMPORTED = """
import sys
from mmai import backends
from mmai.values.endpoint import Endpoint
for kind in ("openai", "anthropic"):
    backends.load(Endpoint(provider=kind, kind=kind, url="http://127.0.0.1:9"))
print(*sorted({"openai", "anthropic", "httpx", "pydantic"} & {name.partition(".")[0] for name in sys.modules}))
"""


def test_opening_an_adapter_imports_no_sdk() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
