"""What is written and what is embedded: the questions that go out as JSON and come back as events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.needs import makes
from mmai.backends.pieces import next_piece
from mmai.backends.server import Server
from mmai.backends.wire import Reply
from mmai.dialects.openai import (
    ChatStream,
    ResponsesStream,
    chat_body,
    chat_events,
    chat_tuning,
    embed_body,
    embed_events,
    embed_tuning,
    responses_body,
    responses_events,
    responses_tuning,
    without,
)
from mmai.errors import ProviderError, UnsupportedOption
from mmai.values.event import DroppedEvent, Event
from mmai.values.model import ModelCard
from mmai.values.request import Request

CHAT, RESPONSES, EMBEDDINGS = "/chat/completions", "/responses", "/embeddings"

Stream = ChatStream | ResponsesStream


class Question(Struct, frozen=True):
    """One request, and how its answer is read."""

    path: str
    body: bytes
    dropped: tuple[DroppedEvent, ...]
    whole: Callable[..., Iterable[Event]]
    """Reads an answer that comes as one object."""
    stream: Callable[..., Stream] | None = None
    """Reads one that comes in pieces."""
    refused: tuple[str, ...] = ()
    """Fields that were sent before and are left out."""


def question(model: ModelCard, request: Request) -> Question:
    """What asks the model: for a vector, by the API its card names, or for a chat."""
    options = request.options
    if makes(model, request, "embedding"):
        return Question(EMBEDDINGS, embed_body(model, request), embed_tuning(options).dropped, embed_events)
    if model.api == "responses":
        tuning = responses_tuning(model, options)
        return Question(RESPONSES, responses_body(model, request), tuning.dropped, responses_events, ResponsesStream)
    return Question(CHAT, chat_body(model, request), chat_tuning(model, options).dropped, chat_events, ChatStream)


async def ask(server: Server, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """The answer, after a note for each option that is not sent. Some servers answer whole, though a stream was asked for.

    Raises:
        CallError: while iterating.
    """
    async with _opened(server, model, request) as (reply, asked):
        for note in asked.dropped:
            yield note
        if asked.stream is None or reply.is_json:
            for event in asked.whole(await reply.read(), model.ref, where=server.where):
                yield event
            return
        stream = asked.stream(model.ref, where=server.where)
        chunks = reply.chunks()
        while not stream.finished and (chunk := await next_piece(chunks, stream)):
            for event in stream.feed(chunk):
                yield event
        for event in stream.close():
            yield event


@asynccontextmanager
async def _opened(server: Server, model: ModelCard, request: Request) -> AsyncIterator[tuple[Reply, Question]]:
    """The reply, and the question it answers: the first one, or what the server would rather be asked."""
    asked = question(model, request)
    async with AsyncExitStack() as stack:
        while True:
            try:
                reply = await stack.enter_async_context(server.open("POST", asked.path, asked.body, ref=model.ref))
                break
            except ProviderError as exc:
                rather = _instead(exc, asked, model, request, where=server.where)
                if rather is None:
                    raise
                asked = rather
        yield reply, asked


def _instead(exc: ProviderError, asked: Question, model: ModelCard, request: Request, *, where: str) -> Question | None:
    """What to ask after a refusal, or None where nothing else would do.

    Some of OpenAI's models take no chats, or none with tools, and say so. Of the tuning, one field less each time.
    """
    if asked.path == CHAT and "v1/responses" in exc.message:
        return question(replace(model, api="responses"), request)
    if not isinstance(exc, UnsupportedOption):
        return None
    rest = without(asked.body, exc.option, refused=asked.refused)
    if rest is None:
        return None
    body, lost = rest
    notes = (DroppedEvent(lost, f"{where} takes none"),) if lost else ()
    return replace(asked, body=body, dropped=(*asked.dropped, *notes), refused=(*asked.refused, exc.option))
