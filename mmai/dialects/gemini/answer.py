"""What Gemini says, in one object or in many: its shape, and what it comes to."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mmai.dialects.gemini.models import short_name
from mmai.dialects.gemini.sound import is_pcm, wav
from mmai.dialects.gemini.usage import UsageMetadata, usage
from mmai.dialects.records import incomplete
from mmai.errors import AuthError, InvalidRequest, MmaiError, ProviderError
from mmai.values.event import AudioEvent, Event, FinishedEvent, FinishReason, ImageEvent, ReasoningEvent, TextEvent
from mmai.values.model import ModelRef
from mmai.values.request import ToolCall

REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "filter",
    "RECITATION": "filter",
    "BLOCKLIST": "filter",
    "PROHIBITED_CONTENT": "filter",
    "SPII": "filter",
    "IMAGE_SAFETY": "filter",
    "IMAGE_PROHIBITED_CONTENT": "filter",
    "IMAGE_RECITATION": "filter",
    "ESCALATION": "filter",
    "MODEL_ARMOR": "filter",
}
"""Why an answer ended, of `Candidate.finishReason`; any other reason is a failure."""
FAULTS: dict[str, type[ProviderError] | type[AuthError]] = {
    "MISSING_THOUGHT_SIGNATURE": InvalidRequest,
    "PUP_LIMITED_DISABLED": AuthError,
}
"""Reasons whose failure is not the provider's."""


class _Blob(Struct, rename="camel"):
    mime_type: str
    data: bytes


class _Call(Struct):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class _Transcription(Struct):
    text: str | None = None


class _Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    inline_data: _Blob | None = None
    function_call: _Call | None = None
    audio_transcription: _Transcription | None = None


class _Content(Struct):
    parts: list[_Part] | None = None


class _Candidate(Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int = 0


class _Feedback(Struct, rename="camel"):
    block_reason: str | None = None


class Chunk(Struct, rename="camel"):
    """A whole answer, or one event of a stream; an error in disguise has `error` alone."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    error: Any = None

    @property
    def says_anything(self) -> bool:
        """Whether a part of it is known here."""
        return self.candidates is not None or self.prompt_feedback is not None or self.usage_metadata is not None


class Answer:
    """An answer as it grows; `take` its chunks, then `finish` it."""

    def __init__(self, ref: ModelRef, *, where: str) -> None:
        self._ref = ref
        self._where = where
        self._usage = UsageMetadata()
        self._model: str | None = None
        self._samples: dict[str, bytearray] = {}
        """Sound without a head, by its type: it comes in pieces, which are one file together."""
        self._images = 0
        self._called_tools = False
        self._ending: _Candidate | None = None
        self._blocked = False
        self._understood = False
        self._skipped = 0
        """Chunks and parts nothing here understands."""

    @property
    def ended(self) -> bool:
        """A reason for its end has come."""
        return self._blocked or self._ending is not None

    def take(self, chunk: Chunk) -> Iterator[Event]:
        """The events of the next chunk. Of several candidates the first is the answer."""
        if not chunk.says_anything:
            self._skipped += 1
            return
        self._understood = True
        # The counts of each chunk include those of all before it.
        self._usage = chunk.usage_metadata or self._usage
        self._model = chunk.model_version or self._model
        self._blocked = self._blocked or bool(chunk.prompt_feedback and chunk.prompt_feedback.block_reason)
        for candidate in chunk.candidates or ():
            if candidate.index == 0:
                yield from self._content(candidate)

    def finish(self, *, skipped: int = 0) -> Iterator[Event]:
        """The last events; `skipped` counts what was no chunk at all.

        Raises:
            IncompleteAnswer: while iterating: no reason for its end has come.
            ProtocolError: nothing of it was an answer.
            MmaiError: the reason is a failure.
        """
        for media_type, samples in self._samples.items():
            yield wav(bytes(samples), media_type)
        if not self.ended:
            raise incomplete("the answer", where=self._where, understood=self._understood, skipped=skipped + self._skipped)
        yield FinishedEvent(
            reason=self._reason(),
            usage=usage(self._usage, images=self._images),
            resolved_model=self._model if self._model and short_name(self._model) != short_name(self._ref.name) else None,
            skipped_lines=skipped + self._skipped,
        )

    def _content(self, candidate: _Candidate) -> Iterator[Event]:
        if candidate.finish_reason not in (None, "", "FINISH_REASON_UNSPECIFIED"):
            self._ending = candidate
        for part in (candidate.content and candidate.content.parts) or ():
            if part == _Part():
                self._skipped += 1
            yield from self._said(part)

    def _said(self, part: _Part) -> Iterator[Event]:
        text = part.text or (part.audio_transcription and part.audio_transcription.text)
        if text:
            yield ReasoningEvent(text) if part.thought else TextEvent(text)
        if call := part.function_call:
            self._called_tools = True
            yield ToolCall(call.name, call.args or {}, call.id, part.thought_signature)
        # A model that draws sketches while it thinks: a sketch is no part of the answer.
        if part.inline_data and not part.thought:
            yield from self._media(part.inline_data)

    def _media(self, blob: _Blob) -> Iterator[Event]:
        if is_pcm(blob.mime_type):
            self._samples.setdefault(blob.mime_type, bytearray()).extend(blob.data)
        elif blob.mime_type.startswith("image/"):
            self._images += 1
            yield ImageEvent(blob.data, blob.mime_type)
        elif blob.mime_type.startswith("audio/"):
            yield AudioEvent(blob.data, blob.mime_type)
        else:
            self._skipped += 1

    def _reason(self) -> FinishReason:
        if self._ending is None:
            return "filter"
        told = self._ending.finish_reason or ""
        if told not in REASONS:
            raise self._failed(told, self._ending.finish_message)
        return "tool_calls" if told == "STOP" and self._called_tools else REASONS[told]

    def _failed(self, reason: str, message: str | None) -> MmaiError:
        return FAULTS.get(reason, ProviderError)(
            f"{self._where} ended the answer with `{reason}`" + (f": {message}" if message else "")
        )
