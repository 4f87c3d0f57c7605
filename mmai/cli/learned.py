"""What `rate` and `select --reset-learning` work with: the history and what was learned from it, and no server."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct

from mmai.cli.frame import Frame
from mmai.clock import Clock
from mmai.engine.learning import Learning
from mmai.registry.store import Store
from mmai.telemetry.history import History
from mmai.values.output import Output


class Books(Struct, frozen=True):
    """Where runs are kept, and what was learned from them."""

    history: History
    learning: Learning
    clock: Clock


@contextmanager
def books(call: Frame) -> Iterator[Books]:
    """Open them, lazily, and close them whatever happens."""
    clock = Clock()
    with closing(History(call.paths.history, warn=call.warn)) as history:
        yield Books(history, Learning(Store(call.paths.registry, warn=call.warn), history, clock), clock)


def answer(call: Frame, data: Mapping[str, Any]) -> None:
    """What was done, in the forms a program reads; for a person the line on standard error is enough."""
    from mmai.render.table import Column, Table

    if call.output != Output.TABLE:
        cells = tuple(None if value is None else str(value) for value in data.values())
        call.emit(data, lambda: Table(columns=tuple(Column(name) for name in data), rows=[cells]))


def reset_learning(call: Frame) -> None:
    """Forget what was learned, and say what that was."""
    from mmai.render.learning import forgotten_data, forgotten_line

    with books(call) as kept:
        forgotten = kept.learning.reset()
    data = forgotten_data(forgotten.outcomes, forgotten.judged, learning_since=forgotten.learning_since)
    call.note(forgotten_line(data))
    answer(call, data)
