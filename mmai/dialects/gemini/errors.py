"""What Google says when it fails, as our errors.

Source: google.rpc `Status`, `ErrorInfo`, `RetryInfo`, `QuotaFailure` and `Code`; Gemini API, "Troubleshooting".
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE, Decoder, error_of, words
from mmai.dialects.http import MAX_BODY_CHARS, status_error
from mmai.errors import AuthError, ContextOverflow, MmaiError, QuotaExceeded, UnknownModel, UnsupportedOption
from mmai.values.model import ModelRef

PAGE = "a web page, so it is not Google's API that answers there"
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Of google.rpc.Code, for failures that come without a number; any other is 500."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_WAIT = re.compile(r"retry in (\d+(?:\.\d+)?)s")
_UNKNOWN_FIELD = re.compile(r'Unknown name "(\w+)"')
_SPENT = re.compile(r"limit: 0\b|per[ _]?day|daily|credits? (?:are|is) depleted|spending (?:cap|limit)", re.IGNORECASE)


class _Told(Struct, frozen=True):
    """A failure as google.rpc.Status has it, as far as it follows that."""

    message: str
    code: int | None = None
    status: str = ""
    details: tuple[dict[str, Any], ...] = ()

    def detail(self, kind: str) -> dict[str, Any]:
        """The detail of this type, such as `RetryInfo`, or nothing."""
        return next((found for found in self.details if str(found.get("@type", "")).endswith(f".{kind}")), {})


def failure(status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float) -> MmaiError:
    """The error of a whole response outside 200 to 299. `where` names the server, `ref` the model that was asked for."""
    told = _read(body)
    if known := _known(told, status, where=where, ref=ref):
        return known
    error = status_error(status, told.message, where=where, headers=headers, now=now)
    if error.retry_after_s is None:
        error.retry_after_s = _wait_s(told)
    if status == 429 and _is_spent(told):
        return QuotaExceeded(error.message, status=status, retry_after_s=error.retry_after_s, body=error.body)
    return error


def told_error(error: Any, *, where: str, ref: ModelRef) -> MmaiError:
    """The error of what stands under `error` in an answer whose status was 200."""
    body = msgspec.json.encode({"error": error})
    told = _read(body)
    status = told.code if told.code and told.code >= 400 else HTTP_STATUS.get(told.status, 500)
    return failure(status, body, where=where, ref=ref, headers={}, now=0)


def stray_error(said: bytes, *, where: str, ref: ModelRef) -> MmaiError | None:
    """The error that stands between the events of a stream as plain JSON, or None: anything else there means nothing."""
    try:
        value = msgspec.json.decode(said)
    except UNREADABLE:
        return None
    value = value[0] if isinstance(value, list) and value else value
    error = value.get("error") if isinstance(value, dict) else None
    return told_error(error, where=where, ref=ref) if error else None


def _known(told: _Told, status: int, *, where: str, ref: ModelRef | None) -> MmaiError | None:
    """The failures whose HTTP status says too little."""
    text, lower, body = f"{where} answered {status}: {told.message}", told.message.lower(), told.message[:MAX_BODY_CHARS]
    if _is_refused(told, lower):
        return AuthError(text, status=status, body=body, hint=f"mmai keys set {ref.provider}" if ref else None)
    if status == 404 and ref and told.status == "NOT_FOUND":
        return UnknownModel(
            f"{where} has no model `{ref.name}`, or not for this", hint=f"mmai models --provider {ref.provider}"
        )
    if status != 400:
        return None
    if "token count" in lower and "exceeds" in lower:
        return ContextOverflow(text, status=status, body=body)
    if option := _refused_option(told.message):
        return UnsupportedOption(text, option=option, status=status, body=body)
    return None


def _is_refused(told: _Told, lower: str) -> bool:
    """Whether it is about who asks, which Google also says with 400: a wrong key, or a country it does not serve for nothing."""
    if told.status in ("UNAUTHENTICATED", "PERMISSION_DENIED") or told.detail("ErrorInfo").get("reason") == "API_KEY_INVALID":
        return True
    return "api key not valid" in lower or "api key expired" in lower or "user location is not supported" in lower


def _refused_option(message: str) -> str | None:
    """The one option a 400 complains of, by the name a user gave it."""
    fields = set(_UNKNOWN_FIELD.findall(message))
    if len(fields) == 1:
        return str(fields.pop())
    lower = message.lower()
    return (
        "think" if "thinking" in lower and ("not supported" in lower or "not enabled" in lower or "budget" in lower) else None
    )


def _is_spent(told: _Told) -> bool:
    """Whether waiting a little is of no use: the quota is one of a day, there is none at all, or the money is gone."""
    violations = told.detail("QuotaFailure").get("violations") or ()
    for violation in violations:
        if "PerDay" in str(violation.get("quotaId")) or str(violation.get("quotaValue")) == "0":
            return True
    return _SPENT.search(told.message) is not None


def _wait_s(told: _Told) -> float | None:
    """Seconds to wait, of `RetryInfo` or of the words."""
    found = _DURATION.fullmatch(str(told.detail("RetryInfo").get("retryDelay"))) or _WAIT.search(told.message)
    return float(found[1]) if found else None


def _read(body: bytes) -> _Told:
    """What a failing response says; it may be wrapped in a list, and a server in between may say anything."""
    error = error_of(body, page=PAGE)
    if not isinstance(error, dict):
        return _Told(words(error))
    code, status, details = error.get("code"), error.get("status"), error.get("details")
    return _Told(
        message=words(error),
        code=code if isinstance(code, int) else None,
        status=status if isinstance(status, str) else "",
        details=tuple(found for found in details if isinstance(found, dict)) if isinstance(details, list) else (),
    )


decode = Decoder(lambda body: _read(body).message)
