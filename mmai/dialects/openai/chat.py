"""A chat completion, while it is generated and whole.

Source: OpenAI API reference, "Create chat completion" and "Streaming events". Where other servers differ, it is said.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mmai.dialects.openai.errors import decode, told_error
from mmai.dialects.openai.records import EventRecords
from mmai.dialects.openai.tools import Calls, Fragment, Function
from mmai.dialects.openai.usage import Counts, Timings
from mmai.errors import IncompleteAnswer, ProtocolError
from mmai.values.event import Event, FinishedEvent, FinishReason, ReasoningEvent, ServerTimings, TextEvent, Usage
from mmai.values.model import ModelRef

REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""`finish_reason` to ours; any other is an end as it should be."""
BROKEN = ("error", "abort", "insufficient_system_resource")
"""Reasons by which OpenRouter, vLLM and DeepSeek say that it was not."""


class _Delta(Struct):
    """A message, or what is added to one."""

    content: str | list[dict[str, Any]] | None = None
    """Mistral's models that reason send parts."""
    reasoning_content: str | None = None
    """DeepSeek, llama.cpp, vLLM until 0.11."""
    reasoning: str | None = None
    """OpenRouter, Groq, vLLM, Ollama."""
    refusal: str | None = None
    tool_calls: list[Fragment] | None = None
    function_call: Function | None = None


class _Choice(Struct):
    index: int = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    error: Any = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: Counts | None = None
    model: str | None = None
    timings: Timings | None = None
    error: Any = None


class _Answer:
    """What the chunks say together."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._calls = Calls()
        self._refused = False
        self._named: str | None = None
        self._usage: Usage | None = None
        self._timings: Timings | None = None
        self.reason: str | None = None
        """Why it ended, once that is told."""

    def take(self, chunk: _Chunk) -> Iterator[Event]:
        """What a chunk adds."""
        self._named = chunk.model or self._named
        self._timings = chunk.timings or self._timings
        if chunk.usage:
            self._usage = chunk.usage.usage()
        for choice in chunk.choices or ():
            if choice.index == 0:
                yield from self._content(choice.delta or choice.message or _Delta())
                if choice.error:
                    raise told_error(choice.error, where=self._where, ref=self._ref)
                self.reason = choice.finish_reason or self.reason

    def finish(self, *, skipped: int = 0) -> Iterator[Event]:
        """The calls, and the end."""
        if self.reason in BROKEN:
            raise IncompleteAnswer(f"{self._where} broke the answer off: `{self.reason}`", reason="cut")
        reason = REASONS.get(self.reason or "", "stop")
        yield from self._calls.events(cut=reason in ("length", "filter"))
        if reason == "stop":
            reason = "filter" if self._refused else "tool_calls" if self._calls else "stop"
        yield FinishedEvent(
            reason=reason,
            usage=self._usage or (self._timings.usage() if self._timings else Usage()),
            server=self._timings.server() if self._timings else ServerTimings(),
            resolved_model=self._named if self._named != self._ref.name else None,
            skipped_lines=skipped,
        )

    def _content(self, delta: _Delta) -> Iterator[Event]:
        if thought := delta.reasoning_content or delta.reasoning:
            yield ReasoningEvent(thought)
        if isinstance(delta.content, list):
            yield from _parts(delta.content)
        elif delta.content:
            yield TextEvent(delta.content)
        if delta.refusal:
            # Why the model will not answer is what it has to say.
            self._refused = True
            yield TextEvent(delta.refusal)
        for fragment in delta.tool_calls or ():
            self._calls.take(fragment)
        if delta.function_call:
            self._calls.take(Fragment(index=0, function=delta.function_call))


class ChatStream:
    """A stream of `POST /chat/completions` as events, in whatever pieces its bytes arrive."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._answer = _Answer(ref, where=where)
        self._records = EventRecords(_Chunk, ref, where=where)
        self.finished = False
        """The last event has been given; what follows is ignored."""

    @property
    def ended(self) -> bool:
        """A reason for the end has come: were the stream to break now, the answer would be whole, but for its usage."""
        return self._answer.reason is not None

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events `data` completes; iterate it to the end.

        Raises:
            MmaiError: while iterating: an event `{"error": …}`, or the second that is not the protocol.
        """
        if not self.finished:
            yield from self._events(self._records.feed(data))
        if self._records.done and not self.finished:
            yield from self._finish()

    def close(self) -> Iterator[Event]:
        """The last events, where `[DONE]` never came: a reason for the end is enough.

        Raises:
            IncompleteAnswer: while iterating: the stream ended before the answer.
            ProtocolError: nothing of it was an answer.
        """
        if not self.finished:
            yield from self._events(self._records.close())
        if not self.finished:
            yield from self._finish()

    def _events(self, chunks: Iterator[_Chunk]) -> Iterator[Event]:
        for chunk in chunks:
            if chunk.choices is None and chunk.usage is None and chunk.timings is None:
                self._records.unknown += 1
                continue
            yield from self._answer.take(chunk)

    def _finish(self) -> Iterator[Event]:
        if not (self.ended or (self._records.done and self._records.understood)):
            raise self._records.incomplete()
        self.finished = True
        yield from self._answer.finish(skipped=self._records.skipped)


def chat_events(body: bytes, ref: ModelRef, *, where: str) -> Iterator[Event]:
    """The events of a whole chat completion.

    Raises:
        MmaiError: while iterating: it is an error in disguise, or no answer.
    """
    chunk = decode(body, _Chunk, where=where, what="an answer")
    if chunk.error:
        raise told_error(chunk.error, where=where, ref=ref)
    if not chunk.choices:
        raise ProtocolError(f"{where} sent an answer without `choices`")
    answer = _Answer(ref, where=where)
    yield from answer.take(chunk)
    yield from answer.finish()


def _parts(parts: list[dict[str, Any]]) -> Iterator[Event]:
    """Mistral's: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}` and `{"type": "text", "text": …}`."""
    for part in parts:
        if part.get("type") == "thinking":
            thought = part.get("thinking")
            words = thought if isinstance(thought, list) else [{"text": thought}]
            if text := "".join(str(word.get("text") or "") for word in words if isinstance(word, dict)):
                yield ReasoningEvent(text)
        elif isinstance(part.get("text"), str) and part["text"]:
            yield TextEvent(part["text"])
