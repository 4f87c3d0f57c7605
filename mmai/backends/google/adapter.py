"""One Gemini API: Google's own, or a server that speaks as it does."""

from collections.abc import AsyncGenerator

from msgspec import json

from mmai.backends.base import RetryAdvice, advise
from mmai.backends.needs import makes, refusal
from mmai.backends.pieces import next_piece
from mmai.backends.server import Server
from mmai.clock import Clock
from mmai.dialects.gemini import (
    GenerateStream,
    assumed,
    dropped,
    embed_body,
    embed_events,
    failure,
    full_name,
    generate_body,
    generate_events,
    parse_models,
)
from mmai.errors import MmaiError, ProtocolError
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health
from mmai.values.model import ModelCard
from mmai.values.preview import Preview
from mmai.values.request import Request
from mmai.values.url import quoted

URL = "https://generativelanguage.googleapis.com"
ROOT = "/v1beta/"
GENERATE, STREAM, EMBED = "generateContent", "streamGenerateContent?alt=sse", "embedContent"
MODALITIES = {"image_generation": ("TEXT", "IMAGE"), "speech_synthesis": ("AUDIO",)}
"""What is made to what is asked back for it: a model that draws may refuse to draw alone."""
SPOKEN = ("embedding", "speech_transcription", *MODALITIES)
"""What can be asked for beside text."""
PAGE_MODELS, MAX_PAGES = 1_000, 20


def open_backend(endpoint: Endpoint) -> "GoogleBackend":
    """The adapter for one endpoint. Nothing is sent."""
    return GoogleBackend(endpoint)


class GoogleBackend:
    """See `Backend`."""

    def __init__(self, endpoint: Endpoint, *, clock: Clock | None = None) -> None:
        self.provider = endpoint.provider
        self._locality = endpoint.locality
        self._server = Server(
            endpoint,
            name="Gemini API",
            url=endpoint.url or URL,
            # A header and never the URL, which logs and proxies keep.
            credentials={"x-goog-api-key": endpoint.key.reveal()} if endpoint.key else {},
            failure=failure,
            clock=clock or Clock(),
        )
        self.endpoint: str | None = self._server.url

    async def list_models(self) -> list[ModelCard]:
        """What generates or embeds, in the server's order; see `parse_models`."""
        cards: list[ModelCard] = []
        query = f"?pageSize={PAGE_MODELS}"
        for _ in range(MAX_PAGES):
            with self._server.discreet():
                page, token = parse_models(
                    await self._server.ask("GET", f"{ROOT}models{query}"),
                    provider=self.provider,
                    url=self._server.url,
                    locality=self._locality,
                    where=self._server.where,
                )
            cards += page
            if token is None:
                return cards
            query = f"?pageSize={PAGE_MODELS}&pageToken=" + quoted(token, also="/")
        raise ProtocolError(f"{self._server.where} lists models without an end")

    def assume(self, name: str) -> ModelCard:
        """See `Backend.assume`. Names go by what Google calls its kinds of models."""
        return assumed(name, provider=self.provider, locality=self._locality)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """See `Backend.can_handle`."""
        return refusal(model, request, spoken=SPOKEN)

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """See `Backend.preview`."""
        path, body = _question(model, request)
        return Preview(method="POST", url=self._server.url + path, headers=self._server.masked, body=json.decode(body))

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """See `Backend.infer`. Speech and vectors come whole, everything else as it is made."""
        path, body = _question(model, request)
        embeds = path.endswith(EMBED)
        async with self._server.open("POST", path, body, ref=model.ref) as reply:
            for note in dropped(model.name, request, embeds=embeds):
                yield note
            where = self._server.where
            if embeds:
                for event in embed_events(await reply.read(), model.ref, where=where):
                    yield event
                return
            if reply.is_json:
                for event in generate_events(await reply.read(), model.ref, where=where):
                    yield event
                return
            stream = GenerateStream(model.ref, where=where)
            chunks = reply.chunks()
            while chunk := await next_piece(chunks, stream):
                for event in stream.feed(chunk):
                    yield event
            for event in stream.close():
                yield event

    async def health_check(self) -> Health:
        """See `Backend.health_check`."""
        return await self._server.health(self._server.ask("GET", f"{ROOT}models?pageSize=1"))

    def advise(self, error: MmaiError) -> RetryAdvice:
        """See `Backend.advise`."""
        return advise(error)

    async def aclose(self) -> None:
        """See `Backend.aclose`."""
        await self._server.aclose()


def _question(model: ModelCard, request: Request) -> tuple[str, bytes]:
    """Path and body of what asks the model."""
    base = ROOT + quoted(full_name(model.name), also="/") + ":"
    if makes(model, request, "embedding"):
        return base + EMBED, embed_body(model.name, request)
    made = next((kind for kind in MODALITIES if makes(model, request, kind)), None)
    body = generate_body(model.name, request, modalities=MODALITIES[made] if made else ())
    # Speech is not streamed; source: Gemini API, "Speech generation", limits.
    return base + (GENERATE if made == "speech_synthesis" else STREAM), body
