"""What calls say of the places they went to: kinds of failure, and what is kept of each place between processes."""

from enum import StrEnum

from msgspec import Struct


class FailureKind(StrEnum):
    """Why a call failed, as far as it matters for what follows."""

    CONNECT = "connect"
    """No connection, or it was reset before a byte of an answer came."""
    SILENT = "silent"
    """A connection, and no headers or no first token in time."""
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    """The account has nothing left."""
    SERVER = "server"
    """500, 502, 503, 504 or 529: it may pass."""
    NO_ANSWER = "no_answer"
    """Something that is no answer where one was due: a web page, an empty body, bytes that follow no protocol."""
    AUTH = "auth"
    """The credential was refused."""
    MODEL_GONE = "model_gone"
    INVALID = "invalid"
    """No server would take this request."""
    CONTEXT = "context"
    """The prompt is longer than the model's window."""
    FILTER = "filter"
    """A content filter stopped it."""
    CUT = "cut"
    """The answer ended early, or stalled, after it had begun."""
    DEADLINE = "deadline"
    """The time for the whole request was over."""
    OTHER = "other"
    """The user's own doing, or this machine's."""


class Strategy(StrEnum):
    """How calls are spread over the places that offer one model."""

    ADAPTIVE = "adaptive"
    """The better of two drawn at random, by peak latency and calls in flight."""
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"
    PERFORMANCE_WEIGHTED = "performance_weighted"
    GEOGRAPHIC = "geographic"
    COST_OPTIMISED = "cost_optimised"


class Place(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of one model at one endpoint under one credential; moments are Unix seconds, since processes share them."""

    key: str
    """`PROVIDER:MODEL@URL#CREDENTIAL`."""
    latency_ms: float | None = None
    """Peak-sensitive moving average of the time to the first token."""
    latency_at: float | None = None
    """When that was last measured."""
    failures: float = 0.0
    """Failures in a row, each by its weight."""
    recent: tuple[tuple[float, float], ...] = ()
    """Ends of the latest calls: when, and how much of a failure each was (0 is a success)."""
    openings: int = 0
    """How often in a row the breaker opened."""
    open_until: float | None = None
    """No call before this, while anybody else can answer; None is closed."""
    reason: str | None = None
    """Of the failure that opened it, one sentence."""
    limit: int | None = None
    """Calls at a time that were found to be wise, for all models there."""
    recovered_at: float | None = None
    """When it closed again: from then on its share of calls grows back."""


class Use(Struct, frozen=True, kw_only=True):
    """What is remembered of a local model: when it was called, and what it takes to hold and to load."""

    used_at: tuple[float, ...] = ()
    """Unix seconds, the latest last."""
    under_way: int = 0
    """Calls of living processes."""
    size_bytes: int | None = None
    """In memory, as it was seen there."""
    load_ms: float | None = None
    loaded_at: float | None = None
    """When it was loaded last, as far as mmai did that."""
