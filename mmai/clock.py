"""Time, as a value that tests can hand in."""

import time


class Clock:
    """The machine's clocks."""

    def now(self) -> float:
        """Unix seconds, for records; it may jump."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment, for durations and deadlines; it never jumps."""
        return time.monotonic()
