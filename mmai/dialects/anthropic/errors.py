"""What Anthropic says when it fails, as our errors.

Source: platform.claude.com/docs, "Errors", and the error types of the SDK. Several kinds are told in words alone, under one type.
"""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE, Decoder, error_of, words
from mmai.dialects.http import MAX_BODY_CHARS, status_error
from mmai.errors import ContextOverflow, MmaiError, QuotaExceeded, UnknownModel, UnsupportedOption
from mmai.values.model import ModelRef

PAGE = "a web page, so it is not Anthropic's API that answers there"

STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Type of an error to the status it has where it is a whole answer."""

SPENT = ("credit balance is too low", "usage limits", "spend limit", "usage credits are required")
TOO_LONG = ("prompt is too long", "exceed context limit", "exceeds context limit")
_OPTION = re.compile(r"^`?\"?(?P<option>temperature|top_p|top_k|stop_sequences|thinking|output_config\.effort)\b")
"""A complaint of one option begins with its name, as in ``temperature: …`` and ```top_p` is deprecated``."""


class _Details(Struct):
    error_code: str | None = None


class Problem(Struct):
    """What an error holds."""

    type: str = ""
    message: str = ""
    details: _Details | None = None


class _Answer(Struct):
    error: Problem


def failure(status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float) -> MmaiError:
    """The error of a whole response outside 200 to 299. `where` names the server, `ref` the model that was asked for."""
    problem = _problem(body)
    hint = f"mmai keys set {ref.provider}" if ref and status in (401, 403) else None
    special = problem and _special(problem, status, where, ref)
    text = problem.message if problem else _text(body)
    return special or status_error(status, text, where=where, headers=headers, now=now, hint=hint)


def told_error(problem: Problem, *, where: str, ref: ModelRef) -> MmaiError:
    """The error of what stands under `error` in an answer whose status was 200."""
    body = msgspec.json.encode({"error": problem})
    return failure(STATUSES.get(problem.type, 500), body, where=where, ref=ref, headers={}, now=0.0)


def _problem(body: bytes) -> Problem | None:
    try:
        return msgspec.json.decode(body, type=_Answer).error
    except UNREADABLE:
        return None


def _special(problem: Problem, status: int, where: str, ref: ModelRef | None) -> MmaiError | None:
    """The failures whose status alone does not say enough."""
    text, lower = problem.message, problem.message.lower()
    body = text[:MAX_BODY_CHARS]
    code = (problem.details and problem.details.error_code) or ""
    if status in (400, 402, 403, 429) and (code.endswith("spend_limit_reached") or any(words in lower for words in SPENT)):
        return QuotaExceeded(f"{where}: {text}", status=status, body=body)
    if status == 404 and ref and problem.type == "not_found_error":
        return UnknownModel(f"{where} has no model `{ref.name}`", hint=f"mmai models --provider {ref.provider}")
    if status == 400 and any(words in lower for words in TOO_LONG):
        hint = (
            "mmai models --min-context 1M" if "prompt is" in lower else "mmai run --max-tokens 1000 leaves the prompt more room"
        )
        return ContextOverflow(f"{where}: {text}", status=status, body=body, hint=hint)
    if status == 400 and (found := _OPTION.match(text)):
        return UnsupportedOption(f"{where}: {text}", option=found["option"], status=status, body=body)
    return None


def _text(body: bytes) -> str:
    """What a response says that is no error of the API, as gateways in front of it answer."""
    return words(error_of(body, page=PAGE))


decode = Decoder(_text)
