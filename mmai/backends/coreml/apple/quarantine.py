"""Models that brought a worker down, or did not come up in time: they are not loaded the same way again on the same system."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from mmai.backends.coreml.apple.ledger import Ledger
from mmai.backends.coreml.setup import UNITS
from mmai.errors import CannotRun


class Incident(Struct, frozen=True, kw_only=True):
    """What happened while a model was loaded."""

    model: str
    """The name of its file."""
    what: str
    """`ended its worker (SIGABRT)`."""
    at: datetime
    timeout_s: float | None = None
    """Of one that hung, how long it had; with more time it may be tried again."""


class Quarantine:
    """The incidents of this system."""

    def __init__(self, folder: Path, *, sha256: str, os_build: str) -> None:
        self._ledger = Ledger(folder / "quarantine.json", Incident)
        self._sha256 = sha256
        self._os_build = os_build

    def refuse(self, units: str, *, timeout_s: float) -> None:
        """Let no model pass that has an incident with these units.

        Raises:
            CannotRun: it has one; says what, when, and what to try instead.
        """
        incident = self._of(units)
        if incident is None or (incident.timeout_s is not None and timeout_s > incident.timeout_s):
            return
        longer = ", or give it longer with `backends.coreml.load_timeout_ms`" if incident.timeout_s is not None else ""
        raise CannotRun(
            f"`{incident.model}` {incident.what} while it was loaded with `compute_units={units}` on {incident.at:%Y-%m-%d %H:%M} UTC,"
            f" and is not loaded so again on this macOS; delete `{self._ledger.path}` to try all the same{longer}",
            hint=self.way_out(units),
        )

    def add(self, units: str, incident: Incident) -> None:
        """Remember."""
        self._ledger.put(self._key(units), incident)

    def way_out(self, units: str) -> str:
        """The command that loads the model with fewer units that have no incident, or with the executor that needs none."""
        left = [each for each in UNITS[2:] if UNITS.index(each) > UNITS.index(units) and self._of(each) is None]
        return f"mmai run -O compute_units={left[0]}" if left else "mmai run --executor reference"

    def _of(self, units: str) -> Incident | None:
        return self._ledger.get(self._key(units))

    def _key(self, units: str) -> str:
        return f"{self._sha256} {units} {self._os_build}"
