"""One Ollama server, over its native API."""

import asyncio
from collections.abc import AsyncGenerator

from msgspec import json
from msgspec.structs import replace

from mmai.backends.base import RetryAdvice, advise
from mmai.backends.needs import makes, refusal
from mmai.backends.server import Server
from mmai.clock import Clock
from mmai.dialects.ollama import (
    ChatStream,
    Listed,
    PullStream,
    Shown,
    as_card,
    chat_body,
    check_done,
    embed_body,
    embed_events,
    failure,
    full_name,
    load_body,
    name_body,
    needs_show,
    parse_ps,
    parse_show,
    parse_tags,
    parse_version,
)
from mmai.errors import CallError, MmaiError, TimedOut, UnknownModel
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health, Loaded
from mmai.values.model import ModelCard, ModelRef
from mmai.values.preview import Preview
from mmai.values.pull import PullProgress
from mmai.values.request import Request
from mmai.values.url import is_loopback, ollama_endpoint

KEEP_ALIVE = "5m"
"""How long the server keeps a model after a call, where nobody says otherwise; said with each call, whatever the server's own is."""

SHOWS_AT_ONCE = 8
CHAT, EMBED = "/api/chat", "/api/embed"


def open_backend(endpoint: Endpoint) -> "OllamaBackend":
    """The adapter for one endpoint. Nothing is sent."""
    return OllamaBackend(endpoint)


class OllamaBackend:
    """See `Backend`, `Resident` and `Library`."""

    def __init__(self, endpoint: Endpoint, *, clock: Clock | None = None) -> None:
        self.provider = endpoint.provider
        self._clock = clock or Clock()
        url = endpoint.url or ollama_endpoint("")
        self._server = Server(
            endpoint,
            name="Ollama",
            url=url,
            credentials={"Authorization": f"Bearer {endpoint.key.reveal()}"} if endpoint.key else {},
            failure=failure,
            clock=self._clock,
            unreachable_hint="ollama serve" if is_loopback(url) else None,
        )
        self.endpoint: str | None = self._server.url
        self._timeouts = endpoint.timeouts
        self._keep_alive: float | str = endpoint.options.get("keep_alive", KEEP_ALIVE)

    async def list_models(self) -> list[ModelCard]:
        """What the server has, in its order. A model that cannot be shown is listed with what the list itself says."""
        with self._server.discreet():
            listed = parse_tags(await self._server.ask("GET", "/api/tags"), where=self._server.where)
        gate = asyncio.Semaphore(SHOWS_AT_ONCE)
        shows = asyncio.gather(*(self._show(entry, gate) for entry in listed))
        in_memory, shown = await asyncio.gather(self._names_in_memory(), shows)
        return [self._card(entry, facts, in_memory) for entry, facts in zip(listed, shown, strict=True)]

    def assume(self, name: str) -> ModelCard:
        """See `Backend.assume`. The server alone knows what such a model can do."""
        card = as_card(Listed(name=name), None, provider=self.provider, url=self._server.url, loaded=None)
        return replace(card, endpoints=(), capabilities_guessed=True)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """See `Backend.can_handle`."""
        return refusal(model, request, spoken=("embedding",))

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """See `Backend.preview`."""
        path, body = _question(model, self._kept(request))
        return Preview(method="POST", url=self._server.url + path, headers=self._server.masked, body=json.decode(body))

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """See `Backend.infer`. A model that only embeds gives a vector, whatever the task."""
        ref = model.ref
        path, body = _question(model, self._kept(request))
        stream = ChatStream(ref, where=self._server.where)
        async with self._server.open("POST", path, body, ref=ref) as reply:
            if path == EMBED:
                for event in embed_events(await reply.read(), ref, where=self._server.where):
                    yield event
                return
            async for chunk in reply.chunks():
                for event in stream.feed(chunk):
                    yield event
                if stream.finished:
                    return
            for event in stream.close():
                yield event

    async def health_check(self) -> Health:
        """See `Backend.health_check`."""
        return await self._server.health(
            self._server.ask("GET", "/api/version"), version=lambda body: parse_version(body, where=self._server.where)
        )

    def advise(self, error: MmaiError) -> RetryAdvice:
        """See `Backend.advise`."""
        return advise(error)

    async def aclose(self) -> None:
        """See `Backend.aclose`."""
        await self._server.aclose()

    async def ensure_ready(self, model: ModelCard, *, timeout_s: float, keep_alive: float | str | None = None) -> Loaded:
        """See `Resident.ensure_ready`. The server itself makes a second load wait for the first."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._load(model, timeout_s, keep_alive)
        except TimeoutError as exc:
            raise TimedOut(f"`{model.ref}` was not in memory within {timeout_s:g} s", phase="first_token") from exc

    async def loaded(self) -> list[Loaded]:
        """See `Resident.loaded`."""
        with self._server.discreet():
            return parse_ps(await self._server.ask("GET", "/api/ps"), where=self._server.where)

    async def unload(self, model: ModelCard) -> None:
        """See `Resident.unload`. A request under way keeps its weights until it ends."""
        if model.locality == "cloud":
            return
        try:
            await self._server.ask("POST", "/api/generate", load_body(model.name, keep_alive=0), ref=model.ref)
        except UnknownModel:
            return

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """See `Library.pull`."""
        ref = ModelRef(self.provider, name)
        stream = PullStream(ref, where=self._server.where)
        # Verifying a large file is silent for minutes.
        patient = replace(self._timeouts, stall_s=max(self._timeouts.stall_s, self._timeouts.first_token_s))
        async with self._server.open("POST", "/api/pull", name_body(name), ref=ref, timeouts=patient) as reply:
            async for chunk in reply.chunks():
                for progress in stream.feed(chunk):
                    yield progress
        for progress in stream.close():
            yield progress

    async def remove(self, name: str) -> None:
        """See `Library.remove`."""
        await self._server.ask("DELETE", "/api/delete", name_body(name), ref=ModelRef(self.provider, name))

    async def _load(self, model: ModelCard, timeout_s: float, keep_alive: float | str | None) -> Loaded:
        if model.locality == "cloud":
            return Loaded(name=model.name)
        present = await self._find_loaded(model.name)
        if present and keep_alive is None:
            return present
        kept = self._keep_alive if keep_alive is None else keep_alive
        started = self._clock.monotonic()
        embeds = _only_embeds(model)
        path, body = "/api/embed" if embeds else "/api/generate", load_body(model.name, embeds=embeds, keep_alive=kept)
        patient = replace(self._timeouts, first_token_s=timeout_s)
        async with self._server.open("POST", path, body, ref=model.ref, timeouts=patient) as reply:
            check_done(await reply.read(), model.ref, where=self._server.where)
        load_ms = None if present else (self._clock.monotonic() - started) * 1000
        return replace(await self._find_loaded(model.name) or Loaded(name=model.name), load_ms=load_ms)

    async def _find_loaded(self, name: str) -> Loaded | None:
        return next((held for held in await self.loaded() if full_name(held.name) == full_name(name)), None)

    async def _names_in_memory(self) -> set[str] | None:
        try:
            return {full_name(held.name) for held in await self.loaded()}
        except CallError:
            return None

    async def _show(self, listed: Listed, gate: asyncio.Semaphore) -> Shown | None:
        if not needs_show(listed):
            return None
        async with gate:
            try:
                return parse_show(await self._server.ask("POST", "/api/show", name_body(listed.name)), where=self._server.where)
            except MmaiError:
                return None

    def _card(self, listed: Listed, shown: Shown | None, in_memory: set[str] | None) -> ModelCard:
        loaded = None if in_memory is None else full_name(listed.name) in in_memory
        return as_card(listed, shown, provider=self.provider, url=self._server.url, loaded=loaded)

    def _kept(self, request: Request) -> Request:
        """The request with how long a model is kept, where it says nothing of that itself."""
        if request.options.keep_alive is not None:
            return request
        return replace(request, options=replace(request.options, keep_alive=self._keep_alive))


def _question(model: ModelCard, request: Request) -> tuple[str, bytes]:
    """Path and body of what asks the model."""
    if makes(model, request, "embedding"):
        return EMBED, embed_body(model.name, request)
    return CHAT, chat_body(model.name, request)


def _only_embeds(model: ModelCard) -> bool:
    return "embedding" in model.capabilities and "text_generation" not in model.capabilities
