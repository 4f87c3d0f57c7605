"""The fake batches are honest: Anthropic's own SDK is satisfied with them, and sees the failures the real ones have."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError, NotFoundError
from fakes.anthropic import error_body, usual_models
from fakes.anthropic_batch import FakeAnthropicBatches as Fake


@pytest.fixture
def server() -> Iterator[Fake]:
    with Fake(*usual_models(), key="sk-right") as fake:
        yield fake


@pytest.fixture
def client(server: Fake) -> Iterator[Anthropic]:
    with Anthropic(api_key="sk-right", base_url=server.url, max_retries=0) as client:
        yield client


def row(name: str, **fields: Any) -> Any:
    messages = [{"role": "user", "content": [{"type": "text", "text": name}]}]
    return {"custom_id": name, "params": {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": messages, **fields}}


def test_a_batch_runs_ends_and_is_collected(client: Anthropic, server: Fake) -> None:
    server.batching.polls = 1
    batch = client.messages.batches.create(requests=[row("a"), row("b")])
    assert (batch.processing_status, batch.request_counts.processing, batch.results_url) == ("in_progress", 2, None)
    assert client.messages.batches.retrieve(batch.id).processing_status == "in_progress"
    ended = client.messages.batches.retrieve(batch.id)
    assert (ended.processing_status, ended.request_counts.succeeded) == ("ended", 2)
    results = list(client.messages.batches.results(batch.id))
    assert [result.custom_id for result in results] == ["b", "a"]
    for result in results:
        assert result.result.type == "succeeded"
        assert result.result.message.content[0].type == "text"
        assert result.result.message.content[0].text == "Hello there"


def test_a_row_fails_alone(client: Anthropic, server: Fake) -> None:
    server.answers(429, error_body("rate_limit_error", "slow down"), times=1)
    batch = client.messages.batches.create(requests=[row("a"), row("b", model="nope"), row("c")])
    client.messages.batches.retrieve(batch.id)
    results = {result.custom_id: result.result for result in client.messages.batches.results(batch.id)}
    assert results["a"].type == results["b"].type == "errored"
    assert results["a"].error.error.type == "rate_limit_error"
    assert results["b"].error.error.type == "not_found_error"
    assert results["c"].type == "succeeded"


def test_what_is_not_done_in_time_expires_and_what_is_cancelled_is_so(client: Anthropic, server: Fake) -> None:
    server.batching.most = 1
    late = client.messages.batches.create(requests=[row("a"), row("b")])
    assert client.messages.batches.retrieve(late.id).request_counts.expired == 1
    assert [result.result.type for result in client.messages.batches.results(late.id)] == ["expired", "succeeded"]
    unwanted = client.messages.batches.create(requests=[row("a"), row("b")])
    assert client.messages.batches.cancel(unwanted.id).processing_status == "canceling"
    assert client.messages.batches.retrieve(unwanted.id).request_counts.canceled == 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "at least 1 item"),
        ([row("a"), row("a")], "not unique"),
        ([row("a b")], "match pattern"),
        ([row("x" * 65)], "match pattern"),
    ],
)
def test_a_batch_that_is_none_is_refused(client: Anthropic, rows: list[Any], said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        client.messages.batches.create(requests=rows)


def test_an_unknown_batch_is_not_found(client: Anthropic) -> None:
    for ask in (client.messages.batches.retrieve, client.messages.batches.cancel, client.messages.batches.results):
        with pytest.raises(NotFoundError):
            ask("msgbatch_x")


def test_batches_are_listed_the_newest_first(client: Anthropic) -> None:
    made = [client.messages.batches.create(requests=[row("a")]).id for _ in range(2)]
    assert [batch.id for batch in client.messages.batches.list()] == made[::-1]
