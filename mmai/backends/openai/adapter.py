"""One endpoint that speaks OpenAI's protocol: OpenAI itself, another company, or a server of one's own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence

from msgspec import json

from mmai.backends.base import RetryAdvice, advise
from mmai.backends.needs import makes, refusal
from mmai.backends.openai import batch
from mmai.backends.openai.client import Sdk
from mmai.backends.openai.media import KINDS, infer_media, media_kind, media_preview, media_refusal
from mmai.backends.openai.text import ask, question
from mmai.backends.server import Server
from mmai.clock import Clock
from mmai.dialects.openai import assumed, failure, parse_models
from mmai.errors import MmaiError, UnknownModel
from mmai.values.batch import BatchAnswer, BatchRow, BatchStatus
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health
from mmai.values.media import usual
from mmai.values.model import ModelCard, ModelRef
from mmai.values.preview import Preview
from mmai.values.request import AudioPart, ImagePart, Request
from mmai.values.url import Address, is_loopback

URL = "https://api.openai.com/v1"
MODELS = "/models"
CREDENTIALS = ("authorization", "api-key")
"""Headers that can carry a key. One of them in the settings stands in place of the key."""
STARTED_BY = {"llamacpp": "llama-server -m MODEL.gguf", "lmstudio": "lms server start", "vllm": "vllm serve MODEL"}
"""Providers on this machine to the command that starts their server."""
SPOKEN = ("embedding", *KINDS)
"""What can be asked for beside text."""
HEARD = ("audio/wav", "audio/mpeg")
"""Recordings that OpenAI's own models take in a chat."""


def open_backend(endpoint: Endpoint) -> "OpenAIBackend":
    """The adapter for one endpoint. Nothing is sent."""
    return OpenAIBackend(endpoint)


class OpenAIBackend:
    """See `Backend` and `Batches`."""

    batch_limit = batch.MOST_ROWS

    def __init__(self, endpoint: Endpoint, *, clock: Clock | None = None) -> None:
        self.provider = endpoint.provider
        self._locality = endpoint.locality
        url = endpoint.url or URL
        has_own = any(name.lower() in CREDENTIALS for name in endpoint.headers)
        self._server = Server(
            endpoint,
            name="OpenAI" if endpoint.provider == "openai" else f"`{endpoint.provider}`",
            url=url,
            credentials={"Authorization": f"Bearer {endpoint.key.reveal()}"} if endpoint.key and not has_own else {},
            failure=_RootFailure(url) if not Address.parse(url).path else failure,
            clock=clock or Clock(),
            unreachable_hint=STARTED_BY.get(endpoint.provider) if is_loopback(url) else None,
        )
        self.batch_discount = batch.DISCOUNTS.get(endpoint.provider, 0.0)
        self.endpoint: str | None = self._server.url
        self._sdk = Sdk(endpoint, self._server)
        self._listing: asyncio.Task[bytes] | None = None

    async def list_models(self) -> list[ModelCard]:
        """What can be asked here, in the server's order; see `parse_models`."""
        listed, where = await self._listed(), self._server.where
        with self._server.discreet():
            return parse_models(listed, provider=self.provider, url=self._server.url, locality=self._locality, where=where)

    def assume(self, name: str) -> ModelCard:
        """See `Backend.assume`. Some names say what the model does."""
        return assumed(name, provider=self.provider, locality=self._locality)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """See `Backend.can_handle`."""
        kind = media_kind(model, request)
        if kind and (why := media_refusal(kind, model, request)):
            return why
        parts = [part for message in request.messages for part in message.parts]
        if makes(model, request, "embedding") and any(isinstance(part, ImagePart | AudioPart) for part in parts):
            return f"`{model.ref}` embeds text, not images or sound"
        strange = [part.media_type for part in parts if isinstance(part, AudioPart) and usual(part.media_type) not in HEARD]
        if strange and self.provider == "openai" and not kind:
            return f"`{model.ref}` takes WAV and MP3, not `{strange[0]}`"
        return refusal(model, request, spoken=SPOKEN)

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """See `Backend.preview`."""
        if kind := media_kind(model, request):
            return media_preview(kind, model, request, url=self._server.url, headers=self._server.masked)
        asked = question(model, request)
        url = self._server.url + asked.path
        return Preview(method="POST", url=url, headers=self._server.masked, body=json.decode(asked.body))

    def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """See `Backend.infer`."""
        if kind := media_kind(model, request):
            return infer_media(kind, self._sdk, model, request)
        return ask(self._server, model, request)

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
        """See `Backend.health_check`. A server that lists its models answers; nothing else is asked."""
        return await self._server.health(self._listed())

    def advise(self, error: MmaiError) -> RetryAdvice:
        """See `Backend.advise`."""
        return advise(error)

    async def aclose(self) -> None:
        """See `Backend.aclose`."""
        if self._listing:
            self._listing.cancel()
            await asyncio.wait((self._listing,))
        await self._sdk.aclose()
        await self._server.aclose()

    def _listed(self) -> Awaitable[bytes]:
        """The list as it comes. Whoever asks while it is under way waits for the same one: discovery asks twice at once."""
        if self._listing is None or self._listing.done():
            self._listing = asyncio.get_running_loop().create_task(self._server.ask("GET", MODELS))
        return asyncio.shield(self._listing)


class _RootFailure:
    """Failures of a server whose address has no path: most answer below `/v1`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(
        self, status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float
    ) -> MmaiError:
        """See `ReadFailure`."""
        error = failure(status, body, where=where, ref=ref, headers=headers, now=now)
        if status in (404, 405) and not isinstance(error, UnknownModel):
            error.hint = f"such servers usually answer at `{self._url.rstrip('/')}/v1`, which the address has to say"
        return error
