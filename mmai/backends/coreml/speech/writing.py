"""Text of one recording, written window after window: as it is said, or segment by segment where the model tells times."""

from tokenizers import Tokenizer

from mmai.backends.coreml.speech.segments import Segment, Segments
from mmai.backends.coreml.speech.spelling import TokenizerSpelling


class Writing:
    """The transcript so far."""

    def __init__(self, tokenizer: Tokenizer, *, times_from: int | None, window_s: float, lines: bool) -> None:
        """`times_from` is the token for 0 s, None where no times are told; `lines` gives each segment one, with its times."""
        self._tokenizer = tokenizer
        self._spelling = TokenizerSpelling(tokenizer)
        self._times_from = times_from
        self._window_s = window_s
        self._lines = lines
        self._written = False
        self._at_s = 0.0
        self._segments: Segments | None = None

    def begin(self, at_s: float) -> None:
        """A window that starts `at_s` into the recording."""
        self._at_s = at_s
        self._segments = None if self._times_from is None else Segments(times_from=self._times_from, window_s=self._window_s)

    def add(self, token: int) -> str:
        """What is certain once this token is there."""
        if self._segments is None:
            return self._spelling.add([token])
        return self._segment(self._segments.add(token))

    def end(self) -> str:
        """What the window leaves."""
        return self._segment(self._segments.rest()) if self._segments else ""

    @property
    def advance_s(self) -> float | None:
        """From this window's start to the next one's; None where no times say."""
        return self._segments.advance_s if self._segments else None

    def _segment(self, segment: Segment | None) -> str:
        if segment is None:
            return ""
        if not self._lines:
            return self._spelling.add(segment.tokens)
        text = TokenizerSpelling(self._tokenizer).add(segment.tokens).strip()
        times = f"[{clock(self._at_s + segment.start_s)} --> {clock(self._at_s + segment.end_s)}]"
        before, self._written = "\n" if self._written else "", True
        return f"{before}{times} {text}"


def clock(seconds: float) -> str:
    """`01:02.340`, with hours only where there are some."""
    hours, rest = divmod(round(seconds * 1000), 3_600_000)
    minutes, milliseconds = divmod(rest, 60_000)
    return f"{f'{hours:02}:' if hours else ''}{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
