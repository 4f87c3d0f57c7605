"""What is written and what is embedded: the questions that go out as JSON and come back as events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from mmai.backends.needs import makes
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
    reasons,
    responses_body,
    responses_events,
    responses_tuning,
    without,
)
from mmai.errors import IncompleteAnswer, TimedOut, UnsupportedOption
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


def question(model: ModelCard, request: Request) -> Question:
    """What asks the model: for a vector, by the API its card names, or for a chat."""
    options = request.options
    if makes(model, request, "embedding"):
        return Question(EMBEDDINGS, embed_body(model, request), embed_tuning(options).dropped, embed_events)
    if model.api == "responses" or (request.tools and reasons(model)):
        # Chats let the newer models that reason call no tools.
        tuning = responses_tuning(model, options)
        return Question(RESPONSES, responses_body(model, request), tuning.dropped, responses_events, ResponsesStream)
    return Question(CHAT, chat_body(model, request), chat_tuning(model, options).dropped, chat_events, ChatStream)


async def ask(server: Server, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
    """The answer, after a note for each option that is not sent. Some servers answer whole, though a stream was asked for.

    Raises:
        CallError: while iterating.
    """
    asked = question(model, request)
    async with _opened(server, model, asked) as (reply, refused):
        for note in (*asked.dropped, *refused):
            yield note
        if asked.stream is None or reply.headers.get("content-type", "").startswith("application/json"):
            for event in asked.whole(await reply.read(), model.ref, where=server.where):
                yield event
            return
        stream = asked.stream(model.ref, where=server.where)
        chunks = reply.chunks()
        while not stream.finished and (chunk := await _next(chunks, stream)):
            for event in stream.feed(chunk):
                yield event
        for event in stream.close():
            yield event


async def _next(chunks: AsyncIterator[bytes], stream: Stream) -> bytes:
    """The next piece; nothing where the answer is over, be it cut short once only its usage was still to come."""
    try:
        return await anext(chunks, b"")
    except (IncompleteAnswer, TimedOut):
        if stream.ended:
            return b""
        raise


@asynccontextmanager
async def _opened(server: Server, model: ModelCard, asked: Question) -> AsyncIterator[tuple[Reply, list[DroppedEvent]]]:
    """The reply, once the server refuses no more of the tuning; what it refused is left out, and told."""
    body = asked.body
    names: list[str] = []
    refused: list[DroppedEvent] = []
    async with AsyncExitStack() as stack:
        while True:
            try:
                reply = await stack.enter_async_context(server.open("POST", asked.path, body, ref=model.ref))
                break
            except UnsupportedOption as exc:
                rest = without(body, exc.option, refused=names)
                if rest is None:
                    raise
                names.append(exc.option)
                body, lost = rest
                refused += [DroppedEvent(lost, f"{server.where} takes none")] if lost else []
        yield reply, refused
