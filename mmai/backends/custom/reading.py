"""One answer by the paths of the settings: whole, or in the events or lines of a stream. Pure."""

from collections.abc import Iterator
from typing import Any

from msgspec import json

from mmai.backends.custom.outputs import Unfit, count, events, finish_reason, shown, told_of_none
from mmai.backends.custom.paths import Paths, Unreadable
from mmai.dialects.body import UNREADABLE, words
from mmai.dialects.http import MAX_BODY_CHARS
from mmai.errors import IncompleteAnswer, ProtocolError, ProviderError
from mmai.values.event import Event, FinishedEvent, FinishReason, Usage

MAX_SKIPPED = 1
EARLY = ("filter", "length")
"""Why an answer may end before anything of it has come."""


class NotJson(Exception):
    """A record is not JSON, and the paths need it to be."""


class Reading:
    """What has been read of one answer."""

    def __init__(self, paths: Paths, *, where: str) -> None:
        """`where` names the service in messages."""
        self._paths = paths
        self._where = where
        self._counts: dict[str, float] = {}
        self._seen = b""
        self.found = False
        """Any of an answer has come."""
        self.reason: FinishReason | None = None
        """Why the answer ended, once it says so."""
        self.done = False
        """The path of `done` found that this is all."""
        self.skipped = 0

    def read(self, record: bytes) -> Iterator[Event]:
        """The events of a whole body, or of one event or line of a stream.

        Raises:
            ProviderError: while iterating: the service says that it failed.
            ProtocolError: what a path leads to is not what it should be.
            NotJson: it has to be JSON, and is not.
        """
        self._seen = self._seen or record
        document = self._document(record)
        self._fail(document)
        for name in self._paths.raw:
            yield from self._events(name, record)
        for name in self._paths.outputs:
            found = self._find(name, document)
            if found is not None and (found != [] or (name == "labels" and told_of_none(document))):
                yield from self._events(name, found)
        self._note(document)

    def end(self, record: bytes) -> None:
        """Take what the event that ends a stream says of the answer as a whole. It need not be JSON.

        Raises:
            ProviderError: it says that the service failed.
        """
        try:
            document = json.decode(record)
        except UNREADABLE:
            return
        self._seen = self._seen or record
        self._fail(document)
        self._note(document)

    def skip(self, record: bytes) -> None:
        """Pass over a record of a stream that is not JSON; the second is an error.

        Raises:
            ProtocolError: it is the second.
        """
        self.skipped += 1
        if self.skipped > MAX_SKIPPED:
            raise self._strange(f"{self.skipped} parts of the stream are not JSON, the last {shown(record)}")

    def finished(self) -> FinishedEvent:
        """The last event.

        Raises:
            ProtocolError: no path of the settings led to anything, though nothing ended the answer before its first word.
        """
        if not self._seen:
            raise self._strange("the answer is empty")
        if not self.found and self.reason not in EARLY:
            paths = [self._paths.shown(name) for name in self._paths.outputs]
            leads = f"{' and '.join(paths)} {'lead' if len(paths) > 1 else 'leads'} to nothing"
            raise self._strange(f"{leads} in {shown(self._seen)}")
        usage = Usage(**{name: value if name == "audio_s" else int(value) for name, value in self._counts.items()})  # type: ignore[arg-type]  # fields by name
        return FinishedEvent(reason=self.reason or "stop", usage=usage, skipped_lines=self.skipped)

    def failure(self, said: str) -> ProviderError:
        """The error of an answer that tells one, though its status was one of success."""
        return ProviderError(f"{self._where} failed: {said}", body=said[:MAX_BODY_CHARS])

    def not_json(self, record: bytes) -> ProtocolError:
        """The error of a whole answer that had to be JSON."""
        return self._strange(f"the answer is not JSON: {shown(record)}")

    def cut(self, mark: str) -> IncompleteAnswer:
        """The error of a stream that ended without its mark."""
        return IncompleteAnswer(f"{self._where} ended the answer before `{mark}`", reason="cut")

    def _document(self, record: bytes) -> Any:
        try:
            return json.decode(record)
        except UNREADABLE as exc:
            if self._paths.raw:
                return None
            raise NotJson from exc

    def _fail(self, document: Any) -> None:
        if error := self._find("error", document):
            raise self.failure(words(error))

    def _find(self, name: str, document: Any) -> Any:
        try:
            return self._paths.find(name, document)
        except Unreadable as exc:
            raise self._strange(f"{self._paths.shown(name)} cannot be read: {exc}") from exc

    def _events(self, name: str, found: Any) -> Iterator[Event]:
        self.found = True
        try:
            yield from events(name, found)
        except Unfit as exc:
            raise self._strange(f"{self._paths.shown(name)} leads to {exc}") from exc

    def _note(self, document: Any) -> None:
        """Keep what a record says of the answer as a whole; the last to say something counts."""
        for name in self._paths.usage:
            if (value := count(self._find(name, document))) is not None:
                self._counts[name] = value
        if found := self._find("finish_reason", document):
            self.reason = finish_reason(found)
        self.done = bool(self._find("done", document))

    def _strange(self, what: str) -> ProtocolError:
        body = self._seen[: MAX_BODY_CHARS * 4].decode("utf-8", "replace")[:MAX_BODY_CHARS]
        return ProtocolError(f"{self._where} did not answer as the settings say: {what}", hint="mmai config edit", body=body)
