"""A batch in words, and one JSON value a row."""

from typing import Any

from mmai.errors import MmaiError
from mmai.render.clean import clean_line
from mmai.render.units import UNKNOWN, money
from mmai.values.batch import BatchAnswer, BatchLine, BatchRecord, BatchStatus


def resume_command(batch_id: str) -> str:
    """What goes on with a batch."""
    return f"mmai run --resume {clean_line(batch_id)}"


def estimate_line(ref: str, rows: int, *, expected_usd: float | None, worst_usd: float | None, discount: float) -> str:
    """`3 rows for openai:gpt-5.6-luna at half price: about $0.0012, at most $0.02`."""
    price = {0.5: "half price", 0.0: "the usual price"}.get(discount, f"{1 - discount:.0%} of the price")
    about = "cost unknown" if expected_usd is None else f"about {money(expected_usd)}"
    most = f"at most {money(worst_usd)}" if worst_usd is not None else f"at most {UNKNOWN}"
    costs = about if expected_usd is None and worst_usd is None else f"{about}, {most}"
    return clean_line(f"{_rows(rows)} for {ref} at {price}: {costs}")


def submitted_line(record: BatchRecord) -> str:
    """`submitted 3 rows as batch_abc: mmai run --resume batch_abc`."""
    return clean_line(f"submitted {_rows(len(record.lines))} as {record.id}: {resume_command(record.id)}")


def going_on_line(record: BatchRecord) -> str:
    """`batch_abc goes on at openai: mmai run --resume batch_abc`."""
    return clean_line(f"{record.id} goes on at {record.provider}: {resume_command(record.id)}")


def waiting_line(error: MmaiError) -> str:
    """A question that failed for now."""
    return clean_line(f"{error.message}; asking again until it answers")


def done_line(*, rows: int, failed: int, cost_usd: float | None) -> str:
    """`3 rows answered · $0.0008`, or `2 of 3 rows answered, 1 failed · $0.0006`."""
    answered = f"{rows - failed} of {_rows(rows)} answered, {failed} failed" if failed else f"{_rows(rows)} answered"
    return f"{answered} · {'cost unknown' if cost_usd is None else money(cost_usd)}"


def row_data(
    line: BatchLine, answer: BatchAnswer, *, index: int, model: str, cost_usd: float | None, error: MmaiError | None
) -> dict[str, Any]:
    """One line of the output. `index` counts the rows from 0; the fields that were carried come last."""
    return {
        "id": line.id,
        "index": index,
        "text": answer.text,
        **({} if answer.vector is None else {"vector": answer.vector}),
        "model": model,
        "finish_reason": answer.finish_reason,
        "usage": answer.usage,
        "cost_usd": cost_usd,
        "error": error and {"code": error.code, "message": error.message},
        **line.carried,
    }


def counts(status: BatchStatus, rows: int) -> str:
    """`12 of 50 rows done`, `12 of 50 rows done, 2 failed`."""
    return f"{status.done} of {_rows(rows)} done" + (f", {status.failed} failed" if status.failed else "")


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
