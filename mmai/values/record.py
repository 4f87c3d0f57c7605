"""What happened in one run: kept in the history, shown by `-v` and JSON."""

from typing import Literal

from msgspec import Struct

from mmai.values.event import ServerTimings, Usage
from mmai.values.execution import Execution, ExecutorName

RunStatus = Literal["running", "ok", "error", "cancelled", "incomplete"]

Judgement = Literal["schema_kept", "schema_broken", "empty"]
"""What a run itself tells of its answer."""


class Attempt(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One call of one model at one endpoint."""

    model: str
    endpoint: str | None = None
    credential: int = 0
    """Which of several keys, counted from 0."""
    cost_usd: float | None = None
    """What it cost as far as that is known; a call that brought nothing has none."""
    failure: str | None = None
    """The error's code (`errors.py`), or None when it answered."""
    message: str | None = None
    status: int | None = None
    """HTTP status, where there was one."""
    ms: float
    """From sending to the end of this attempt."""
    executor: ExecutorName | None = None
    """What ran the model, where that was on this machine and not behind a server."""


class Timings(Struct, frozen=True, kw_only=True):
    """Milliseconds, as seen from here. None where the moment did not come."""

    startup_ms: float | None = None
    """From mmai's own first line to the first request being sent; the interpreter's start comes before."""
    ttft_ms: float | None = None
    """From sending the request that answered to its first text, reasoning or other content."""
    total_ms: float | None = None
    """From sending the first request to the end of the last."""


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run of one prompt."""

    id: str
    """Sorts by time of start."""
    started_at: float
    """Unix seconds."""
    status: RunStatus
    prompt: str
    system: str = ""
    text: str = ""
    """What came of the answer, whole or not."""
    model: str | None = None
    """The model that answered last."""
    task: str | None = None
    automatic: bool = False
    """mmai chose the model."""
    finish_reason: str | None = None
    error_code: str | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    timings: Timings = Timings()
    server: ServerTimings = ServerTimings()
    attempts: tuple[Attempt, ...] = ()
    execution: Execution | None = None
    """How the last model was run, where that was on this machine and not behind a server; of a run that failed, by what."""
    fingerprint: str | None = None
    """Alike for two requests of the same messages and attachments, and no text of them; None for a batch."""
    conversation: str | None = None
    """Id of the first run of the conversation it goes on with; None is a beginning, and empty what nobody goes on with: one of
    many, or a summary.
    """
    judgement: Judgement | None = None
    """None where nothing tells whether the answer was any good."""
