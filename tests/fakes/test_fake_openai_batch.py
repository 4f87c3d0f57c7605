"""The fake batches are honest: OpenAI's own SDK is satisfied with them, and sees the failures the real ones have."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.openai import usual_models
from fakes.openai_batch import EXPIRED
from fakes.openai_batch import FakeOpenAIBatches as Fake
from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI
from openai.types import Batch


@pytest.fixture
def server() -> Iterator[Fake]:
    with Fake(*usual_models(), key="sk-right") as fake:
        yield fake


@pytest.fixture
def client(server: Fake) -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-right", base_url=server.base_url, max_retries=0) as client:
        yield client


def row(name: str, **fields: Any) -> dict[str, Any]:
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": name}], **fields}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


def submitted(client: OpenAI, *rows: dict[str, Any]) -> Batch:
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    file = client.files.create(file=("rows.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")


def results(client: OpenAI, name: str | None) -> dict[str, Any]:
    assert name is not None
    rows = [json.loads(line) for line in client.files.content(name).content.splitlines()]
    return {row["custom_id"]: row for row in rows}


def test_a_batch_runs_ends_and_is_collected(client: OpenAI, server: Fake) -> None:
    server.batching.polls = 1
    batch = submitted(client, row("a"), row("b"))
    assert (batch.status, batch.endpoint, batch.output_file_id) == ("validating", "/v1/chat/completions", None)
    running = client.batches.retrieve(batch.id)
    assert running.request_counts is not None
    assert (running.status, running.request_counts.total, running.request_counts.completed) == ("in_progress", 2, 1)
    ended = client.batches.retrieve(batch.id)
    assert ended.request_counts is not None
    assert (ended.status, ended.request_counts.completed, ended.error_file_id) == ("completed", 2, None)
    found = results(client, ended.output_file_id)
    assert list(found) == ["b", "a"]
    answer = found["a"]["response"]
    assert (answer["status_code"], answer["body"]["choices"][0]["message"]["content"]) == (200, "Hello there")


def test_rows_that_fail_are_in_a_file_of_their_own(client: OpenAI, server: Fake) -> None:
    server.answers(429, {"error": {"message": "slow down"}}, times=1)
    batch = client.batches.retrieve(submitted(client, row("a"), row("b")).id)
    assert list(results(client, batch.output_file_id)) == ["b"]
    assert results(client, batch.error_file_id)["a"]["response"]["status_code"] == 429


def test_what_is_not_done_in_time_expires(client: OpenAI, server: Fake) -> None:
    server.batching.ends_as, server.batching.most = "expired", 1
    batch = client.batches.retrieve(submitted(client, row("a"), row("b")).id)
    assert batch.status == "expired"
    late = results(client, batch.error_file_id)["b"]
    assert (late["response"], late["error"]) == (None, {"code": "batch_expired", "message": EXPIRED})


def test_a_batch_can_be_cancelled(client: OpenAI) -> None:
    batch = submitted(client, row("a"))
    assert client.batches.cancel(batch.id).status == "cancelling"
    assert client.batches.retrieve(batch.id).status == "cancelled"


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        ([row("a"), row("a")], "duplicate_custom_id", 2),
        ([{**row("a"), "url": "/v1/embeddings"}], "mismatched_url", 1),
        ([row("a"), row("b", model="gpt-5.6-luna")], "mismatched_model", 2),
        ([row("a", stream=True)], "invalid_request", 1),
    ],
)
def test_a_file_that_is_none_fails_the_batch_with_its_line(client: OpenAI, rows: list[Any], code: str, line: int) -> None:
    batch = client.batches.retrieve(submitted(client, *rows).id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(error.code, error.line) for error in batch.errors.data] == [(code, line)]


def test_what_is_no_batch_is_refused(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="Invalid file ID"):
        client.batches.create(input_file_id="file-x", endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(BadRequestError, match=r"Must be \.jsonl"):
        client.files.create(file=("rows.txt", b"{}"), purpose="batch")


def test_files_are_kept_told_of_and_deleted(client: OpenAI) -> None:
    file = client.files.create(file=("rows.jsonl", b"{}\n"), purpose="batch")
    assert (client.files.retrieve(file.id).bytes, client.files.content(file.id).content) == (3, b"{}\n")
    assert client.files.delete(file.id).deleted
    with pytest.raises(NotFoundError):
        client.files.content(file.id)


def test_strangers_and_unknown_batches_are_turned_away(client: OpenAI, server: Fake) -> None:
    with pytest.raises(NotFoundError):
        client.batches.retrieve("batch_x")
    with OpenAI(api_key="sk-wrong", base_url=server.base_url, max_retries=0) as stranger, pytest.raises(AuthenticationError):
        stranger.batches.list()


def test_batches_are_listed_the_newest_first(client: OpenAI) -> None:
    made = [submitted(client, row("a")).id for _ in range(2)]
    assert [batch.id for batch in client.batches.list()] == made[::-1]
