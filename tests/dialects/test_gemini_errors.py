import json
from typing import Any

import pytest
from fakes.google import error, error_info, quota_failure, retry_info

from mmai.dialects.gemini import failure
from mmai.errors import (
    AuthError,
    CallError,
    ContextOverflow,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    UnknownModel,
    UnsupportedOption,
)
from mmai.values.model import ModelRef

WHERE = "Gemini API at `generativelanguage.googleapis.com:443`"
REF = ModelRef("google", "gemini-2.5-flash")
PER_DAY = quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "50")
PER_MINUTE = quota_failure("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "10")
TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
UNKNOWN_FIELD = "Invalid JSON payload received. Unknown name \"topQ\" at 'generation_config': Cannot find field."
NO_MODEL = "models/nope is not found for API version v1beta, or is not supported for generateContent."


def told(status: int, body: Any, headers: dict[str, str] | None = None, ref: ModelRef | None = REF) -> MmaiError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure(status, data, where=WHERE, ref=ref, headers=headers or {}, now=0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(400, "API key not valid. Please pass a valid API key.", error_info("API_KEY_INVALID")), AuthError),
        (400, error(400, "API key expired. Please renew the API key."), AuthError),
        (400, error(400, "User location is not supported for the API use.", status="FAILED_PRECONDITION"), AuthError),
        (401, error(401, "Request had invalid authentication credentials."), AuthError),
        (403, error(403, "Method doesn't allow unregistered callers"), AuthError),
        (403, error(403, "Your API key was reported as leaked."), AuthError),
        (404, error(404, NO_MODEL), UnknownModel),
        (400, {"error": {"message": "agenerate_content_stream: Invalid model name passed in model=nope."}}, UnknownModel),
        (404, b"<html>not found</html>", ProviderError),
        (400, error(400, TOO_LONG), ContextOverflow),
        (400, error(400, UNKNOWN_FIELD), UnsupportedOption),
        (400, error(400, "Thinking level is not supported for this model."), UnsupportedOption),
        (400, error(400, "Request contains an invalid argument."), InvalidRequest),
        (413, b"", InvalidRequest),
        (429, error(429, "Resource has been exhausted (e.g. check quota)."), RateLimited),
        (429, error(429, "You exceeded your current quota", PER_MINUTE, retry_info("17s")), RateLimited),
        (429, error(429, "You exceeded your current quota", PER_DAY, retry_info("17s")), QuotaExceeded),
        (429, error(429, "You exceeded your current quota", quota_failure("PerMinute", "0")), QuotaExceeded),
        (429, error(429, "* Quota exceeded for metric: x, limit: 0, model: gemini-2.5-pro"), QuotaExceeded),
        (429, error(429, "Your prepayment credits are depleted."), QuotaExceeded),
        (500, error(500, "An internal error has occurred."), ProviderError),
        (503, error(503, "The model is overloaded. Please try again later."), ProviderError),
        (504, error(504, "Deadline expired before operation could complete."), ProviderError),
    ],
)
def test_a_failure_has_the_class_of_what_happened(status: int, body: Any, kind: type[MmaiError]) -> None:
    for form in (body, body if isinstance(body, bytes) else [body]):
        found = told(status, form)
        assert type(found) is kind
        assert not isinstance(found, CallError) or found.status == status


@pytest.mark.parametrize(
    ("body", "headers", "wait_s"),
    [
        (error(429, "slow down", retry_info("17s")), {}, 17.0),
        (error(429, "slow down", retry_info("0.5s")), {}, 0.5),
        (error(429, "slow down", PER_DAY, retry_info("3600s")), {}, 3600.0),
        (error(429, "slow down", retry_info("17s")), {"retry-after": "2"}, 2.0),
        (error(429, "slow down. Please retry in 20.5s."), {}, 20.5),
        (error(429, "slow down", retry_info("soon")), {}, None),
        (error(503, "overloaded", retry_info("4s")), {}, 4.0),
        (error(429, "slow down"), {}, None),
    ],
)
def test_when_to_come_back_is_what_the_header_says_or_the_body(
    body: Any, headers: dict[str, str], wait_s: float | None
) -> None:
    found = told(body["error"]["code"], body, headers)
    assert isinstance(found, CallError)
    assert found.retry_after_s == wait_s


def test_the_option_that_is_refused_is_named() -> None:
    for message, option in ((UNKNOWN_FIELD, "topQ"), ("Thinking level is not supported for this model.", "think")):
        found = told(400, error(400, message))
        assert isinstance(found, UnsupportedOption)
        assert found.option == option


def test_a_refused_key_and_a_missing_model_say_what_to_type() -> None:
    refused = told(400, error(400, "API key not valid.", error_info("API_KEY_INVALID")))
    assert (refused.message, refused.hint) == (f"{WHERE} answered 400: API key not valid.", "mmai keys set google")
    missing = told(404, error(404, NO_MODEL))
    assert missing.hint == "mmai models --provider google"
    assert missing.message == f"{WHERE} has no model `gemini-2.5-flash`, or not for this"
    assert type(told(404, error(404, NO_MODEL), ref=None)) is ProviderError


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "answered 500 Internal Server Error"),
        (b"upstream is gone", "upstream is gone"),
        (b"<!doctype html><title>hi</title>", "a web page"),
        (b'{"error": "boom"}', "boom"),
        (b'{"error": {"details": 3}}', '{"details":3}'),
        (b'["boom"]', "boom"),
        (b"[]", "[]"),
        (b"\xff\xfe", "answered 500"),
    ],
)
def test_whatever_a_server_in_between_says_is_shown(body: bytes, words: str) -> None:
    assert words in told(500, body).message
