"""What every adapter promises. One contract test holds all of them to it."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from mmai.errors import (
    AuthError,
    CannotConnect,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    UnknownModel,
)
from mmai.values.batch import BatchAnswer, BatchRow, BatchStatus
from mmai.values.event import Event
from mmai.values.health import Health, Loaded
from mmai.values.model import ModelCard
from mmai.values.package import Package
from mmai.values.preview import Preview
from mmai.values.pull import PullProgress
from mmai.values.request import Request
from mmai.values.traffic import FailureKind


class RetryAdvice(Struct, frozen=True):
    """What the adapter makes of a failure. It classifies; the engine acts."""

    kind: FailureKind
    wait_s: float | None = None
    """The provider's own wish before the next call."""


class Backend(Protocol):
    """One endpoint of one provider."""

    provider: str
    endpoint: str | None
    """Base URL; None for embedded models."""

    async def list_models(self) -> Sequence[ModelCard]:
        """What this endpoint offers now.

        Raises:
            CallError: it could not be asked.
        """
        ...

    def assume(self, name: str) -> ModelCard:
        """The card of a model nobody has listed yet, on the user's word. Never asks the network.

        Raises:
            UnknownModel: this adapter knows all its models, and that is none of them.
        """
        ...

    def can_handle(self, model: ModelCard, request: Request) -> str | None:
        """None when it can; otherwise why not, in a sentence. Looks at the request alone, never at the network."""
        ...

    def preview(self, model: ModelCard, request: Request) -> Preview:
        """What `infer` would send first."""
        ...

    def infer(self, model: ModelCard, request: Request) -> AsyncGenerator[Event, None]:
        """Stream the answer; the last event is `FinishedEvent`. Closing the iterator cancels the call upstream.

        Raises:
            CallError: while iterating; text already yielded stays valid.
        """
        ...

    async def health_check(self) -> Health:
        """Whether it answers at all. Never raises."""
        ...

    def advise(self, error: MmaiError) -> RetryAdvice:
        """What to do about an error this adapter raised."""
        ...

    async def aclose(self) -> None:
        """Close connections. May be called twice."""
        ...


@runtime_checkable
class Resident(Protocol):
    """A backend whose server holds weights in memory."""

    async def ensure_ready(self, model: ModelCard, *, timeout_s: float, keep_alive: float | str | None = None) -> Loaded:
        """Load the weights if they are not, and wait until they are.

        | state before | what happens |
        |---|---|
        | loaded | returns at once |
        | loading | waits for that load |
        | not loaded | loads, waits |
        | not downloaded | raises `UnknownModel` |

        Callers never look at the state first. `keep_alive` is for how long from now on, in seconds or as in `10m`; negative is for
        good, and None what is usual.

        Raises:
            CallError: the load failed; `TimedOut` when it took longer than `timeout_s`.
        """
        ...

    async def loaded(self) -> Sequence[Loaded]:
        """What is in memory now."""
        ...

    async def unload(self, model: ModelCard) -> None:
        """Let the weights go. Unloading what is not loaded is no error."""
        ...


@runtime_checkable
class Library(Protocol):
    """A backend that downloads models to where they run."""

    def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model. It is there when the iterator ends; closing the iterator stops, and a later pull goes on from there.

        Raises:
            UnknownModel: the provider has none of that name.
            CallError: while iterating; `IncompleteAnswer` when it ended without success.
        """
        ...

    async def remove(self, name: str) -> None:
        """Delete a downloaded model.

        Raises:
            UnknownModel: it is not there.
            CallError: the server could not be asked.
        """
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A backend whose models are files on this machine, of which a card keeps no more than is needed to choose and to run them."""

    def inspect(self, model: ModelCard) -> Package:
        """Everything its files say, read anew.

        Raises:
            UnknownModel: it is gone.
            CannotRun: it cannot be read.
        """
        ...


@runtime_checkable
class Counter(Protocol):
    """A backend whose provider counts the tokens of a request without answering it."""

    async def count_tokens(self, model: ModelCard, request: Request) -> int:
        """Input tokens as the provider will bill them.

        Raises:
            CallError: it could not be asked.
        """
        ...


@runtime_checkable
class Batches(Protocol):
    """A backend whose provider answers many requests within a day for less."""

    batch_discount: float
    """Share of the usual price that is saved, 0 to 1."""
    batch_limit: int
    """Most rows of one batch."""

    async def submit_batch(self, model: ModelCard, rows: Sequence[BatchRow]) -> str:
        """Hand the rows over; returns the provider's id of the batch.

        Raises:
            CallError: it was not taken.
        """
        ...

    async def batch_status(self, batch_id: str) -> BatchStatus:
        """How far it is.

        Raises:
            InvalidRequest: there is no such batch.
            CallError: it could not be asked.
        """
        ...

    def batch_answers(self, batch_id: str) -> AsyncGenerator[BatchAnswer, None]:
        """What came of the rows, in any order; a row that was never answered may be missing.

        Raises:
            CallError: while iterating.
        """
        ...

    async def cancel_batch(self, batch_id: str) -> None:
        """Ask for the rest not to be answered.

        Raises:
            CallError: it could not be asked.
        """
        ...


PASSING = frozenset((408, 409, 425, 500, 502, 503, 504, 529))
"""Statuses of failures that may be over with the next call."""


def advise(error: MmaiError) -> RetryAdvice:
    """The rule for HTTP providers, class by class; an adapter with better knowledge answers first."""
    return RetryAdvice(_kind(error), error.retry_after_s if isinstance(error, RateLimited | ProviderError) else None)


def _kind(error: MmaiError) -> FailureKind:
    match error:
        case ContextOverflow():
            return FailureKind.CONTEXT
        case InvalidRequest():
            return FailureKind.INVALID
        case IncompleteAnswer(reason="filter" | "length"):
            return FailureKind.FILTER
        case IncompleteAnswer():
            return FailureKind.CUT
        case QuotaExceeded():
            return FailureKind.QUOTA
        case AuthError():
            return FailureKind.AUTH
        case UnknownModel():
            return FailureKind.MODEL_GONE
        case RateLimited():
            return FailureKind.RATE_LIMITED
        case TimedOut():
            return FailureKind.DEADLINE if error.phase == "total" else FailureKind.SILENT
        case CannotConnect():
            return FailureKind.CONNECT
        case ProviderError():
            return FailureKind.SERVER if error.status in PASSING else FailureKind.NO_ANSWER
        case _:
            return FailureKind.OTHER
