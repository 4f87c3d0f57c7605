"""The trained part of the analysis: one table of small integers, read as what n-grams and shape say of task, field and complexity.

`tools/train.py` makes the table; `data/classifier.md` says of what, and how well it does on collections it has not seen. No numpy:
a row is one long integer, so that adding rows adds all of their columns at once, and a process that asks once need not import it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from struct import unpack_from
from typing import Self

import msgspec
from msgspec import Struct

WEIGHTS = Path(__file__).parents[1] / "data" / "classifier.bin"
MAGIC = b"mmai classifier 1\n"
ZERO = 128
"""What stands in the table for a weight of 0."""
_AT_ONCE = 256
"""Rows that can be added before a column could overflow its 16 bits."""


class Header(Struct, frozen=True, kw_only=True):
    """What the numbers of the table mean. Of each column the value is `scale` x (sum of its rows - `ZERO` each)."""

    columns: tuple[str, ...]
    """`task:…`, `field:…`, `complexity`, and fillers up to an even number."""
    scales: tuple[float, ...]
    biases: tuple[float, ...]
    rows: int
    grams: float
    """Weight of what the n-grams say of the task, beside what rules say."""
    rules: float
    """Weight of the rules' evidence."""
    alone: float
    """The same for tasks that the table has no column for."""
    tasks: dict[str, float]
    """Task type to what is added to its logit."""


class Reading(Struct, frozen=True, kw_only=True):
    """What the table says of one prompt."""

    tasks: dict[str, float]
    """Text task to logit, before the rules."""
    fields: dict[str, float]
    """Field to logit."""
    complexity: float


class Classifier:
    """The table, and how it is read."""

    def __init__(self, header: Header, table: bytes) -> None:
        self.header = header
        self._table = table
        self._width = len(header.columns)
        self._even = int.from_bytes(b"\xff\x00" * (self._width // 2), "little")
        self._tasks, self._fields = (
            [(at, name.partition(":")[2]) for at, name in enumerate(header.columns) if name.startswith(kind)]
            for kind in ("task:", "field:")
        )
        self.complexity_column = header.columns.index("complexity")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a file of weights.

        Raises:
            ValueError: it is none, or not whole.
        """
        if not data.startswith(MAGIC):
            raise ValueError("it has no weights of a classifier")
        end = data.index(b"\n", len(MAGIC))
        header = msgspec.json.decode(data[len(MAGIC) : end], type=Header)
        table = data[end + 1 :]
        if len(table) != header.rows * len(header.columns):
            raise ValueError(f"it has {len(table)} weights, and should have {header.rows} x {len(header.columns)}")
        return cls(header, table)

    def read(self, grams: Sequence[int], bins: Sequence[int]) -> Reading:
        """Sums of the rows: of the grams over the root of their number, of the bins over that of theirs."""
        words, shape = self._sums(grams), self._sums(bins)
        by_words, by_shape = _over_root(grams), _over_root(bins)
        header = self.header
        values = [
            bias + scale * (word * by_words + form * by_shape)
            for bias, scale, word, form in zip(header.biases, header.scales, words, shape, strict=True)
        ]
        return Reading(
            tasks={name: values[at] for at, name in self._tasks},
            fields={name: values[at] for at, name in self._fields},
            complexity=values[self.complexity_column],
        )

    def weigh(self, rows: Iterable[int], column: int) -> float:
        """What some rows add to one column, before they are divided by the root of their number."""
        table, width = self._table, self._width
        return self.header.scales[column] * sum(table[row * width + column] - ZERO for row in rows)

    def _sums(self, rows: Sequence[int]) -> list[int]:
        totals = [-ZERO * len(rows)] * self._width
        for start in range(0, len(rows), _AT_ONCE):
            for at, value in enumerate(self._sum(rows[start : start + _AT_ONCE])):
                totals[at] += value
        return totals

    def _sum(self, rows: Sequence[int]) -> Iterable[int]:
        """Up to `_AT_ONCE` rows. Every other byte is added up in one integer, the rest in another, in columns of 16 bits."""
        table, width, mask, from_bytes = self._table, self._width, self._even, int.from_bytes
        even = odd = 0
        for row in rows:
            values = from_bytes(table[row * width : (row + 1) * width], "little")
            even += values & mask
            odd += values >> 8 & mask
        layout = f"<{width // 2}H"
        evens, odds = unpack_from(layout, even.to_bytes(width, "little")), unpack_from(layout, odd.to_bytes(width, "little"))
        return (value for pair in zip(evens, odds, strict=True) for value in pair)


@cache
def shipped() -> Classifier:
    """The one that comes with mmai, loaded once."""
    return Classifier.parse(WEIGHTS.read_bytes())


def _over_root(rows: Sequence[int]) -> float:
    return len(rows) ** -0.5 if rows else 0.0


def combine(reading: Reading, rules: Mapping[str, float], header: Header) -> dict[str, float]:
    """Logits of the tasks: table and rules, each with its weight. Rules alone speak for what is not a text task."""
    return {
        task: offset + header.rules * rules.get(task, 0.0) + header.grams * reading.tasks[task]
        if task in reading.tasks
        else offset + header.alone * rules.get(task, 0.0)
        for task, offset in header.tasks.items()
    }
