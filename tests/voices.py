"""How each protocol says what every provider has to say: one voice for each adapter, so that one table of failures is held over
all of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fakes import anthropic as claude
from fakes import google as gemini
from fakes import ollama as native

from mmai.values.endpoint import Endpoint, Timeouts, key_variables

KEY = "sk-voice-0123456789abcdef"
"""The key every call carries; no output may hold it."""


Fake = native.FakeOllama | claude.FakeAnthropic | gemini.FakeGoogle


class Said(NamedTuple):
    """A failure as it goes over the wire."""

    status: int
    body: Any


@dataclass(frozen=True)
class Voice:
    """One protocol."""

    kind: str
    """The adapter, and the provider in the settings."""
    model: str
    """A model its fake has."""
    address: str
    """The variable that says where it is."""
    fake: Callable[[], Fake]
    failures: Mapping[str, Said]
    """`unknown_model`, `invalid`, `context` and `quota`, as the provider words them."""
    plain: Callable[[int, str], Any]
    """The body of a failure with this status and these words."""
    event: Callable[[Any], bytes]
    """An event of a stream that holds this."""
    in_words: bool = False
    """A failure among the events of a stream is words alone, and so never called again."""
    filtered: Mapping[str, Any] | None = None
    """How `streams` is told that a content filter ended the answer; None where there is no such filter."""
    header: str = "authorization"
    """Which header carries the key."""
    base: str = ""
    """What the endpoint has after the address of the server."""

    @property
    def variable(self) -> str:
        """The variable that holds the key."""
        return key_variables(self.kind)[0]

    def credential(self, key: str) -> str:
        """What the header says."""
        return f"Bearer {key}" if self.header == "authorization" else key

    def at(self, server: Fake, key: str | None = KEY) -> dict[str, str]:
        """An environment in which the server is the provider."""
        return {self.address: server.url + self.base, **({self.variable: key} if key else {})}

    @property
    def ref(self) -> str:
        """`provider:name`."""
        return f"{self.kind}:{self.model}"

    @property
    def failing(self) -> bytes:
        """An event that says the server has failed, and quotes the key."""
        return self.event(self.said(503).body)

    @property
    def malformed(self) -> bytes:
        """An event that is none, and quotes the key."""
        return self.event({}).replace(b"{}", b'{"choices": ["%s' % KEY.encode())

    def said(self, failure: str | int) -> Said:
        """A failure by its name, or by nothing but its status, in which case the server quotes the key."""
        return self.failures[failure] if isinstance(failure, str) else Said(failure, self.plain(failure, f"refused: {KEY}"))

    def endpoint(self, url: str, *, silence_s: float = 5.0) -> Endpoint:
        """The place to call; silence is given up after `silence_s` seconds."""
        timeouts = Timeouts(first_token_s=silence_s, stall_s=silence_s)
        return Endpoint(provider=self.kind, kind=self.kind, url=url + self.base, timeouts=timeouts)


def ollama() -> Voice:
    """Ollama's native API. It knows no quota of its own: 402 comes from its cloud."""
    return Voice(
        kind="ollama",
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
        event=lambda value: json.dumps(value).encode() + b"\n",
        in_words=True,
    )


def google() -> Voice:
    """The Gemini API."""
    too_long = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    return Voice(
        kind="google",
        model="gemini-2.5-flash",
        address="GOOGLE_GEMINI_BASE_URL",
        header="x-goog-api-key",
        fake=lambda: gemini.FakeGoogle(*gemini.usual_models(), key=KEY),
        plain=lambda status, words: gemini.error(status, words, status=gemini.STATUSES.get(status, "UNKNOWN")),
        failures={
            "unknown_model": Said(404, gemini.error(404, "models/gemini-2.5-flash is not found for API version v1beta")),
            "invalid": Said(400, gemini.error(400, "Request contains an invalid argument.")),
            "context": Said(400, gemini.error(400, too_long)),
            "quota": Said(
                429,
                gemini.error(
                    429,
                    "You exceeded your current quota",
                    gemini.quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20"),
                    gemini.retry_info("17s"),
                ),
            ),
        },
        event=gemini.event,
        filtered={"finish_reason": "SAFETY"},
    )


def anthropic() -> Voice:
    """The Messages API. Each error has a type, which most statuses share."""
    broke = "Your credit balance is too low to access the Anthropic API."
    kinds = {status: kind for kind, status in TYPES.items()}
    return Voice(
        kind="anthropic",
        model="claude-haiku-5-5",
        address="ANTHROPIC_BASE_URL",
        header="x-api-key",
        fake=lambda: claude.FakeAnthropic(*claude.usual_models(), key=KEY),
        plain=lambda status, words: claude.error_body(kinds.get(status, "api_error"), words),
        failures={
            "unknown_model": Said(404, claude.error_body("not_found_error", "model: claude-haiku-5-5")),
            "invalid": Said(400, claude.error_body("invalid_request_error", "messages.0: Field required")),
            "context": Said(400, claude.error_body("invalid_request_error", "prompt is too long: 1200000 tokens > 1000000")),
            "quota": Said(400, claude.error_body("invalid_request_error", broke)),
        },
        event=lambda value: f"event: {value.get('type')}\ndata: {json.dumps(value)}\n\n".encode(),
        filtered={"stop_reason": "refusal"},
    )


TYPES = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Of the Messages API; source: its documentation, "Errors"."""

VOICES = {"ollama": ollama(), "anthropic": anthropic(), "google": google()}
