"""`mmai rate`: say how good an answer was, and the next choice knows."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.errors import UsageError
from mmai.values.output import Output

RATINGS = {"bad": 0.0, "good": 1.0, "1": 0.0, "2": 0.25, "3": 0.5, "4": 0.75, "5": 1.0}


def rate(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[last|ID] good|bad|1..5",
            help="Which run, by its id or the beginning of it, and what it was worth; 5 is best.",
            show_default=False,
        ),
    ] = None,
    task: opt.TaskOption = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the rating of a run back.", show_default=False)] = False,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Say how good an answer was.

    It moves which model takes the next prompt of that kind. Rating a run again replaces what was said of it. `mmai run --json`
    has the id of a run.

    \b
    Examples:
      mmai rate good
      mmai rate last 2
      mmai rate 01J9ZK bad
      mmai rate last --undo
    """
    call = frame("rate", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.learned import answer, books
    from mmai.engine import rating
    from mmai.render.learning import rated_data, rated_line

    which, value = _said(words or [], undo=undo)
    with books(call) as kept:
        rated = rating.rate(which, value, task=task, history=kept.history, learning=kept.learning, clock=kept.clock)
    data = rated_data(rated.run, model=rated.model, task=rated.task, rating=rated.rating, previous=rated.previous)
    call.note(rated_line(data))
    answer(call, data)


def _said(words: list[str], *, undo: bool) -> tuple[str, float | None]:
    """Which run is meant, and what it was worth; None takes back what was said."""
    *which, verdict = [*words, ""] if undo else words or [""]
    if len(which) > 1:
        raise UsageError(f"`{' '.join(words)}` is more than a run and its rating", hint="mmai rate last good")
    if verdict.lower() not in RATINGS and not undo:
        said = f"`{verdict}` is no rating" if verdict else "there is no rating"
        raise UsageError(f"{said}: it is good, bad, or a number from 1 to 5", hint="mmai rate last good")
    return which[0] if which else "last", None if undo else RATINGS[verdict.lower()]
