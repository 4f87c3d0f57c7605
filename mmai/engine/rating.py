"""What a person says of an answer: which run is meant, whether it can be rated, and for which kind of work it counts."""

from msgspec import Struct

from mmai.clock import Clock
from mmai.engine.learning import Learning
from mmai.errors import MmaiError, UsageError
from mmai.selection.analyze import analyze
from mmai.telemetry.history import History
from mmai.values.outcome import Outcome
from mmai.values.record import RunRecord
from mmai.values.request import Message, Request, TextPart
from mmai.values.task import TaskType

LAST = "last"

WHY_NOT = {
    "error": "it failed",
    "cancelled": "it was cancelled",
    "incomplete": "its answer is not whole",
    "running": "it is still running",
}
"""By status, why a run cannot be rated."""


class Rated(Struct, frozen=True, kw_only=True):
    """A run and what is said of it now."""

    run: RunRecord
    model: str
    task: TaskType
    rating: float | None
    """0 (worthless) to 1 (nothing missing); None: its rating was taken back."""
    previous: float | None
    """What was said of it before; None is nothing."""


def rate(
    which: str, rating: float | None, *, task: TaskType | None, history: History, learning: Learning, clock: Clock
) -> Rated:
    """Count what is said of a run, in place of what was said of it before. `which` is `last` or the beginning of an id.

    Raises:
        UsageError: no such run, or none that can be rated.
        StorageError: the rating cannot be kept; nothing was changed.
    """
    run = _find(which, history)
    model = _demand_answer(run)
    previous: Outcome | None = None
    outcome = None
    if rating is not None:
        outcome = Outcome(model=model, task=task or _task(run), value=rating, weight=1.0, signal="rating", at=clock.now())

    def count(before: Outcome | None) -> None:
        nonlocal previous
        previous = before
        if outcome is None and before is None:
            raise UsageError(f"run `{run.id}` has no rating to take back", hint=f"mmai rate {run.id} good")
        learning.record(*filter(None, (outcome,)), instead_of=before)

    history.rate(run.id, outcome, count=count)
    counted = outcome or previous
    assert counted is not None, "`count` raises where there is neither"
    return Rated(run=run, model=model, task=counted.task, rating=rating, previous=None if previous is None else previous.value)


def _find(which: str, history: History) -> RunRecord:
    if which == LAST:
        run = history.ended()
        if run is None:
            raise UsageError("the history has no run to rate", hint='mmai run "why is the sky blue?"')
        return run
    found = history.beginning(which.upper())
    match found:
        case [run]:
            return run
        case []:
            raise UsageError(f"the history has no run `{which}`", hint="mmai rate last good")
        case _:
            ids = " and ".join(f"`{run.id}`" for run in found)
            raise UsageError(f"`{which}` begins the ids of several runs, such as {ids}", hint=f"mmai rate {found[0].id} good")


def _demand_answer(run: RunRecord) -> str:
    """The model of a run that can be rated."""
    whole = run.status == "ok" or run.judgement == "schema_broken"
    if not whole:
        raise _not_rated(run, WHY_NOT.get(run.status, run.status))
    if run.model is None:
        raise _not_rated(run, "no model is known of it")
    if run.model.startswith("builtin:"):
        raise _not_rated(run, f"`{run.model}` is chosen only where no other model can be, whatever is said of it")
    if run.fingerprint is None:
        raise _not_rated(run, "it is a batch, or was made by an older mmai")
    return run.model


def _not_rated(run: RunRecord, reason: str) -> MmaiError:
    return UsageError(f"run `{run.id}` cannot be rated: {reason}", hint="mmai rate ID good")


def _task(run: RunRecord) -> TaskType:
    """What it was run for, or what its prompt asks."""
    if run.task is not None:
        return TaskType(run.task)
    if not run.prompt.strip():
        raise UsageError(
            f"which work run `{run.id}` is an example of cannot be read from its prompt, which is empty",
            hint=f"mmai rate {run.id} good --task TASK",
        )
    turns = [Message("system", (TextPart(run.system),))] if run.system else []
    return analyze(Request(messages=(*turns, Message("user", (TextPart(run.prompt),))))).task_type
