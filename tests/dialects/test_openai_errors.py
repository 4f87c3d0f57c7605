"""Failures of OpenAI, and of those who speak as it does, by what they mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.openai import failure
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

REF = ModelRef("openai", "gpt-5.6-luna")
WHERE = "OpenAI at `box:443`"


def told(status: int, body: Any, **headers: str) -> MmaiError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure(status, data, where=WHERE, ref=REF, headers=headers, now=1000.0)


def fault(message: str = "so it is", kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": None} | more}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthError),
        (402, QuotaExceeded),
        (403, AuthError),
        (404, ProviderError),
        (429, RateLimited),
        (500, ProviderError),
        (503, ProviderError),
        (529, ProviderError),
    ],
)
def test_a_status_has_its_class(status: int, kind: type[CallError]) -> None:
    error = told(status, fault(), **{"retry-after": "2"})
    assert type(error) is kind
    assert isinstance(error, CallError)
    assert (error.status, error.retry_after_s, error.body) == (status, 2.0, "so it is")


@pytest.mark.parametrize("field", ["code", "type"])
def test_an_empty_account_is_no_rate_limit(field: str) -> None:
    error = told(429, fault(**{field: "insufficient_quota"}), **{"retry-after": "2"})
    assert type(error) is QuotaExceeded
    assert error.retry_after_s == 2.0


def test_a_refused_key_can_be_replaced() -> None:
    assert told(401, fault(code="invalid_api_key")).hint == "mmai keys set openai"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, fault("The model `gpt-5.6-luna` does not exist or you do not have access to it.", code="model_not_found")),
        (
            404,
            {
                "object": "error",
                "message": "The model `x` does not exist.",
                "type": "NotFoundError",
                "param": None,
                "code": 404,
            },
        ),
        (400, {"error": {"message": "x/y is not a valid model ID", "code": 400}}),
        (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}),
        (400, fault("Model Not Exist")),
        (404, {"error": "model 'x' not found"}),
        (400, fault("The model has been decommissioned", code="model_decommissioned")),
    ],
    ids=["OpenAI", "vLLM", "OpenRouter", "Mistral", "DeepSeek", "Ollama", "Groq"],
)
def test_a_missing_model_is_unknown(status: int, body: Any) -> None:
    error = told(status, body)
    assert type(error) is UnknownModel
    assert (error.exit_code, error.hint) == (3, "mmai models --provider openai")


def test_a_missing_page_is_the_providers_failure() -> None:
    error = told(404, b"404 page not found")
    assert type(error) is ProviderError
    assert error.message == f"{WHERE} answered 404 Not Found: 404 page not found"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, fault("This model's maximum context length is 128000 tokens.", code="context_length_exceeded")),
        (400, {"object": "error", "message": "This model's maximum context length is 8192 tokens.", "code": 400}),
        (400, {"error": {"code": 400, "message": "request (9 tokens) exceeds the available context size (4 tokens)"}}),
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": "too much"}}),
        (413, fault("Please reduce the length of the messages or completion.")),
        (400, {"error": {"message": "This endpoint's maximum context length is 4096 tokens", "code": 400}}),
        (400, fault("Input exceeds the context window of this model")),
        (400, fault("prompt is too long: 210000 tokens > 200000 maximum")),
    ],
    ids=["OpenAI", "vLLM", "llama.cpp", "llama.cpp type", "Groq", "OpenRouter", "responses", "Anthropic behind it"],
)
def test_a_prompt_that_does_not_fit_is_told_from_other_bad_requests(status: int, body: Any) -> None:
    assert type(told(status, body)) is ContextOverflow


@pytest.mark.parametrize(
    ("status", "body", "option"),
    [
        (
            400,
            fault("Unsupported parameter: 'max_tokens' is not supported.", code="unsupported_parameter", param="max_tokens"),
            "max_tokens",
        ),
        (400, fault("'temperature' does not support 0.2", code="unsupported_value", param="temperature"), "temperature"),
        (400, fault("No summaries for you", code="unsupported_value", param="reasoning.summary"), "reasoning.summary"),
        (400, fault("Unknown parameter: 'seed'.", code="unknown_parameter", param="seed"), "seed"),
        (400, fault("Unrecognized request argument supplied: reasoning_effort"), "reasoning_effort"),
        (400, fault("property 'logit_bias' is unsupported"), "logit_bias"),
        (400, fault("Function tools with reasoning_effort are not supported", param="reasoning_effort"), "reasoning_effort"),
        (
            422,
            {"message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "no"}]}},
            "stream_options",
        ),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "no"}]}, "seed"),
        (422, {"message": '{"detail":[{"type":"extra_forbidden","loc":["body","seed"]}]}'}, "seed"),
    ],
)
def test_one_option_that_is_refused_is_named(status: int, body: Any, option: str) -> None:
    error = told(status, body)
    assert isinstance(error, UnsupportedOption)
    assert (error.option, error.status) == (option, status)


@pytest.mark.parametrize(
    "body",
    [
        fault("'messages[0].role' does not support 'tool' with this model", code="unsupported_value", param="messages[0].role"),
        fault("Unsupported value", code="unsupported_value", param="response_format"),
        fault("Unsupported parameter: 'tools' is not supported with this model.", code="unsupported_parameter", param="tools"),
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "messages", 0, "name"], "msg": "no"}]},
        {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "no"} for name in ("a", "b")]},
        {"detail": [{"type": "missing", "loc": ["body", "seed"], "msg": "required"}]},
        fault("You must provide a prompt"),
        {"detail": "no"},
        b"",
    ],
)
def test_what_is_asked_is_never_an_option(body: Any) -> None:
    assert type(told(400, body)) is InvalidRequest


def test_a_web_page_is_not_repeated_in_the_message() -> None:
    assert told(403, b"<html><body>nginx</body></html>").message.endswith(": a web page, so it is no API that answers there")


@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_a_web_page_of_an_api_that_is_down_does_not_deny_that_it_is_one(status: int) -> None:
    assert told(status, b"<html><body>nginx</body></html>").message.endswith(": a web page")


def test_a_list_around_the_failure_is_looked_through() -> None:
    assert told(400, [fault("no such thing")]).message == f"{WHERE} answered 400 Bad Request: no such thing"


@given(
    st.sampled_from([400, 401, 404, 422, 429, 500]),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["error", "message", "detail", "code", "type", "param", "loc"]), inner, max_size=4
            )
        ),
        max_leaves=8,
    ),
)
def test_no_body_breaks_the_reading(status: int, body: Any) -> None:
    error = told(status, body)
    assert isinstance(error, MmaiError)
    assert error.message
