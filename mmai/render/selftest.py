"""A check of this machine's Core ML, as rows for a person or a script."""

from typing import Any

from mmai.render.table import Cell, Column, Table, Value
from mmai.values.selftest import Selftest, SelftestEnvironment, SelftestRow

STYLES = {"passed": "good", "failed": "bad", "skipped": "dim"}

_COLUMNS = (
    Column("model"),
    Column("runs_on", "runs on"),
    Column("state"),
    Column("right", justify="right"),
    Column("compile_ms", "compile", justify="right", drop=3),
    Column("cold_load_ms", "load", justify="right", drop=2),
    Column("cached_load_ms", "again", justify="right", drop=3),
    Column("first_predict_ms", "first", justify="right", drop=4),
    Column("predict_p50_ms", "p50", justify="right", drop=1),
    Column("difference", justify="right", drop=2),
    Column("placement", drop=5),
    Column("reason", wrap=True),
)


def selftest_table(found: Selftest) -> Table:
    """A row for each check, below them where they ran and what they did not show."""
    unverified = [f"not verified: {sentence}" for sentence in found.unverified]
    return Table(
        columns=_COLUMNS,
        rows=[_row(row) for row in found.rows],
        notes=(_summary(found), _place(found.environment), *unverified),
    )


def selftest_data(found: Selftest) -> dict[str, Any]:
    """The `data` of `selftest coreml`."""
    states = [row.state for row in found.rows]
    return {
        "environment": found.environment,
        "rows": found.rows,
        **{state: states.count(state) for state in STYLES},  # type: ignore[arg-type]
        "unverified": found.unverified,
    }


def _row(row: SelftestRow) -> list[Value | Cell]:
    times = (row.compile_ms, row.cold_load_ms, row.cached_load_ms, row.first_predict_ms, row.predict_p50_ms)
    return [
        row.model or "a worker that hangs",
        " ".join(filter(None, (row.executor, row.compute_units))) or None,
        Cell(row.state, style=STYLES[row.state]),
        Cell(row.right, f"{row.right} of {row.asked}") if row.state != "skipped" else Cell(None),
        *(Cell(ms, _milliseconds(ms)) for ms in times),
        Cell(row.difference, None if row.difference is None else f"{row.difference:.1e}"),
        _placement(row),
        "; ".join(filter(None, (row.reason, *row.notes))) or Cell(None, ""),
    ]


def _milliseconds(ms: float | None) -> str | None:
    """Small models take less than one."""
    if ms is None:
        return None
    return f"{ms:.2g} ms" if ms < 10 else f"{ms:,.0f} ms"


def _placement(row: SelftestRow) -> Value:
    return None if row.placement is None else ", ".join(f"{device} {part:.0%}" for device, part in row.placement.items())


def _summary(found: Selftest) -> str:
    states = [row.state for row in found.rows]
    return ", ".join(f"{states.count(state)} {state}" for state in STYLES)  # type: ignore[arg-type]


def _place(place: SelftestEnvironment) -> str:
    power = {"ac": "on AC power", "battery": "on battery"}.get(place.power or "")
    parts = [
        f"{place.system} ({place.os_build})" if place.os_build else place.system,
        place.chip or place.machine,
        "virtual machine" if place.virtual else None,
        power,
        "low power mode" if place.low_power_mode else None,
        f"Python {place.python}",
        f"coremltools {place.coremltools}" if place.coremltools else "no coremltools",
        f"mmai {place.mmai}",
    ]
    return ", ".join(filter(None, parts))
