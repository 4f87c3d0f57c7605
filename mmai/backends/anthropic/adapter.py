"""One endpoint of Anthropic's Messages API."""

from collections.abc import AsyncGenerator, Sequence

from msgspec import json

from mmai.backends.anthropic import batch
from mmai.backends.anthropic.client import Sdk
from mmai.backends.anthropic.count import count_tokens
from mmai.backends.base import RetryAdvice, advise
from mmai.backends.needs import MADE, refusal
from mmai.backends.pieces import next_piece
from mmai.backends.server import Server
from mmai.clock import Clock
from mmai.dialects.anthropic import (
    VERSION,
    MessageStream,
    count_fields,
    dropped_events,
    failure,
    message_events,
    messages_body,
    parse_models,
)
from mmai.errors import MmaiError
from mmai.values.batch import BatchAnswer, BatchRow, BatchStatus
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health
from mmai.values.model import ModelCard
from mmai.values.preview import Preview
from mmai.values.request import AudioPart, Request
from mmai.values.url import quoted

URL = "https://api.anthropic.com"
MESSAGES, MODELS = "/v1/messages", "/v1/models"
PAGE = 1_000
"""Models asked for at once, the most the API gives."""
CREDENTIALS = ("authorization", "x-api-key")
"""Headers that can carry a key. One of them in the settings stands in place of the key."""


def open_backend(endpoint: Endpoint) -> "AnthropicBackend":
    """The adapter for one endpoint. Nothing is sent."""
    return AnthropicBackend(endpoint)


class AnthropicBackend:
    """See `Backend`, `Counter` and `Batches`."""

    batch_discount = batch.DISCOUNT
    batch_limit = batch.MOST_ROWS

    def __init__(self, endpoint: Endpoint, *, clock: Clock | None = None) -> None:
        self.provider = endpoint.provider
        given = {name.lower() for name in endpoint.headers}
        key = endpoint.key if given.isdisjoint(CREDENTIALS) else None
        credentials = {"x-api-key": key.reveal()} if key else {}
        version = {} if "anthropic-version" in given else {"anthropic-version": VERSION}
        self._server = Server(
            endpoint,
            name="Anthropic" if endpoint.provider == "anthropic" else f"`{endpoint.provider}`",
            url=endpoint.url or URL,
            credentials=credentials,
            failure=failure,
            clock=clock or Clock(),
            headers=version,
        )
        self._sdk = Sdk(endpoint, self._server)
        self.endpoint: str | None = self._server.url
        self._locality = endpoint.locality

    async def list_models(self) -> list[ModelCard]:
        """What the account may use, in the API's order, the newest first."""
        cards: list[ModelCard] = []
        after: str | None = None
        while True:
            query = f"?limit={PAGE}" + (f"&after_id={quoted(after)}" if after else "")
            with self._server.discreet():
                page, following = parse_models(
                    await self._server.ask("GET", MODELS + query),
                    provider=self.provider,
                    url=self._server.url,
                    locality=self._locality,
                    where=self._server.where,
                )
            cards += page
            if following is None or following == after:
                return cards
            after = following

    def assume(self, name: str) -> ModelCard:
        """See `Backend.assume`. The server alone knows what such a model can do."""
        return ModelCard(provider=self.provider, name=name, locality=self._locality, capabilities_guessed=True)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """See `Backend.can_handle`. No model behind this API hears, or makes anything but text."""
        parts = [part for message in request.messages for part in message.parts]
        if any(isinstance(part, AudioPart) for part in parts):
            return f"`{model.ref}` takes text and images, not sound"
        if request.task in MADE:
            return f"`{model.ref}` lacks `{MADE[request.task]}`"
        return refusal(model, request, spoken=())

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """See `Backend.preview`."""
        body = messages_body(model.name, request, max_tokens=model.max_output_tokens)
        return Preview(method="POST", url=self._server.url + MESSAGES, headers=self._server.masked, body=json.decode(body))

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """See `Backend.infer`. Some servers in between answer whole, though a stream was asked for."""
        ref, where, limit = model.ref, self._server.where, model.max_output_tokens
        body = messages_body(model.name, request, max_tokens=limit)
        async with self._server.open("POST", MESSAGES, body, ref=ref) as reply:
            for dropped in dropped_events(model.name, request, max_tokens=limit):
                yield dropped
            if reply.is_json:
                for event in message_events(await reply.read(), ref, where=where):
                    yield event
                return
            stream = MessageStream(ref, where=where)
            chunks = reply.chunks()
            while not stream.finished and (chunk := await next_piece(chunks, stream)):
                for event in stream.feed(chunk):
                    yield event
            for event in stream.close():
                yield event

    async def count_tokens(self, model: ModelCard, request: Request) -> int:
        """See `Counter.count_tokens`."""
        fields = count_fields(model.name, request, max_tokens=model.max_output_tokens)
        return await count_tokens(self._sdk, model.ref, fields)

    async def submit_batch(self, model: ModelCard, rows: Sequence[BatchRow]) -> str:
        """See `Batches.submit_batch`."""
        return await batch.submit(self._sdk, model, rows)

    async def batch_status(self, batch_id: str) -> BatchStatus:
        """See `Batches.batch_status`."""
        return await batch.status(self._sdk, batch_id)

    def batch_answers(self, batch_id: str) -> AsyncGenerator[BatchAnswer, None]:
        """See `Batches.batch_answers`."""
        return batch.answers(self._sdk, batch_id, server=self._server, provider=self.provider)

    async def cancel_batch(self, batch_id: str) -> None:
        """See `Batches.cancel_batch`."""
        await batch.cancel(self._sdk, batch_id)

    async def health_check(self) -> Health:
        """See `Backend.health_check`."""
        return await self._server.health(self._server.ask("GET", f"{MODELS}?limit=1"))

    def advise(self, error: MmaiError) -> RetryAdvice:
        """See `Backend.advise`."""
        return advise(error)

    async def aclose(self) -> None:
        """See `Backend.aclose`."""
        await self._sdk.aclose()
        await self._server.aclose()
