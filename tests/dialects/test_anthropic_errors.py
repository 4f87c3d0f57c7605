"""Anthropic's failures, row by row."""

import json
from typing import Any

import pytest

from mmai.dialects.anthropic import failure
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

REF = ModelRef("anthropic", "claude-opus-5-5")
WHERE = "Anthropic at `box:443`"


def failed(status: int, kind: str = "", message: str = "", *, ref: ModelRef | None = REF, **headers: str) -> MmaiError:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return said(status, json.dumps(body).encode(), ref=ref, **headers)


def said(status: int, body: bytes, *, ref: ModelRef | None = REF, **headers: str) -> MmaiError:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return failure(status, body, where=WHERE, ref=ref, headers=sent, now=0.0)


@pytest.mark.parametrize(
    ("status", "kind", "message", "error"),
    [
        (400, "invalid_request_error", "messages: Input should be a list", InvalidRequest),
        (400, "invalid_request_error", "prompt is too long: 208656 tokens > 200000 maximum", ContextOverflow),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, decrease one",
            ContextOverflow,
        ),
        (
            400,
            "invalid_request_error",
            "litellm.ContextWindowExceededError: litellm.BadRequestError: too long",
            ContextOverflow,
        ),
        (400, "invalid_request_error", "anthropic_messages: Invalid model name passed in model=nope.", UnknownModel),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", QuotaExceeded),
        (400, "invalid_request_error", "You have reached your specified API usage limits.", QuotaExceeded),
        (400, "invalid_request_error", "`temperature` is deprecated for this model.", UnsupportedOption),
        (400, "invalid_request_error", "max_tokens: 200000 > 128000, which is the maximum", InvalidRequest),
        (400, "invalid_request_error", "output_config.format.schema: too deep", InvalidRequest),
        (401, "authentication_error", "invalid x-api-key", AuthError),
        (402, "billing_error", "Payment required", QuotaExceeded),
        (403, "permission_error", "Your key may not use this", AuthError),
        (404, "not_found_error", "model: claude-opus-5-5", UnknownModel),
        (413, "request_too_large", "Request exceeds the maximum size", InvalidRequest),
        (429, "rate_limit_error", "This request would exceed your organization's rate limit", RateLimited),
        (429, "rate_limit_error", "Usage credits are required for long context requests.", QuotaExceeded),
        (500, "api_error", "Internal server error", ProviderError),
        (502, "", "", ProviderError),
        (503, "api_error", "", ProviderError),
        (504, "timeout_error", "Timed out", ProviderError),
        (529, "overloaded_error", "Overloaded", ProviderError),
    ],
)
def test_each_failure_is_its_class_and_keeps_status_and_words(
    status: int, kind: str, message: str, error: type[MmaiError]
) -> None:
    raised = failed(status, kind, message)
    assert type(raised) is error
    assert not raised.message.endswith("..")
    if isinstance(raised, CallError):
        assert raised.status == status
        assert raised.body == (message or None)
        assert message in raised.message


@pytest.mark.parametrize("header", [{"retry_after": "7"}, {"retry_after_ms": "7000"}])
def test_when_to_come_back_is_kept(header: dict[str, str]) -> None:
    limited = failed(429, "rate_limit_error", "slow", ref=REF, **header)
    overloaded = failed(529, "overloaded_error", "Overloaded", ref=REF, **header)
    assert isinstance(limited, RateLimited)
    assert isinstance(overloaded, ProviderError)
    assert limited.retry_after_s == overloaded.retry_after_s == 7.0


def test_an_account_that_is_spent_is_known_by_its_code_too() -> None:
    error: dict[str, Any] = {
        "type": "rate_limit_error",
        "message": "no",
        "details": {"error_code": "enforced_spend_limit_reached"},
    }
    assert isinstance(said(429, json.dumps({"type": "error", "error": error}).encode()), QuotaExceeded)


def test_an_unknown_model_is_named_with_the_command_that_lists_those_there_are() -> None:
    raised = failed(404, "not_found_error", "model: claude-opus-5-5")
    assert raised.message == f"{WHERE} has no model `claude-opus-5-5`"
    assert raised.hint == "mmai models --provider anthropic"


def test_a_404_of_another_server_is_no_missing_model() -> None:
    raised = said(404, b"<html><body>nginx</body></html>")
    assert type(raised) is ProviderError
    assert raised.message.endswith("a web page, so it is not Anthropic's API that answers there")


def test_a_refused_key_says_how_to_set_another() -> None:
    assert failed(401, "authentication_error", "invalid x-api-key").hint == "mmai keys set anthropic"
    assert failed(401, "authentication_error", "invalid x-api-key", ref=None).hint is None


@pytest.mark.parametrize(
    ("message", "option"),
    [
        ("temperature: Extra inputs are not permitted", "temperature"),
        ("`top_k` is deprecated for this model.", "top_k"),
        ('"thinking.type.disabled" is not supported for this model.', "thinking"),
        ("output_config.effort: not supported", "output_config.effort"),
        ("stop_sequences: each stop sequence must contain non-whitespace", "stop_sequences"),
    ],
)
def test_an_option_the_model_does_not_take_is_named(message: str, option: str) -> None:
    raised = failed(400, "invalid_request_error", message)
    assert isinstance(raised, UnsupportedOption)
    assert raised.option == option


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("prompt is too long: 5 tokens > 4 maximum", "mmai models --min-context 1M"),
        (
            "input length and `max_tokens` exceed context limit: 3 + 4 > 5",
            "mmai run --max-tokens 1000 leaves the prompt more room",
        ),
    ],
)
def test_a_prompt_that_does_not_fit_comes_with_what_would(message: str, hint: str) -> None:
    assert failed(400, "invalid_request_error", message).hint == hint


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "upstream is gone"}', "upstream is gone"),
        (b'{"message": "no route"}', "no route"),
        (b"bad  gateway\n", "bad gateway"),
        (b"", "502 Bad Gateway"),
        (b"\xff\xfe", "502 Bad Gateway"),
    ],
)
def test_a_gateway_in_between_is_understood_as_far_as_it_goes(body: bytes, words: str) -> None:
    raised = said(502, body)
    assert type(raised) is ProviderError
    assert words in raised.message
