"""What is said between times: text that is whole once a time closes it, and where the next window begins."""

from msgspec import Struct

STEP_S = 0.02
"""From one time to the next. Source: Whisper, two frames of the encoder's input."""

LEAST_S = 1.0
"""A window that closes nothing later than this is gone on from here all the same, or it would never end."""


class Segment(Struct, frozen=True):
    """What is said from one time to another, in seconds from the window's start."""

    tokens: tuple[int, ...]
    start_s: float
    end_s: float


class Segments:
    """The segments of one window, as its tokens come."""

    def __init__(self, *, times_from: int, window_s: float) -> None:
        self._times_from = times_from
        self._window_s = window_s
        self._said: list[int] = []
        self._start_s = 0.0
        self._open: list[int] = []
        self._closed_s: float | None = None
        """The last time that closed one segment and opened the next."""

    def add(self, token: int) -> Segment | None:
        """The segment this token closes."""
        after_time = bool(self._said) and self._said[-1] >= self._times_from
        self._said.append(token)
        if token < self._times_from:
            self._open.append(token)
            return None
        time_s = (token - self._times_from) * STEP_S
        if after_time:
            self._closed_s = (self._said[-2] - self._times_from) * STEP_S
        if not self._open:
            self._start_s = time_s
            return None
        segment = Segment(tuple(self._open), self._start_s, time_s)
        self._open, self._start_s = [], time_s
        return segment

    def rest(self) -> Segment | None:
        """What no time closes: taken as it is where nothing else is, and otherwise heard again in the next window."""
        if not self._open or self._closed_s is not None:
            return None
        return Segment(tuple(self._open), self._start_s, self._window_s)

    @property
    def advance_s(self) -> float:
        """From this window's start to the next one's."""
        if self._closed_s is None or not self._open_ended:
            return self._window_s
        return min(max(self._closed_s, LEAST_S), self._window_s)

    @property
    def _open_ended(self) -> bool:
        """Whether it breaks off within a segment, or where one was to begin: not after a single closing time."""
        single = len(self._said) > 1 and self._said[-1] >= self._times_from > self._said[-2]
        return not single
