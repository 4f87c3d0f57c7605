"""A response of OpenAI's newer API, while it is generated and whole.

Source: OpenAI API reference, "Create a model response" and "Streaming events" of responses.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mmai.dialects.openai.errors import decode, told_error
from mmai.dialects.openai.records import EventRecords
from mmai.dialects.openai.tools import Calls, Fragment, Function
from mmai.dialects.openai.usage import Counts
from mmai.errors import IncompleteAnswer, ProtocolError
from mmai.values.event import Event, FinishedEvent, FinishReason, ReasoningEvent, TextEvent, Usage
from mmai.values.model import ModelRef

REASONS: dict[str, FinishReason] = {"max_output_tokens": "length", "content_filter": "filter"}
"""`incomplete_details.reason` to ours; any other is a break."""
LAST = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


class _Part(Struct):
    type: str = ""
    text: str = ""
    refusal: str = ""


class _Item(Struct):
    type: str = ""
    content: list[_Part] | None = None
    summary: list[_Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _Why(Struct):
    reason: str | None = None


class _Response(Struct):
    status: str | None = None
    output: list[_Item] | None = None
    incomplete_details: _Why | None = None
    error: Any = None
    model: str | None = None
    usage: Counts | None = None


class _Happened(Struct):
    type: str
    delta: Any = None
    summary_index: int = 0
    item: _Item | None = None
    response: _Response | None = None
    error: Any = None
    message: str | None = None
    code: str | None = None
    param: str | None = None


class _Answer:
    """What has been said so far, so that the whole response at the end adds only what was not."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._calls = Calls()
        self._said = False
        self._refused = False

    def take(self, happened: _Happened) -> Iterator[Event]:
        """What an event adds."""
        match happened:
            case _Happened(type="response.output_text.delta" | "response.refusal.delta", delta=str(text)) if text:
                self._said = True
                self._refused = self._refused or happened.type == "response.refusal.delta"
                yield TextEvent(text)
            case _Happened(type="response.reasoning_summary_text.delta" | "response.reasoning_text.delta", delta=str(text)) if (
                text
            ):
                yield ReasoningEvent(text)
            case _Happened(type="response.reasoning_summary_part.added", summary_index=index) if index:
                yield ReasoningEvent("\n\n")
            case _Happened(type="response.output_item.done", item=_Item(type="function_call") as item):
                self._call(item)

    def whole(self, response: _Response) -> Iterator[Event]:
        """What a whole response says, thinking included."""
        for item in response.output or ():
            thoughts = item.summary or item.content or [] if item.type == "reasoning" else []
            if thought := "\n\n".join(part.text for part in thoughts if part.text):
                yield ReasoningEvent(thought)
        yield from self.finish(response)

    def finish(self, response: _Response, *, skipped: int = 0) -> Iterator[Event]:
        """What has not been said of the response, and the end."""
        if response.error or response.status == "failed":
            raise told_error(response.error or {"message": "the response failed"}, where=self._where, ref=self._ref)
        for item in response.output or ():
            yield from self._content(item)
        reason = self._reason(response)
        yield from self._calls.events(cut=reason in ("length", "filter"))
        yield FinishedEvent(
            reason=reason,
            usage=response.usage.usage() if response.usage else Usage(),
            resolved_model=response.model if response.model != self._ref.name else None,
            skipped_lines=skipped,
        )

    def _content(self, item: _Item) -> Iterator[Event]:
        if item.type == "function_call":
            self._call(item)
        elif item.type == "message" and not self._said:
            for part in item.content or ():
                self._refused = self._refused or bool(part.refusal)
                if text := part.text or part.refusal:
                    yield TextEvent(text)

    def _call(self, item: _Item) -> None:
        if not self._calls.has(item.call_id):
            self._calls.take(Fragment(id=item.call_id, function=Function(item.name, item.arguments)))

    def _reason(self, response: _Response) -> FinishReason:
        if response.status in ("incomplete", "cancelled"):
            why = (response.incomplete_details or _Why()).reason or response.status
            if why not in REASONS:
                raise IncompleteAnswer(f"{self._where} broke the answer off: `{why}`", reason="cut")
            return REASONS[why]
        return "filter" if self._refused else "tool_calls" if self._calls else "stop"


class ResponsesStream:
    """A stream of `POST /responses` as events, in whatever pieces its bytes arrive."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._answer = _Answer(ref, where=where)
        self._records = EventRecords(_Happened, ref, where=where)
        self.finished = False
        """The last event has been given; what follows is ignored."""

    @property
    def ended(self) -> bool:
        """Were the stream to break now, the answer would be whole."""
        return self.finished

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: the response failed, or the second event that is not the protocol.
        """
        if not self.finished:
            yield from self._events(self._records.feed(data))

    def close(self) -> Iterator[Event]:
        """The events of a last one without its end.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before the response.
            ProtocolError: nothing of it was a response.
        """
        if not self.finished:
            yield from self._events(self._records.close())
        if not self.finished:
            raise self._records.incomplete()

    def _events(self, happenings: Iterator[_Happened]) -> Iterator[Event]:
        for happened in happenings:
            if happened.type == "error":
                told = {"message": happened.message, "code": happened.code, "param": happened.param}
                raise told_error(told, where=self._where, ref=self._ref)
            if not happened.type.startswith("response."):
                self._records.unknown += 1
                continue
            if happened.type in LAST and happened.response:
                self.finished = True
                yield from self._answer.finish(happened.response, skipped=self._records.skipped)
                return
            yield from self._answer.take(happened)


def responses_events(body: bytes, ref: ModelRef, *, where: str) -> Iterator[Event]:
    """The events of a whole response.

    Raises:
        MmaiError: while iterating: it failed, or is none.
    """
    response = decode(body, _Response, where=where, what="an answer")
    if response.output is None and not response.error:
        raise ProtocolError(f"{where} sent an answer without `output`")
    yield from _Answer(ref, where=where).whole(response)
