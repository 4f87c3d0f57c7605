"""Many prompts in words: how far they are, and one JSON value for each answer."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mmai.errors import MmaiError
from mmai.render.run import attempt_data
from mmai.render.units import duration, money
from mmai.values.record import RunRecord


class Progress(Struct, kw_only=True):
    """How far it is."""

    total: int | None = None
    """Rows of the file; None where nobody counted them."""
    kept: int = 0
    """Answers that stood there before."""
    answered: int = 0
    failed: int = 0
    cost_usd: float | None = 0.0
    """Of this time; None when that of any answer is unknown."""
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = {}
    """Codes of errors to how many rows ended so."""

    def add(self, record: RunRecord, error: MmaiError | None) -> None:
        """One row is done."""
        if error is None:
            self.answered += 1
        else:
            self.failed += 1
            self.failures[error.code] = self.failures.get(error.code, 0) + 1
        if record.attempts and (record.finish_reason or record.text):
            known = self.cost_usd is not None and record.cost_usd is not None
            self.cost_usd = (self.cost_usd or 0.0) + (record.cost_usd or 0.0) if known else None
        self.input_tokens += record.usage.input_tokens or 0
        self.output_tokens += record.usage.output_tokens or 0

    @property
    def done(self) -> int:
        """Rows of this time that will not change any more."""
        return self.answered + self.failed


def counted(progress: Progress) -> str:
    """`1204 of 10000 rows, 3 failed · 41/s · $0.12 · 3.5 min left`."""
    total = "" if progress.total is None else f" of {progress.total}"
    failed = f", {progress.failed} failed" if progress.failed else ""
    return " · ".join(part for part in (f"{progress.kept + progress.done}{total} rows{failed}", *_pace(progress)) if part)


def _pace(progress: Progress) -> tuple[str, ...]:
    rate = progress.done / progress.seconds if progress.seconds > 0 else 0.0
    if not rate:
        return ()
    left = None if progress.total is None else max(0, progress.total - progress.kept - progress.done)
    spent = "cost unknown" if progress.cost_usd is None else money(progress.cost_usd)
    return f"{_rate(rate)}/s", spent, f"{duration(left / rate * 1000)} left" if left else ""


def summary_line(progress: Progress) -> str:
    """`9997 rows answered, 3 failed (timeout 2, provider 1), 12 kept · 4.1 min · 41/s · 81214 in, 40011 out · $0.12`."""
    told = ", ".join(f"{code} {count}" for code, count in sorted(progress.failures.items(), key=lambda item: -item[1]))
    failed = f", {progress.failed} failed ({told})" if progress.failed else ""
    kept = f", {progress.kept} kept" if progress.kept else ""
    rate = f"{_rate(progress.done / progress.seconds)}/s" if progress.seconds > 0 and progress.done else ""
    parts = (
        f"{_rows(progress.answered)} answered{failed}{kept}",
        duration(progress.seconds * 1000),
        rate,
        f"{progress.input_tokens} in, {progress.output_tokens} out",
        "cost unknown" if progress.cost_usd is None else money(progress.cost_usd),
    )
    return " · ".join(part for part in parts if part)


def going_on_line(out: str | None, progress: Progress) -> str:
    """How to go on with what was stopped."""
    if out is None:
        return f"stopped after {_rows(progress.done)}; with --out FILE the same command would go on from there"
    return f"stopped: {_rows(progress.kept + progress.answered)} answered in {out}; the same command goes on from there"


def row_data(
    record: RunRecord,
    error: MmaiError | None,
    *,
    index: int,
    row_id: str | int | None,
    key: str,
    carried: Mapping[str, Any],
    vector: tuple[float, ...] | None,
) -> dict[str, Any]:
    """One line of the output. `index` counts the rows from 0; `key` tells which prompt and model it is the answer of; attempts are
    there where there was more than one; the fields that were carried come last.
    """
    return {
        "id": row_id,
        "index": index,
        "text": record.text,
        **({} if vector is None else {"vector": vector}),
        "model": record.model,
        "finish_reason": record.finish_reason,
        "usage": record.usage,
        "cost_usd": record.cost_usd,
        "error": error and {"code": error.code, "message": error.message},
        **({"attempts": [attempt_data(attempt) for attempt in record.attempts]} if len(record.attempts) > 1 else {}),
        "key": key,
        **carried,
    }


def _rate(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
