"""Message batches: many requests, answered within a day for half the price, by Anthropic's own SDK.

Source: platform.claude.com/docs, "Message Batches"; fields as in the SDK 2.12.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from msgspec import Raw, Struct, json

from mmai.backends.anthropic.client import Sdk
from mmai.backends.batched import absent, answered, cancelled, expired, read_rows
from mmai.backends.server import Server
from mmai.dialects.anthropic import STATUSES, decode, message_events, messages_body
from mmai.errors import InvalidRequest, MmaiError, ProtocolError
from mmai.values.batch import BatchAnswer, BatchRow, BatchStatus
from mmai.values.model import ModelCard, ModelRef
from mmai.values.url import quoted

MOST_ROWS = 100_000
MOST_BYTES = 256_000_000
DISCOUNT = 0.5


class _Made(Struct):
    id: str


class _Counts(Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class _Batch(Struct):
    id: str
    processing_status: str
    request_counts: _Counts
    results_url: str | None = None


class _Problem(Struct):
    type: str = ""


class _Error(Struct):
    error: _Problem


class _Message(Struct):
    model: str | None = None


class _Result(Struct):
    type: str
    message: Raw = Raw(b"")
    error: Raw = Raw(b"")


class _Row(Struct):
    custom_id: str
    result: _Result


async def submit(sdk: Sdk, model: ModelCard, rows: Sequence[BatchRow]) -> str:
    """See `Batches.submit_batch`."""
    requests = [{"custom_id": row.id, "params": _params(model, row)} for row in rows]
    if (size_bytes := len(json.encode(requests))) > MOST_BYTES:
        raise InvalidRequest(f"the batch is {size_bytes} bytes, and {sdk.where} takes {MOST_BYTES} at once")
    with absent(f"{sdk.where} takes no batches"):
        async with sdk.calling(model.ref) as client:
            # The SDK types every known field of a row; here they are what the dialect says.
            created = await client.messages.batches.with_raw_response.create(requests=[], extra_body={"requests": requests})
    return decode(created.http_response.content, _Made, where=sdk.where, what="the id of a batch").id


async def status(sdk: Sdk, batch_id: str) -> BatchStatus:
    """See `Batches.batch_status`. The counts stay at 0 until the batch has ended."""
    batch = await _retrieve(sdk, batch_id)
    counts = batch.request_counts
    failed = counts.errored + counts.canceled + counts.expired
    return BatchStatus(
        id=batch.id,
        state="ended" if batch.processing_status == "ended" else "running",
        total=counts.processing + counts.succeeded + failed,
        succeeded=counts.succeeded,
        failed=failed,
    )


async def answers(sdk: Sdk, batch_id: str, *, server: Server, provider: str) -> AsyncGenerator[BatchAnswer, None]:
    """See `Batches.batch_answers`.

    The path is the documented one, not the address the batch itself names: a server in between may repeat Anthropic's own,
    where its key does not belong.
    """
    with absent(f"{sdk.where} has no results of batch `{batch_id}`"):
        async with sdk.calling() as client:
            content = await client.get(f"/v1/messages/batches/{quoted(batch_id)}/results", cast_to=bytes)
    for row in read_rows(content, _Row):
        yield _answer(row, server, provider)


async def cancel(sdk: Sdk, batch_id: str) -> None:
    """See `Batches.cancel_batch`."""
    async with sdk.calling() as client:
        await client.messages.batches.with_raw_response.cancel(batch_id)


async def _retrieve(sdk: Sdk, batch_id: str) -> _Batch:
    with absent(f"{sdk.where} knows no batch `{batch_id}`"):
        async with sdk.calling() as client:
            answer = await client.messages.batches.with_raw_response.retrieve(batch_id)
    return decode(answer.http_response.content, _Batch, where=sdk.where, what="a batch")


def _params(model: ModelCard, row: BatchRow) -> dict[str, Any]:
    body = messages_body(model.name, row.request, max_tokens=model.max_output_tokens, stream=False)
    return json.decode(body, type=dict[str, Any])


def _answer(row: _Row, server: Server, provider: str) -> BatchAnswer:
    try:
        with server.discreet():
            return _read(row, server, provider)
    except MmaiError as error:
        return BatchAnswer(id=row.custom_id, error=error)


def _read(row: _Row, server: Server, provider: str) -> BatchAnswer:
    result, where = row.result, server.where
    match result.type:
        case "succeeded":
            body = bytes(result.message)
            model = decode(body, _Message, where=where, what="an answer").model
            return answered(row.custom_id, message_events(body, ModelRef(provider, model or ""), where=where), model=model)
        case "errored":
            said = bytes(result.error)
            kind = decode(said, _Error, where=where, what="an error").error.type
            raise server.refusal(STATUSES.get(kind, 500), said, ref=None, headers={})
        case "expired":
            raise expired()
        case "canceled":
            raise cancelled()
        case _:
            raise ProtocolError(f"{where} sent a row of the kind `{result.type}`")
