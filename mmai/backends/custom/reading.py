"""One answer by the paths of the settings: whole, or in the events or lines of a stream. Pure."""

from collections.abc import Iterator
from typing import Any

from msgspec import DecodeError, json

from mmai.backends.custom.outputs import Unfit, count, events, finish_reason, shown, words
from mmai.dialects.http import MAX_BODY_CHARS
from mmai.errors import ProtocolError, ProviderError
from mmai.values.event import Event, FinishedEvent, FinishReason, Usage
from mmai.values.service import AS_IT_CAME, OUTPUTS, ServiceResponse

UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON."""
JSON_ONLY = ("labels", "vector")
MAX_SKIPPED = 1


class NotJson(Exception):
    """A record is not JSON, and the paths need it to be."""


class Reading:
    """What has been read of one answer."""

    def __init__(self, response: ServiceResponse, *, where: str) -> None:
        """`where` names the service in messages."""
        outputs = {name: path for name in OUTPUTS if (path := getattr(response, name))}
        self._raw = [name for name, path in outputs.items() if path == AS_IT_CAME and name not in JSON_ONLY]
        self._paths = {name: path for name, path in outputs.items() if name not in self._raw}
        self._response = response
        self._where = where
        self._counts: dict[str, float] = {}
        self._seen = b""
        self.found = False
        """Any of an answer has come."""
        self.reason: FinishReason | None = None
        """Why the answer ended, once it says so."""
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
        if self._response.error and (error := self.find("error", self._response.error, document)):
            raise self.failure(words(error))
        for name in self._raw:
            yield from self._events(name, record)
        for name, path in self._paths.items():
            if (found := self.find(name, path, document)) not in (None, []):
                yield from self._events(name, found)
        self._note(document)

    def is_done(self, record: bytes) -> bool:
        """Whether the path of `done` finds in a record that it is the last."""
        path = self._response.done
        return path is not None and bool(self.find("done", path, self._document(record)))

    def find(self, name: str, path: str, document: Any) -> Any:
        """What a path leads to; None where there is nothing.

        Raises:
            ProtocolError: a function in it does not take what is there.
        """
        import jmespath  # noqa: PLC0415 15 ms, and adapters are opened to be asked what they can do
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415

        try:
            return jmespath.search(path, document)
        except JMESPathError as exc:
            raise self._strange(f"`{name}: {path}` cannot be read: {exc}") from exc

    def skip(self, record: bytes) -> None:
        """Pass over a record of a stream that is not JSON; the second is an error.

        Raises:
            ProtocolError: it is the second.
        """
        self.skipped += 1
        if self.skipped > MAX_SKIPPED:
            raise self._strange(f"{self.skipped} parts of the stream are not JSON, the last {shown(record)}")

    def failure(self, said: str) -> ProviderError:
        """The error of an answer that tells one, though its status was one of success."""
        return ProviderError(f"{self._where} failed: {said}", body=said[:MAX_BODY_CHARS])

    def not_json(self, record: bytes) -> ProtocolError:
        """The error of a whole answer that had to be JSON."""
        return self._strange(f"the answer is not JSON: {shown(record)}")

    def finished(self) -> FinishedEvent:
        """The last event.

        Raises:
            ProtocolError: no path of the settings led to anything.
        """
        if not self._seen:
            raise self._strange("the answer is empty")
        if not self.found:
            paths = [f"`{name}: {getattr(self._response, name)}`" for name in (*self._raw, *self._paths)]
            leads = f"{' and '.join(paths)} {'lead' if len(paths) > 1 else 'leads'} to nothing"
            raise self._strange(f"{leads} in {shown(self._seen)}")
        usage = Usage(**{name: value if name == "audio_s" else int(value) for name, value in self._counts.items()})  # type: ignore[arg-type]  # fields by name
        return FinishedEvent(reason=self.reason or "stop", usage=usage, skipped_lines=self.skipped)

    def _document(self, record: bytes) -> Any:
        try:
            return json.decode(record)
        except UNREADABLE as exc:
            if self._raw:
                return None
            raise NotJson from exc

    def _events(self, name: str, found: Any) -> Iterator[Event]:
        self.found = True
        try:
            yield from events(name, found)
        except Unfit as exc:
            path = getattr(self._response, name)
            raise self._strange(f"`{name}: {path}` leads to {exc}") from exc

    def _note(self, document: Any) -> None:
        """Keep what a record says of the answer as a whole; the last to say something counts."""
        for name, path in self._response.usage.items():
            if (value := count(self.find(name, path, document))) is not None:
                self._counts[name] = value
        ending = self._response.finish_reason
        if ending and (found := self.find("finish_reason", ending, document)):
            self.reason = finish_reason(found)

    def _strange(self, what: str) -> ProtocolError:
        body = self._seen[: MAX_BODY_CHARS * 4].decode("utf-8", "replace")[:MAX_BODY_CHARS]
        return ProtocolError(f"{self._where} did not answer as the settings say: {what}", hint="mmai config edit", body=body)
