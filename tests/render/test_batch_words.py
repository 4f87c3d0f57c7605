"""What is said of a batch, and how far it is."""

import pytest

from mmai.clock import Clock
from mmai.errors import ProviderError
from mmai.render.batch import counts, done_line, estimate_line, row_data
from mmai.render.batch_progress import BatchLines
from mmai.values.batch import BatchAnswer, BatchLine, BatchStatus


class Ticking(Clock):
    """Five seconds later each time it is asked."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 5.0
        return self.now_s


@pytest.mark.parametrize(
    ("expected_usd", "worst_usd", "discount", "line"),
    [
        (0.0012, 0.02, 0.5, "3 rows for openai:m at half price: about $0.0012, at most $0.02"),
        (None, None, 0.5, "3 rows for openai:m at half price: cost unknown"),
        (0.0012, None, 0.25, "3 rows for openai:m at 75% of the price: about $0.0012, at most unknown"),
        (0.0012, 0.02, 0.0, "3 rows for openai:m at the usual price: about $0.0012, at most $0.02"),
    ],
)
def test_the_estimate(expected_usd: float | None, worst_usd: float | None, discount: float, line: str) -> None:
    assert estimate_line("openai:m", 3, expected_usd=expected_usd, worst_usd=worst_usd, discount=discount) == line


@pytest.mark.parametrize(
    ("rows", "failed", "cost_usd", "line"),
    [
        (3, 0, 0.0008, "3 rows answered · $0.0008"),
        (3, 1, 0.0008, "2 of 3 rows answered, 1 failed · $0.0008"),
        (1, 0, None, "1 row answered · cost unknown"),
    ],
)
def test_the_end(rows: int, failed: int, cost_usd: float | None, line: str) -> None:
    assert done_line(rows=rows, failed=failed, cost_usd=cost_usd) == line


def test_a_line_is_written_only_when_more_rows_are_done() -> None:
    written: list[str] = []
    with BatchLines(written.append, "b1", rows=4, clock=Ticking()) as lines:
        for done, failed in ((0, 0), (1, 0), (1, 0), (2, 1)):
            lines.update(BatchStatus(id="b1", state="running", succeeded=done, failed=failed))
        lines.say("note\x1b[2J")
    assert written == ["b1: 1 of 4 rows done after 5.0 s", "b1: 3 of 4 rows done, 1 failed after 10 s", "note"]


def test_counts_name_failures_only_where_there_are_some() -> None:
    assert counts(BatchStatus(id="b", state="running", succeeded=1), 1) == "1 of 1 row done"


def test_a_row_has_every_field_and_what_was_carried() -> None:
    line = BatchLine(name="line-1", number=1, id=7, carried={"topic": "sky"})
    error = ProviderError("broken")
    row = row_data(line, BatchAnswer(id="line-1"), index=0, model="openai:m", cost_usd=None, error=error)
    assert (row["id"], row["error"], row["topic"]) == (7, {"code": "provider", "message": "broken"}, "sky")
    assert "vector" not in row
    vector = BatchAnswer(id="line-1", vector=(0.5,))
    assert row_data(line, vector, index=0, model="openai:m", cost_usd=None, error=None)["vector"] == (0.5,)
