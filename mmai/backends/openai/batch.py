"""Batches: a file of requests, answered within a day for half the price, by OpenAI's own SDK.

Source: OpenAI API, "Batch" and "Files"; fields as in the SDK 3.54.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Any

from msgspec import Raw, Struct, json

from mmai.backends.batched import absent, answered, cancelled, expired, read_rows
from mmai.backends.openai.client import Sdk
from mmai.backends.openai.media import media_kind
from mmai.backends.openai.text import question
from mmai.backends.server import Server
from mmai.dialects.openai import chat_events, decode, embed_events, responses_events
from mmai.errors import InvalidRequest, MmaiError, ProtocolError, ProviderError
from mmai.values.batch import BatchAnswer, BatchFault, BatchRow, BatchState, BatchStatus
from mmai.values.event import Event
from mmai.values.model import ModelCard, ModelRef

MOST_ROWS = 50_000
MOST_BYTES = 200_000_000
DISCOUNTS = {"openai": 0.5, "groq": 0.5}
"""What is saved, where the provider says so."""

STATES: dict[str, BatchState] = {"completed": "ended", "failed": "failed", "expired": "expired", "cancelled": "cancelled"}
"""Any other word is a batch under way."""

READERS: dict[str, Callable[..., Iterable[Event]]] = {
    "chat.completion": chat_events,
    "response": responses_events,
    "list": embed_events,
}
"""What an answer calls itself, to who understands it."""


class _Fault(Struct):
    message: str | None = None
    line: int | None = None


class _Faults(Struct):
    data: list[_Fault] | None = None


class _Counts(Struct):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Made(Struct):
    id: str


class _Batch(Struct):
    id: str
    status: str
    errors: _Faults | None = None
    request_counts: _Counts | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None


class _Response(Struct):
    status_code: int
    body: Raw


class _Error(Struct):
    code: str | None = None
    message: str | None = None


class _Row(Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


class _Kind(Struct):
    object: str = ""
    model: str | None = None


async def submit(sdk: Sdk, model: ModelCard, rows: Sequence[BatchRow]) -> str:
    """See `Batches.submit_batch`. All rows go to one path, which is that of the first."""
    if media_kind(model, rows[0].request):
        raise InvalidRequest(f"`{model.ref}` makes or hears media, and a batch is for text")
    asked = [(row.id, question(model, row.request)) for row in rows]
    endpoint: Any = f"/v1{asked[0][1].path}"
    lines = b"".join(_line(name, endpoint, each.body) for name, each in asked)
    if len(lines) > MOST_BYTES:
        raise InvalidRequest(f"the batch is {len(lines)} bytes, and {sdk.where} takes {MOST_BYTES} at once")
    with absent(f"{sdk.where} takes no batches"):
        async with sdk.calling(model.ref) as client:
            uploaded = await client.files.with_raw_response.create(
                file=("prompts.jsonl", lines, "application/jsonl"), purpose="batch"
            )
            file = decode(uploaded.content, _Made, where=sdk.where, what="the id of a file")
            created = await client.batches.with_raw_response.create(
                input_file_id=file.id, endpoint=endpoint, completion_window="24h"
            )
    return decode(created.content, _Made, where=sdk.where, what="the id of a batch").id


async def status(sdk: Sdk, batch_id: str) -> BatchStatus:
    """See `Batches.batch_status`."""
    batch = await _retrieve(sdk, batch_id)
    counts = batch.request_counts or _Counts()
    faults = (batch.errors.data if batch.errors else None) or ()
    return BatchStatus(
        id=batch.id,
        state=STATES.get(batch.status, "running"),
        total=counts.total or None,
        succeeded=counts.completed,
        failed=counts.failed,
        faults=tuple(
            BatchFault(fault.message or "no reason given", row=None if fault.line is None else fault.line - 1)
            for fault in faults
        ),
    )


async def answers(sdk: Sdk, batch_id: str, *, server: Server, provider: str) -> AsyncGenerator[BatchAnswer, None]:
    """See `Batches.batch_answers`. Rows that failed are in a file of their own."""
    batch = await _retrieve(sdk, batch_id)
    for file in (batch.output_file_id, batch.error_file_id):
        if file is None:
            continue
        async with sdk.calling() as client:
            content = (await client.files.with_raw_response.content(file)).content
        for row in read_rows(content, _Row):
            yield _answer(row, server, provider)


async def cancel(sdk: Sdk, batch_id: str) -> None:
    """See `Batches.cancel_batch`."""
    async with sdk.calling() as client:
        await client.batches.with_raw_response.cancel(batch_id)


async def _retrieve(sdk: Sdk, batch_id: str) -> _Batch:
    with absent(f"{sdk.where} knows no batch `{batch_id}`"):
        async with sdk.calling() as client:
            answer = await client.batches.with_raw_response.retrieve(batch_id)
    return decode(answer.content, _Batch, where=sdk.where, what="a batch")


def _line(name: str, endpoint: str, body: bytes) -> bytes:
    asked = json.decode(body, type=dict[str, Any])
    for key in ("stream", "stream_options"):
        asked.pop(key, None)
    return json.encode({"custom_id": name, "method": "POST", "url": endpoint, "body": asked}) + b"\n"


def _answer(row: _Row, server: Server, provider: str) -> BatchAnswer:
    name, response = row.custom_id, row.response
    if response is None:
        return BatchAnswer(id=name, error=_failed(row.error or _Error()))
    try:
        with server.discreet():
            return _read(name, response, server, provider)
    except MmaiError as error:
        return BatchAnswer(id=name, error=error)


def _read(name: str, response: _Response, server: Server, provider: str) -> BatchAnswer:
    body = bytes(response.body)
    if response.status_code != 200:
        raise server.refusal(response.status_code, body, ref=None, headers={})
    kind = decode(body, _Kind, where=server.where, what="an answer")
    if (read := READERS.get(kind.object)) is None:
        raise ProtocolError(f"{server.where} sent an answer of the kind `{kind.object}`")
    return answered(name, read(body, ModelRef(provider, kind.model or ""), where=server.where), model=kind.model)


def _failed(error: _Error) -> MmaiError:
    match error.code:
        case "batch_expired":
            return expired()
        case "batch_cancelled":
            return cancelled()
        case _:
            return ProviderError(error.message or error.code or "no reason is given")
