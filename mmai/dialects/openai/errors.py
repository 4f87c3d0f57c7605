"""What OpenAI, and everybody who speaks as it does, says when it fails, as our errors.

The usual form is `{"error": {"message", "type", "param", "code"}}`. Others put the same at the top, a sentence in place of the
object, a number as the code (OpenRouter, llama.cpp, vLLM), or what pydantic finds wrong (Mistral, FastAPI).
Source: OpenAI API, "Error codes"; what those servers were seen to send.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE, Decoder, error_of, words
from mmai.dialects.http import MAX_BODY_CHARS, STATUSES, status_error
from mmai.dialects.openai.tuning import CONTENT
from mmai.errors import (
    AuthError,
    CallError,
    ContextOverflow,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    UnknownModel,
    UnsupportedOption,
)
from mmai.values.model import ModelRef

PAGE = "a web page, so it is no API that answers there"

QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance")
NO_MODEL = ("model_not_found", "invalid_model", "model_not_available", "model_decommissioned")
UNSUPPORTED = ("unsupported_parameter", "unsupported_value", "unknown_parameter")
TOO_LONG = ("context_length_exceeded", "exceed_context_size_error", "context_window_exceeded")
TOLD_STATUS = {
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "requests": 429,
    "tokens": 429,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "overloaded_error": 529,
    "engine_overloaded": 529,
    "overloaded": 529,
    "service_unavailable": 503,
    "timeout": 504,
}
"""Code or type of a failure within a stream to the status it would have had on its own; any other is 500."""

_TOO_LONG = re.compile(
    r"maximum context length|context (?:length|window|size)\b.*\b(?:exceed|too (?:long|small))"
    r"|exceeds? (?:the )?(?:model'?s |available )*(?:maximum )?context|prompt is too long|reduce the length of the (?:messages|prompt)"
)
_NO_MODEL = re.compile(
    r"\bmodel\b.*(?:does not exist|not exist|not found|is not a valid model)|is not a valid model|invalid model\b"
)
_NAMED = re.compile(
    r"(?:unsupported (?:parameter|value)|unknown parameter|unrecognized request argument supplied)s?: ['\"`]?([\w.]+)"
    r"|property ['\"`]([\w.]+)['\"`] is (?:not supported|unsupported)"
    r"|['\"`]([\w.]+)['\"`] is not (?:supported|permitted)",
    re.IGNORECASE,
)


class Told(Struct, frozen=True):
    """A failure, in whichever form it came."""

    message: str
    kind: str = ""
    code: str = ""
    param: str = ""
    forbidden: tuple[str, ...] = ()
    """Fields of the body that pydantic does not permit."""


def failure(status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float) -> MmaiError:
    """The error of a whole response outside 200 to 299. `where` names the server, `ref` the model that was asked for."""
    told = read_failure(body)
    text = told.message
    if known := _known(told, status, f"{where} answered {status}: {text}", where=where, ref=ref):
        return known
    hint = f"mmai keys set {ref.provider}" if ref and status in (401, 403) else None
    error = status_error(status, text, where=where, headers=headers, now=now, hint=hint)
    if status == 429 and (told.code in QUOTA or told.kind in QUOTA):
        return QuotaExceeded(error.message, status=status, retry_after_s=error.retry_after_s, body=error.body)
    return error


def told_error(error: Any, *, where: str, ref: ModelRef) -> MmaiError:
    """The error of what stands under `error` in an answer whose status was 200."""
    told = read_failure(msgspec.json.encode(error))
    status = _status(told)
    message = f"{where} failed: {told.message}"
    if known := _known(told, status, message, where=where, ref=ref):
        return known
    kind: type[CallError] = STATUSES.get(status, (ProviderError, ""))[0]
    if told.code in QUOTA or told.kind in QUOTA:
        kind = QuotaExceeded
    hint = f"mmai keys set {ref.provider}" if kind is AuthError else None
    return kind(message, hint=hint, status=status, body=told.message[:MAX_BODY_CHARS])


def read_failure(body: bytes) -> Told:
    """What a failing response says."""
    error = error_of(body, page=PAGE)
    if not isinstance(error, dict):
        return Told(words(error))
    said = next((error[name] for name in ("message", "detail") if error.get(name)), error)
    return Told(
        message=words(said),
        kind=_word(error.get("type")),
        code=_word(error.get("code")),
        param=_word(error.get("param")),
        forbidden=tuple(_forbidden(said)),
    )


decode = Decoder(lambda body: read_failure(body).message)


def _known(told: Told, status: int, message: str, *, where: str, ref: ModelRef | None) -> MmaiError | None:
    """The failures whose status says too little."""
    lower, body = told.message.lower(), told.message[:MAX_BODY_CHARS]
    if status not in (400, 404, 413, 422, 500):
        return None
    if told.code in TOO_LONG or told.kind in TOO_LONG or _TOO_LONG.search(lower):
        return ContextOverflow(message, status=status, body=body)
    if ref and (told.code in NO_MODEL or told.kind in NO_MODEL or (status in (400, 404) and _NO_MODEL.search(lower))):
        return UnknownModel(f"{where} has no model `{ref.name}`", hint=f"mmai models --provider {ref.provider}")
    if status in (400, 422) and (option := _refused_option(told)):
        return UnsupportedOption(message, option=option, status=status, body=body)
    return None


def _refused_option(told: Told) -> str | None:
    """The one field a 400 complains of, where the question could do without it."""
    if told.forbidden:
        names = set(told.forbidden)
    elif told.code in UNSUPPORTED and told.param:
        names = {told.param}
    else:
        names = {name for groups in _NAMED.findall(told.message) for name in groups if name}
        # What is wrong with a field may be said without these words, but then it is named apart.
        if not names and told.param and "not supported" in told.message.lower():
            names = {told.param}
    if len(names) != 1:
        return None
    name = names.pop()
    return None if name.partition(".")[0].partition("[")[0] in CONTENT else name


def _forbidden(said: Any) -> list[str]:
    """The fields at the top of a body that `{"detail": [{"type": "extra_forbidden", "loc": ["body", NAME]}]}` complains of."""
    if isinstance(said, str) and "extra_forbidden" in said:
        try:
            said = msgspec.json.decode(said)
        except UNREADABLE:
            return []
    found = said.get("detail") if isinstance(said, dict) else said
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    places = [row.get("loc") for row in rows if row.get("type") == "extra_forbidden"]
    return [str(place[1]) for place in places if isinstance(place, list) and len(place) == 2 and place[0] == "body"]


def _status(told: Told) -> int:
    """The status a failure within a stream stands for: its own number, or what its code or type means elsewhere."""
    if told.code.isdecimal() and 400 <= int(told.code) < 600:
        return int(told.code)
    return TOLD_STATUS.get(told.code) or TOLD_STATUS.get(told.kind) or 500


def _word(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
