"""One service with an HTTP API of its own, asked and read as the settings say."""

from collections.abc import AsyncGenerator
from functools import partial

from msgspec.structs import replace

from mmai.backends.base import RetryAdvice, advise
from mmai.backends.custom.asking import JSON, Call, call, dropped, misfit
from mmai.backends.custom.failures import failure
from mmai.backends.custom.paths import Paths
from mmai.backends.custom.reading import NotJson, Reading
from mmai.backends.custom.stream import ServiceStream
from mmai.backends.needs import refusal
from mmai.backends.pieces import next_piece
from mmai.backends.server import Server
from mmai.backends.wire import Reply
from mmai.clock import Clock
from mmai.errors import ConfigError, MmaiError, UnknownModel
from mmai.values.endpoint import Endpoint
from mmai.values.event import Event
from mmai.values.health import Health
from mmai.values.model import FREE, ModelCard
from mmai.values.preview import Preview
from mmai.values.request import Options, Request
from mmai.values.service import Service, described


def open_backend(endpoint: Endpoint) -> "CustomBackend":
    """The adapter for one endpoint. Nothing is sent.

    Raises:
        ConfigError: the settings do not describe the service.
    """
    service = endpoint.options.get("service")
    if not isinstance(service, Service) or endpoint.url is None:
        raise ConfigError(
            f"the settings of `{endpoint.provider}` do not say where it is and how it is asked", hint="mmai config edit"
        )
    return CustomBackend(endpoint, service, url=endpoint.url)


class CustomBackend:
    """See `Backend`."""

    def __init__(self, endpoint: Endpoint, service: Service, *, url: str, clock: Clock | None = None) -> None:
        self.provider = endpoint.provider
        self._clock = clock or Clock()
        self._service = service
        self._models = endpoint.models
        self._locality = endpoint.locality
        self._server = Server(
            endpoint,
            name=endpoint.provider,
            url=url,
            credentials=_credentials(endpoint, service),
            failure=partial(failure, error=service.response.error),
            clock=self._clock,
        )
        self.endpoint: str | None = self._server.url

    async def list_models(self) -> list[ModelCard]:
        """What the settings list: a service of its own has no way to be asked that others know."""
        return [replace(card, source="discovered") for card in self._models]

    def assume(self, name: str) -> ModelCard:
        """See `Backend.assume`. Where the request does not name a model, those of the settings are all there are."""
        if self._models and "model" not in self._service.request.places():
            listed = ", ".join(f"`{card.name}`" for card in self._models)
            raise UnknownModel(
                f"`{self.provider}` has no model `{name}`: there is {listed}", hint=f"mmai models --provider {self.provider}"
            )
        card = ModelCard(
            provider=self.provider,
            name=name,
            locality=self._locality,
            price=FREE if self._locality == "local" else None,
            capabilities_guessed=True,
        )
        return described(card, self._service)

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """See `Backend.can_handle`. Tuning is never a reason: what has no place is dropped."""
        if unfit := misfit(self._service.request, request):
            return f"`{model.ref}`: {unfit}"
        # The registry may remember the model as the settings described it yesterday.
        now = next((card for card in self._models if card.name == model.name), model)
        return refusal(now, replace(request, options=Options()))

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """See `Backend.preview`."""
        asked = self._call(model, request)
        kind = {"Content-Type": asked.content_type} if asked.body and asked.content_type != JSON else {}
        url = f"{self._server.url}{asked.path}"
        return Preview(method=asked.method, url=url, headers=self._server.masked | kind, body=asked.shown)

    async def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """See `Backend.infer`."""
        asked = self._call(model, request)
        response = self._service.response
        reading = Reading(Paths(response, provider=self.provider), where=self._server.where)
        async with self._server.open(
            asked.method, asked.path, asked.body, ref=model.ref, content_type=asked.content_type
        ) as reply:
            for note in dropped(self._service.request, request.options):
                yield note
            if not self._streams(reply):
                for event in _whole(await reply.read(), reading):
                    yield event
                return
            stream = ServiceStream(response, reading)
            chunks = reply.chunks()
            while not stream.finished and (chunk := await next_piece(chunks, stream)):
                for event in stream.feed(chunk):
                    yield event
            for event in stream.close():
                yield event

    async def health_check(self) -> Health:
        """See `Backend.health_check`. Without a path that costs nothing, nobody asks."""
        if self._service.health is None:
            return Health(state="unknown", reason="its settings name no `health` path", checked_at=self._clock.now())
        return await self._server.health(self._server.ask("GET", self._service.health))

    def advise(self, error: MmaiError) -> RetryAdvice:
        """See `Backend.advise`."""
        return advise(error)

    async def aclose(self) -> None:
        """See `Backend.aclose`."""
        await self._server.aclose()

    def _call(self, model: ModelCard, request: Request) -> Call:
        return call(self._service.request, model.name, request)

    def _streams(self, reply: Reply) -> bool:
        """Whether the answer comes in parts: a service that was told to stream may answer with one JSON object all the same."""
        kind = self._service.response.stream
        return kind == "ndjson" or (kind == "sse" and not reply.is_json)


def _credentials(endpoint: Endpoint, service: Service) -> dict[str, str]:
    if endpoint.key is None:
        return {}
    key = endpoint.key.reveal()
    return {"Authorization": f"Bearer {key}"} if service.auth == "bearer" else {service.auth: key}


def _whole(body: bytes, reading: Reading) -> list[Event]:
    try:
        return [*reading.read(body), reading.finished()]
    except NotJson as exc:
        raise reading.not_json(body) from exc
