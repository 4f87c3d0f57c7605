"""Lines out of bytes that arrive in any pieces. What a line means is for the dialect that asked for it."""

from mmai.errors import ProtocolError

MAX_LINE_BYTES = 8 * 1024 * 1024


class Lines:
    """An incremental splitter at `\\n`; a `\\r` before it and blank lines are dropped.

    It cuts between bytes and never decodes, so a character split over two pieces is whole again in its line.
    """

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends.

        Raises:
            ProtocolError: a line, finished or not, is longer than `max_line_bytes`.
        """
        first, *others = data.split(b"\n")
        self._rest += first
        lines = []
        for start in others:
            lines.append(self._take())
            self._rest += start
        self._check(self._rest)
        return [line for line in lines if line]

    def close(self) -> list[bytes]:
        """The last line, where the stream ended without a line end."""
        line = self._take()
        return [line] if line else []

    def _take(self) -> bytes:
        self._check(self._rest)
        line = bytes(self._rest).strip(b"\r\n \t")
        self._rest.clear()
        return line

    def _check(self, line: bytearray) -> None:
        if len(line) > self._max_line_bytes:
            raise ProtocolError(
                f"the answer has a line of more than {self._max_line_bytes // 1024} KiB, which no provider sends"
            )
