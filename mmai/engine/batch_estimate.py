"""What a batch will cost, before it is sent."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from mmai.selection import expectations
from mmai.selection.analyze import analyze
from mmai.selection.tokens import request_tokens
from mmai.values.batch import BatchRow
from mmai.values.model import ModelCard
from mmai.values.request import Request
from mmai.values.task import TaskAnalysis, TaskType

SAMPLE = 200
"""Rows whose wording is read for the length of their answers, which takes 0.4 ms each; a batch has up to 100,000."""


class Estimate(Struct, frozen=True, kw_only=True):
    """US dollars of a whole batch; None is unknown."""

    expected_usd: float | None
    worst_usd: float | None
    dearest_usd: float | None
    """The worst case of the one row that may cost most."""


def estimate(card: ModelCard, rows: Sequence[BatchRow], *, discount: float) -> Estimate:
    """The sum over all rows at the price of a batch. What is expected rests on an even sample; the worst case on every row."""
    task = TaskType.EMBEDDING if "text_generation" not in card.capabilities else None
    sample = [row.request for row in rows[:: len(rows) // SAMPLE + 1]]
    expected = _sum([expectations.cost_usd(card, analyze(request, task=task)) for request in sample])
    worst = [_worst_usd(card, row.request, task) for row in rows]
    total, known = _sum(worst), [cost for cost in worst if cost is not None]
    left = 1 - discount
    return Estimate(
        expected_usd=None if expected is None else expected / len(sample) * len(rows) * left,
        worst_usd=None if total is None else total * left,
        dearest_usd=None if total is None else max(known) * left,
    )


def _worst_usd(card: ModelCard, request: Request, task: TaskType | None) -> float | None:
    analysis = replace(_PLAIN, task_type=task or _PLAIN.task_type, context_tokens=request_tokens(request))
    return expectations.worst_cost_usd(card, analysis, max_tokens=request.options.max_tokens)


_PLAIN = TaskAnalysis(task_type=TaskType.CONVERSATION, task_probabilities={}, complexity=0.0)


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
