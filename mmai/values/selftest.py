"""What a check of this machine's Core ML found."""

from typing import Literal

from msgspec import Struct

from mmai.values.execution import ExecutorName


class SelftestEnvironment(Struct, frozen=True, kw_only=True):
    """Where it ran; None is not known."""

    system: str
    """`macOS 15.5`, or `Linux` with the kernel's version."""
    os_build: str | None = None
    """Apple's name of exactly this system, `24F74`."""
    machine: str
    """`arm64`, `x86_64`."""
    chip: str | None = None
    """`Apple M3 Max`."""
    virtual: bool | None = None
    """A virtual Mac has no Neural Engine, and may hang where one is asked for."""
    power: Literal["ac", "battery"] | None = None
    low_power_mode: bool | None = None
    python: str
    coremltools: str | None = None
    numpy: str
    mmai: str


class SelftestRow(Struct, frozen=True, kw_only=True):
    """One check. Times are in milliseconds; None was not measured."""

    check: Literal["answers", "kill"]
    """Known answers of a model; or that a worker which hangs is ended in time."""
    state: Literal["passed", "failed", "skipped"]
    reason: str | None = None
    """Why it failed or was skipped."""
    model: str | None = None
    executor: ExecutorName | None = None
    compute_units: str | None = None
    asked: int = 0
    """Questions with a known answer."""
    right: int = 0
    compile_ms: float | None = None
    cold_load_ms: float | None = None
    """The first after compiling: Core ML specializes the model for the device."""
    cached_load_ms: float | None = None
    """In a fresh process, of what the first has left."""
    first_predict_ms: float | None = None
    predict_p50_ms: float | None = None
    """Of the `predictions` after a few that are not counted."""
    predictions: int = 0
    difference: float | None = None
    """The largest of any output from the reference executor's, in standard deviations of the reference's output."""
    placement: dict[str, float] | None = None
    """Compute device to the share of the cost that Core ML planned for it."""
    memory_bytes: int | None = None
    notes: tuple[str, ...] = ()
    """What went wrong without failing it."""


class Selftest(Struct, frozen=True, kw_only=True):
    """All of it."""

    environment: SelftestEnvironment
    rows: tuple[SelftestRow, ...]
    unverified: tuple[str, ...]
    """What this did not show, a sentence each."""

    @property
    def failed(self) -> tuple[SelftestRow, ...]:
        """The rows that did."""
        return tuple(row for row in self.rows if row.state == "failed")
