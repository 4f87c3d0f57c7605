"""Many requests handed to a provider at once, to be answered within a day for less."""

from typing import Literal

from msgspec import Struct

from mmai.values.event import FinishReason, Usage
from mmai.values.request import Request

BatchState = Literal["running", "ended", "failed", "expired", "cancelled"]
"""`ended` has results to collect, as may `expired` and `cancelled`; `failed` was refused as a whole."""


class BatchRow(Struct, frozen=True):
    """One request, and the name its answer will come back under: letters, digits, `-` and `_`, at most 64."""

    id: str
    request: Request


class BatchStatus(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How far a batch is."""

    id: str
    """The provider's own."""
    state: BatchState
    total: int | None = None
    succeeded: int = 0
    failed: int = 0
    reason: str | None = None
    """Why it failed, as the provider says it."""


class BatchAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to one row, or why there is none."""

    id: str
    text: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage = Usage()
    error: str | None = None
    """One sentence."""
    error_code: str | None = None
