"""Expected cost against expected quality, drawn with characters: who is worth the price."""

from collections.abc import Iterable, Sequence
from math import log10

from mmai.render.clean import clean_line
from mmai.render.units import money, share
from mmai.values.decision import Candidate

ROWS = 12
LEAST_COLUMNS = 20
MARGIN = 7
"""Columns left of the field: a quality and the axis."""
WORTH, BEATEN, FREE = "●", "·", "free"


def pareto_chart(ranked: Sequence[Candidate], front: Sequence[Candidate], *, width: int) -> str:
    """A field of dots and a list: the models of `front`, cheapest first, as `●`, and those that another beats as `·`.

    Cost runs to the right, by its logarithm, with what is free at the left; quality upward. `width` is in columns. Models of
    unknown cost or quality are counted below.
    """
    placed = [each for each in ranked if each.cost_usd is not None and each.expected_quality is not None]
    if not placed:
        return "nothing to draw: of no model that may take this prompt are both cost and quality known\n"
    field = _field(placed, front, columns=max(LEAST_COLUMNS, width - MARGIN - 1))
    missing = len(ranked) - len(placed)
    left_out = [f"{missing} more of unknown cost or quality"] if missing else []
    return "\n".join([*field, "", *_listed(front), *left_out]) + "\n"


def _field(placed: Sequence[Candidate], front: Sequence[Candidate], *, columns: int) -> list[str]:
    costs = [each.cost_usd for each in placed if each.cost_usd]
    low, high = _range(each.expected_quality or 0.0 for each in placed)
    cells = [[" "] * columns for _ in range(ROWS)]
    worth = {id(each) for each in front}
    for each in sorted(placed, key=lambda each: id(each) in worth):
        column = _column(each.cost_usd or 0.0, costs, columns)
        row = round((ROWS - 1) * (high - (each.expected_quality or 0.0)) / (high - low))
        cells[row][column] = WORTH if id(each) in worth else BEATEN
    lines = [f"{_label(row, low, high):>5} ┤{''.join(line).rstrip()}" for row, line in enumerate(cells)]
    return ["quality", *lines, f"      └{'─' * columns}", f"       {_axis(costs, columns)}"]


def _label(row: int, low: float, high: float) -> str:
    return share(high - (high - low) * row / (ROWS - 1)) if row in (0, ROWS // 2, ROWS - 1) else ""


def _range(values: Iterable[float]) -> tuple[float, float]:
    """Least and greatest, at least a tenth apart."""
    known = list(values)
    middle, half = (min(known) + max(known)) / 2, max(0.05, (max(known) - min(known)) / 2)
    return middle - half, middle + half


def _column(cost: float, costs: Sequence[float], columns: int) -> int:
    """Free is the first column; the cheapest that costs anything comes after a gap, the dearest last."""
    if not cost:
        return 0
    first, last = log10(min(costs)), log10(max(costs))
    start = columns // 6
    return columns - 1 if first == last else start + round((columns - 1 - start) * (log10(cost) - first) / (last - first))


def _axis(costs: Sequence[float], columns: int) -> str:
    if not costs:
        return FREE
    start, dearest = columns // 6, money(max(costs))
    cheapest = money(min(costs)) if min(costs) < max(costs) else ""
    axis = f"{FREE:<{start}}{cheapest}"
    return f"{axis}{dearest:>{max(1, columns - len(axis))}} expected cost"[: columns + 30]


def _listed(front: Sequence[Candidate]) -> list[str]:
    names = [clean_line(str(each.card.ref)) for each in front]
    widest = max(map(len, names), default=0)
    return [
        f"{WORTH} {name:<{widest}}  {share(each.expected_quality)}  {'free' if each.cost_usd == 0 else money(each.cost_usd)}"
        for name, each in zip(names, front, strict=True)
    ]
