"""Server-sent events out of bytes that arrive in any pieces. What an event means is for the dialect that asked for it.

Source: WHATWG HTML, "Server-sent events", interpretation of an event stream.
"""

import re

from msgspec import Struct

from mmai.errors import ProtocolError

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A generated image comes in one event."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Frame(Struct, frozen=True):
    """One event: its type, where the server names one, and its data, which may be empty."""

    event: str | None
    data: bytes


class Frames:
    """An incremental parser. It cuts between bytes and never decodes data, so that a split character is whole again."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._rest = bytearray()
        self._searched = 0
        """Bytes of `_rest` that are known to hold no line end."""
        self._event: str | None = None
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._at_start = True
        self.strays = bytearray()
        """Lines that are no field of an event: some servers write an error after their events as plain JSON."""

    def feed(self, data: bytes) -> list[Frame]:
        """The events that `data` completes.

        Raises:
            ProtocolError: an event, finished or not, is longer than `max_event_bytes`.
        """
        self._rest += data
        # A line end may be split: `\r` now, `\n` in the next piece.
        end = len(self._rest) - self._rest.endswith(b"\r")
        frames: list[Frame] = []
        start = 0
        for found in _LINE_END.finditer(self._rest, self._searched, end):
            self._line(bytes(self._rest[start : found.start()]), frames)
            start = found.end()
        del self._rest[:start]
        self._searched = end - start
        self._check()
        return frames

    def close(self) -> list[Frame]:
        """The event the stream ended in, though the blank line after it is missing: some servers leave it out."""
        frames: list[Frame] = []
        self._line(bytes(self._rest).rstrip(b"\r"), frames)
        self._rest.clear()
        self._line(b"", frames)
        return frames

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if line:
            self._field(line)
        elif self._data:
            frames.append(Frame(self._event, b"\n".join(self._data)))
            self._event, self._data, self._data_bytes = None, [], 0
        else:
            self._event = None

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name not in (b"", b"id", b"retry"):
            self.strays += line + b"\n"

    def _check(self) -> None:
        if self._data_bytes + len(self._rest) + len(self.strays) > self._max_event_bytes:
            raise ProtocolError(
                f"the answer has an event of more than {self._max_event_bytes // 1024} KiB, which no provider sends"
            )
