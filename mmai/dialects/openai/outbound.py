"""Our events as a client of chat completions reads them: the way back of `chat.py`."""

from collections.abc import Iterable
from typing import Any

import msgspec

from mmai.errors import (
    AuthError,
    InvalidRequest,
    MmaiError,
    QuotaExceeded,
    RateLimited,
    UnknownModel,
    UsageError,
)
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, TextEvent, Usage
from mmai.values.request import ToolCall

DONE = b"data: [DONE]\n\n"
REASONS = {"stop": "stop", "length": "length", "filter": "content_filter", "tool_calls": "tool_calls"}
FAULTS: tuple[tuple[type[MmaiError], str, str | None], ...] = (
    (QuotaExceeded, "insufficient_quota", "insufficient_quota"),
    (RateLimited, "rate_limit_error", "rate_limit_exceeded"),
    (AuthError, "authentication_error", "upstream_auth"),
    (UnknownModel, "invalid_request_error", "model_not_found"),
    (InvalidRequest, "invalid_request_error", None),
    (UsageError, "invalid_request_error", None),
    (MmaiError, "server_error", None),
)
"""Class of error to OpenAI's `type` and `code`, the first that fits; None keeps our own code."""


class ChatWriter:
    """One answer to one client. Events that are no part of a chat are left out."""

    def __init__(self, name: str, *, id: str, created: int, counts: bool = True) -> None:
        """`name` is the model that was asked for, `created` Unix seconds; with `counts` the stream tells its usage."""
        self._name = name
        self._id = id
        self._created = created
        self._counts = counts
        self._began = False
        self._calls = 0

    def write(self, event: Event) -> bytes:
        """The server-sent events of one of ours; those of the last end with `[DONE]`."""
        match event:
            case TextEvent(text):
                return self._delta({"content": text})
            case ReasoningEvent(text):
                return self._delta({"reasoning_content": text})
            case ToolCall():
                call = {"index": self._calls, **_call(event, self._calls)}
                self._calls += 1
                return self._delta({"tool_calls": [call]})
            case FinishedEvent():
                return self._finish(event)
            case _:
                return b""

    def whole(self, events: Iterable[Event]) -> bytes:
        """The body of an answer that is not streamed; `events` are all of it."""
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        last = FinishedEvent()
        for event in events:
            match event:
                case TextEvent(text):
                    texts.append(text)
                case ReasoningEvent(text):
                    thoughts.append(text)
                case ToolCall():
                    calls.append(_call(event, len(calls)))
                case FinishedEvent():
                    last = event
        message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
        message |= {"reasoning_content": "".join(thoughts)} if thoughts else {}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": REASONS[last.reason]}
        body = self._common("chat.completion", last.resolved_model) | {"choices": [choice]}
        return msgspec.json.encode(body | {"usage": _usage(last.usage)})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        if not self._began:
            self._began = True
            delta = {"role": "assistant", **delta}
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])

    def _finish(self, event: FinishedEvent) -> bytes:
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": REASONS[event.reason]}
        end = self._chunk([choice], resolved=event.resolved_model)
        if self._counts:
            end += self._chunk([], resolved=event.resolved_model, usage=_usage(event.usage))
        return end + DONE

    def _chunk(self, choices: list[dict[str, Any]], *, resolved: str | None = None, **more: Any) -> bytes:
        body = self._common("chat.completion.chunk", resolved) | {"choices": choices} | more
        return b"data: " + msgspec.json.encode(body) + b"\n\n"

    def _common(self, kind: str, resolved: str | None) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": resolved or self._name}


def error_body(error: MmaiError) -> bytes:
    """The body of a failure, which within a stream is the data of its last event."""
    kind, code = next((kind, code) for fault, kind, code in FAULTS if isinstance(error, fault))
    return msgspec.json.encode({"error": {"message": error.message, "type": kind, "param": None, "code": code or error.code}})


def _call(call: ToolCall, index: int) -> dict[str, Any]:
    function = {"name": call.name, "arguments": msgspec.json.encode(call.arguments).decode()}
    return {"id": call.id or f"call_{index}", "type": "function", "function": function}


def _usage(usage: Usage) -> dict[str, Any]:
    """What is known of it, under OpenAI's names."""
    spent = {
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "audio_tokens": usage.audio_tokens,
    }
    known = usage.input_tokens is not None and usage.output_tokens is not None
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": (usage.input_tokens or 0) + (usage.output_tokens or 0) if known else None,
        "prompt_tokens_details": _present(spent) or None,
        "completion_tokens_details": _present({"reasoning_tokens": usage.reasoning_tokens}) or None,
    }
    return _present(counts)


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
