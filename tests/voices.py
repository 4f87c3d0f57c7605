"""How each protocol says what every provider has to say: one voice for each, so that one table of failures is held over all of
them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fakes import anthropic as claude
from fakes import google as gemini
from fakes import homemade
from fakes import ollama as native
from fakes import openai as gpt
from msgspec import convert

from mmai.values.endpoint import Endpoint, Timeouts, key_variables
from mmai.values.service import Service

KEY = "sk-voice-0123456789abcdef"
"""The key every call carries; no output may hold it."""

Fake = native.FakeOllama | claude.FakeAnthropic | gemini.FakeGoogle | gpt.FakeOpenAI | homemade.FakeService


class Said(NamedTuple):
    """A failure as it goes over the wire."""

    status: int
    body: Any


@dataclass(frozen=True)
class Voice:
    """One protocol."""

    provider: str
    model: str
    """A model its fake has."""
    fake: Callable[[], Fake]
    plain: Callable[[int, str], Any]
    """The body of a failure with this status and these words."""
    failures: Mapping[str, Said]
    """`unknown_model`, `invalid`, `context` and `quota` as the provider words them, where it has words for them."""
    frame: Callable[[str], bytes]
    """An event of a stream that holds this text."""
    ends: Mapping[str, Mapping[str, Any]]
    """How `streams` is told that an answer ends early: for `length`, and for `filter` where there is one."""
    within: Callable[[Any], Any] = lambda body: body
    """What the body of a failure becomes as an event."""
    in_words: bool = False
    """A failure among the events of a stream is words alone, and so nobody is called again."""
    kind: str = ""
    """The adapter, where that is not called as the provider."""
    address: str | None = None
    """The variable that says where it is; None where only the settings can."""
    header: str = "authorization"
    """Which header carries the key."""
    base: str = ""
    """What the endpoint has after the address of the server."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """What the settings have to say of it."""
    api: str | None = None
    """Which of the provider's protocols it is."""

    @property
    def adapter(self) -> str:
        """The adapter that speaks it."""
        return self.kind or self.provider

    @property
    def ref(self) -> str:
        """`provider:name`."""
        return f"{self.provider}:{self.model}"

    @property
    def variable(self) -> str:
        """The variable that holds the key."""
        return key_variables(self.provider)[0]

    @property
    def failing(self) -> bytes:
        """An event that says the server has failed, and quotes the key."""
        return self.frame(json.dumps(self.within(self.said(503).body)))

    @property
    def malformed(self) -> bytes:
        """An event that is none, and quotes the key."""
        return self.frame(f'{{"choices": ["{KEY}')

    def said(self, failure: str | int) -> Said:
        """A failure by its name, or by nothing but its status, in which case the server quotes the key."""
        return self.failures[failure] if isinstance(failure, str) else Said(failure, self.plain(failure, f"refused: {KEY}"))

    def credential(self, key: str) -> str:
        """What the header says."""
        return f"Bearer {key}" if self.header == "authorization" else key

    def at(self, server: Fake, key: str | None = KEY) -> dict[str, str]:
        """An environment in which the server is the provider."""
        place = {self.address: server.url + self.base} if self.address else {}
        return place | ({self.variable: key} if key else {})

    def settings(self, server: Fake, **more: Any) -> str:
        """Settings in which the server is the provider."""
        row = {"endpoint": server.url + self.base, **self.row, **more}
        return json.dumps({"backends": {self.provider: row}})

    def endpoint(self, url: str, timeouts: Timeouts) -> Endpoint:
        """The place to call."""
        options = {"service": convert(self.row, Service)} if self.row else {}
        return Endpoint(provider=self.provider, kind=self.adapter, url=url + self.base, timeouts=timeouts, options=options)


def sse(text: str) -> bytes:
    """A server-sent event without a name."""
    return f"data: {text}\n\n".encode()


def ollama() -> Voice:
    """Ollama's native API. It knows no quota of its own: 402 comes from its cloud."""
    return Voice(
        provider="ollama",
        model="llama3.2:3b",
        address="OLLAMA_HOST",
        fake=lambda: native.FakeOllama(*native.usual_models()),
        plain=lambda status, words: {"error": words},
        failures={
            "unknown_model": Said(404, {"error": "model 'llama3.2:3b' not found"}),
            "invalid": Said(400, {"error": "invalid options: mirostat"}),
            "context": Said(400, {"error": "the input length exceeds the context length"}),
            "quota": Said(402, {"error": "this model requires a subscription"}),
        },
        frame=lambda text: text.encode() + b"\n",
        ends={"length": {"done_reason": "length"}},
    )


def openai(model: str = "gpt-4.1-mini", **differs: Any) -> Voice:
    """OpenAI's chat completions."""
    too_long = "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens."
    spent = gpt.fault("You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota")
    return Voice(
        provider="openai",
        model=model,
        address="OPENAI_BASE_URL",
        base="/v1",
        fake=lambda: gpt.FakeOpenAI(*gpt.usual_models(), gpt.FakeModel("gpt-5.4-pro", reasons=True), key=KEY),
        plain=lambda status, words: gpt.fault(words, kind=OPENAI_TYPES.get(status, "server_error")),
        failures={
            "unknown_model": Said(404, gpt.fault(f"The model `{model}` does not exist.", code="model_not_found")),
            "invalid": Said(400, gpt.fault("Invalid 'messages[0].content': string too long.", param="messages")),
            "context": Said(400, gpt.fault(too_long, code="context_length_exceeded", param="messages")),
            "quota": Said(429, spent),
        },
        frame=sse,
        ends={"length": {"finish_reason": "length"}, "filter": {"finish_reason": "content_filter"}},
        **differs,
    )


def response_error(body: Any) -> dict[str, Any]:
    """The event `error` of OpenAI's responses, in which the code stands for the type."""
    return {"type": "error", "code": body["error"]["type"], "message": body["error"]["message"], "param": None}


def anthropic() -> Voice:
    """The Messages API. Each error has a type, which most statuses share."""
    broke = "Your credit balance is too low to access the Anthropic API."
    return Voice(
        provider="anthropic",
        model="claude-haiku-5-5",
        address="ANTHROPIC_BASE_URL",
        header="x-api-key",
        fake=lambda: claude.FakeAnthropic(*claude.usual_models(), key=KEY),
        plain=lambda status, words: claude.error_body(ANTHROPIC_TYPES.get(status, "api_error"), words),
        failures={
            "unknown_model": Said(404, claude.error_body("not_found_error", "model: claude-haiku-5-5")),
            "invalid": Said(400, claude.error_body("invalid_request_error", "messages.0: Field required")),
            "context": Said(400, claude.error_body("invalid_request_error", "prompt is too long: 1200000 tokens > 1000000")),
            "quota": Said(400, claude.error_body("invalid_request_error", broke)),
        },
        frame=lambda text: f"event: error\ndata: {text}\n\n".encode(),
        ends={"length": {"stop_reason": "max_tokens"}, "filter": {"stop_reason": "refusal"}},
    )


def google() -> Voice:
    """The Gemini API."""
    too_long = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    a_day = gemini.quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20")
    return Voice(
        provider="google",
        model="gemini-2.5-flash",
        address="GOOGLE_GEMINI_BASE_URL",
        header="x-goog-api-key",
        fake=lambda: gemini.FakeGoogle(*gemini.usual_models(), key=KEY),
        plain=lambda status, words: gemini.error(status, words, status=gemini.STATUSES.get(status, "UNKNOWN")),
        failures={
            "unknown_model": Said(404, gemini.error(404, "models/gemini-2.5-flash is not found for API version v1beta")),
            "invalid": Said(400, gemini.error(400, "Request contains an invalid argument.")),
            "context": Said(400, gemini.error(400, too_long)),
            "quota": Said(429, gemini.error(429, "You exceeded your current quota", a_day, gemini.retry_info("17s"))),
        },
        frame=sse,
        ends={"length": {"finish_reason": "MAX_TOKENS"}, "filter": {"finish_reason": "SAFETY"}},
    )


def custom() -> Voice:
    """A service that the settings describe. Its failures have a status, and words that mean nothing to anybody else."""
    return Voice(
        provider="homemade",
        kind="custom",
        model="parrot",
        fake=lambda: homemade.FakeService(key=KEY),
        plain=lambda status, words: {"error": words},
        failures={"invalid": Said(400, {"error": "no question"}), "quota": Said(402, {"error": "pay first"})},
        frame=sse,
        in_words=True,
        ends={"length": {"ended": "length"}, "filter": {"ended": "content_filter"}},
        row=homemade.ROW,
    )


OPENAI_TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 429: "requests", 503: "service_unavailable"}
"""Status to `type`; source: OpenAI API, "Error codes"."""
ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Status to `type`; source: Messages API, "Errors"."""

VOICES = {
    "ollama": ollama(),
    "openai": openai(),
    "openai responses": openai("gpt-5.4-pro", api="responses", within=response_error),
    "anthropic": anthropic(),
    "google": google(),
    "custom": custom(),
}
