"""Many requests handed to a provider at once, to be answered within a day for less."""

from typing import Any, Literal

from msgspec import Struct

from mmai.errors import MmaiError
from mmai.values.event import FinishReason, Usage
from mmai.values.model import Price
from mmai.values.request import Request

BatchState = Literal["running", "ended", "failed", "expired", "cancelled"]
"""`ended` has results to collect, as may `expired` and `cancelled`; `failed` was refused as a whole."""


class BatchRow(Struct, frozen=True):
    """One request, and the name its answer will come back under: letters, digits, `-` and `_`, at most 64."""

    id: str
    request: Request


class BatchFault(Struct, frozen=True):
    """What a provider has against a batch as a whole."""

    message: str
    row: int | None = None
    """The row it is about, from 0, where it is about one."""


class BatchStatus(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How far a batch is."""

    id: str
    """The provider's own."""
    state: BatchState
    total: int | None = None
    succeeded: int = 0
    failed: int = 0
    faults: tuple[BatchFault, ...] = ()
    """Why it failed, as the provider says it."""

    @property
    def done(self) -> int:
        """Rows that will not change any more."""
        return self.succeeded + self.failed


class BatchAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to one row, or why there is none."""

    id: str
    text: str = ""
    vector: tuple[float, ...] | None = None
    """What an embedding model makes of the row."""
    finish_reason: FinishReason | None = None
    usage: Usage = Usage()
    model: str | None = None
    """The name the provider says it used."""
    error: MmaiError | None = None


class BatchLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a batch file, without its prompt: what is needed to put the answer in its place."""

    name: str
    """The `BatchRow.id`. It names the line's number and content, so that an answer never lands on another prompt."""
    number: int
    """Of the line in the file, from 1."""
    id: str | int | None = None
    """What the user calls it."""
    carried: dict[str, Any] = {}
    """The fields that go through to the output as they are."""


class BatchRecord(Struct, frozen=True, kw_only=True):
    """A batch that was submitted, with all that collecting it needs; it lasts beyond the process."""

    id: str
    """The provider's own."""
    key: str
    """Hash of everything that was sent and to whom: the same file and options have the same."""
    provider: str
    endpoint: str | None
    model: str | None
    """The model's name at its provider; None where nobody remembers it."""
    submitted_at: float
    """Unix seconds."""
    lines: tuple[BatchLine, ...]
    source: str
    """The file the prompts came from, as the user named it."""
    discount: float = 0.0
    """Share of the usual price that is saved, 0 to 1."""
    price: Price | None = None
    """The usual price, as it was known then."""
    schema: dict[str, Any] | None = None
    out: str | None = None
    """Absolute path of the file the answers go to; None is standard output."""
    run_id: str | None = None
    """Under which it stands in the history; None leaves no trace there."""
    closed: bool = False
    """Its answers were collected, or there never will be any."""

    @property
    def ref(self) -> str:
        """`provider:model`, or the provider alone."""
        return f"{self.provider}:{self.model}" if self.model else self.provider
