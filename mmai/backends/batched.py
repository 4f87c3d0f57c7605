"""What batch services have in common: a row from the events of its whole answer, and words for what is not there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import msgspec

from mmai.dialects.body import UNREADABLE
from mmai.errors import CallError, InvalidRequest, MmaiError, ProviderError, TimedOut
from mmai.values.batch import BatchAnswer
from mmai.values.event import Event, FinishedEvent, TextEvent, VectorEvent

Row = TypeVar("Row")

ABSENT = (404, 405, 501)


def read_rows(content: bytes, kind: type[Row]) -> Iterator[Row]:
    """The lines of a file of results. One that cannot be read is left out, and its row has no answer."""
    for line in content.split(b"\n"):
        with suppress(*UNREADABLE):
            yield msgspec.json.decode(line, type=kind)


def answered(name: str, events: Iterable[Event], *, model: str | None) -> BatchAnswer:
    """What came of the row `name`. `model` is the one the answer says it is of."""
    texts: list[str] = []
    vector: tuple[float, ...] | None = None
    end: FinishedEvent | None = None
    for event in events:
        match event:
            case TextEvent():
                texts.append(event.text)
            case VectorEvent():
                vector = event.values
            case FinishedEvent():
                end = event
    if end is None:
        return BatchAnswer(id=name, error=ProviderError("the answer to this row has no end"))
    return BatchAnswer(id=name, text="".join(texts), vector=vector, finish_reason=end.reason, usage=end.usage, model=model)


@contextmanager
def absent(what: str) -> Iterator[None]:
    """A server that does not know a path, or what it names, is said to be so.

    Raises:
        InvalidRequest: in the words of `what`.
    """
    try:
        yield
    except CallError as error:
        if error.status in ABSENT:
            raise InvalidRequest(what, status=error.status, body=error.body) from error
        raise


def expired() -> MmaiError:
    """A row whose turn did not come in time."""
    return TimedOut("the batch expired before this row was answered", phase="total")


def cancelled() -> MmaiError:
    """A row that nobody wanted any more."""
    return ProviderError("the batch was cancelled before this row was answered")
