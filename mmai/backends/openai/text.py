"""What is written and what is embedded: the questions that go out as JSON and come back as events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from mmai.backends.needs import makes
from mmai.backends.server import Server
from mmai.backends.wire import Reply
from mmai.dialects.openai import (
    ChatStream,
    chat_body,
    chat_events,
    chat_tuning,
    embed_body,
    embed_events,
    embed_tuning,
    without,
)
from mmai.errors import IncompleteAnswer, TimedOut, UnsupportedOption
from mmai.values.event import DroppedEvent, Event
from mmai.values.model import ModelCard
from mmai.values.request import Request

CHAT, RESPONSES, EMBEDDINGS = "/chat/completions", "/responses", "/embeddings"


class Question(Struct, frozen=True):
    """One request, and how its answer is read."""

    path: str
    body: bytes
    dropped: tuple[DroppedEvent, ...]
    whole: Callable[..., Iterable[Event]]
    """Reads an answer that comes as one object."""
    stream: "Callable[..., ChatStream] | None" = None


def question(model: ModelCard, request: Request) -> Question:
    """What asks the model: for a vector, by the API its card names, or for a chat."""
    options = request.options
    if makes(model, request, "embedding"):
        return Question(EMBEDDINGS, embed_body(model, request), embed_tuning(options).dropped, embed_events)
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
            for event in asked.whole(await reply.read(), model.ref, where=server.where, mask=server.mask):
                yield event
            return
        stream = asked.stream(model.ref, where=server.where, mask=server.mask)
        try:
            async for chunk in reply.chunks():
                for event in stream.feed(chunk):
                    yield event
                if stream.finished:
                    return
        except (IncompleteAnswer, TimedOut):
            # Only the usage was still to come.
            if not stream.ended:
                raise
        for event in stream.close():
            yield event


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
