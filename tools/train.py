"""Train the classifier of prompts: `python -m tools.train DATA_FOLDER`, run by hand from a checkout.

Writes `mmai/data/classifier.bin` and its card, the same bytes for the same data on any machine.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mmai.selection.classifier import MAGIC, WEIGHTS, ZERO, Classifier, Header
from mmai.selection.features import features
from mmai.selection.grams import BUCKETS, MEASURES, STEPS, bins, grams
from mmai.selection.tasks import TEXT_TASKS, evidence, task_probabilities
from mmai.values.task import TaskType
from tools.card import Unseen, card
from tools.examples import APART, FIELDS, Example, collection, examples, own
from tools.fit import ROWS, Floats, Labels, classify, design, regress, softmax
from tools.stack import Stack, stack

CARD = WEIGHTS.with_suffix(".md")

L2_TASK, L2_FIELD, L2_COMPLEXITY = 2e-5, 2e-5, 1e-3
FOLDS = 12
BALANCE = 0.7
OWN_COUNTS, OWN_DEGREES = 10.0, 3.0
"""What a prompt of the project's own counts for: it is one of many styles at once. Its degree of difficulty is one judgement, and counts
for less beside answers of models."""

OFFSETS_OF_MEDIA = {str(task): -2.5 for task in (TaskType.IMAGE_GENERATION, TaskType.SPEECH_SYNTHESIS, TaskType.EMBEDDING)}
RULES_ALONE = 1.6
"""Of tasks that rules alone speak for, judged by hand: a clear command outweighs what the table says of text."""


AS_SHIPPED = Stack(0.9, 0.35, np.zeros(len(TEXT_TASKS)))
"""About what it comes to, where only the tables are wanted."""


class Trained(NamedTuple):
    """Everything that goes into the file."""

    tasks: tuple[Floats, Floats]
    fields: tuple[Floats, Floats]
    complexity: tuple[Floats, Floats]
    stack: Stack


def main(data: Path) -> None:
    """Train, write, and print how well it does on collections that were left out."""
    rows = examples(data)
    seen = [features(row.prompt) for row in rows]
    matrix = design(seen)
    rules = np.array([[found.get(task, 0.0) for task in TEXT_TASKS] for found in map(evidence, seen)])
    typed = np.array([at for at, row in enumerate(rows) if row.task])
    weighed, unseen = _stacked([rows[at] for at in typed.tolist()], matrix[typed], rules[typed])
    table = encoded(trained(rows, matrix, weighed))
    WEIGHTS.write_bytes(table)
    text = card(unseen, apart(Classifier.parse(table)), weighed, size_bytes=len(table))
    CARD.write_text(text, encoding="utf-8")
    print(text)


def apart(classifier: Classifier) -> Unseen:
    """What the whole of it, rules and all, says of the prompts nobody trains on."""
    rows = list(own(APART))
    found = np.zeros((len(rows), len(TEXT_TASKS)))
    for at, row in enumerate(rows):
        seen = features(row.prompt)
        reading = classifier.read(tuple(grams(seen)), bins(seen))
        likely = task_probabilities(seen, reading, classifier.header, images=0, recordings=0)
        found[at] = [likely.get(task, 0.0) for task in TEXT_TASKS]
    return Unseen(rows, _labels(rows), found, np.ones(len(rows)))


def trained(rows: Sequence[Example], matrix: sparse.csr_array, weighed: Stack = AS_SHIPPED) -> Trained:
    """The three models of the rows that have their labels."""
    typed = np.array([at for at, row in enumerate(rows) if row.task])
    return Trained(
        tasks=_tasks([rows[at] for at in typed.tolist()], matrix[typed]),
        fields=_fields(rows, matrix),
        complexity=_complexity(rows, matrix),
        stack=weighed,
    )


def weights_of(rows: Sequence[Example], labels: Labels | None = None, *, own_counts: float = OWN_COUNTS) -> Floats:
    """Each example's: a collection counts for the root of its size, and with `labels` those that are rare count for more."""
    sizes = Counter(row.source for row in rows)
    weights = np.array([sizes[row.source] ** -0.5 * (own_counts if row.source.startswith("mmai/") else 1.0) for row in rows])
    if labels is None:
        return weights
    totals = np.bincount(labels, weights)
    return np.asarray(weights * totals[labels] ** -BALANCE)


def _labels(rows: Sequence[Example]) -> Labels:
    return np.array([TEXT_TASKS.index(TaskType(row.task or "")) for row in rows])


def _tasks(rows: Sequence[Example], matrix: sparse.csr_array) -> tuple[Floats, Floats]:
    labels = _labels(rows)
    return classify(matrix, labels, len(TEXT_TASKS), weights_of(rows, labels), l2=L2_TASK)


def _fields(rows: Sequence[Example], matrix: sparse.csr_array) -> tuple[Floats, Floats]:
    known = np.array([at for at, row in enumerate(rows) if row.field])
    chosen = [rows[at] for at in known]
    labels = np.array([FIELDS.index(row.field or "") for row in chosen])
    return classify(matrix[known], labels, len(FIELDS), weights_of(chosen, labels), l2=L2_FIELD)


def _complexity(rows: Sequence[Example], matrix: sparse.csr_array) -> tuple[Floats, Floats]:
    known = np.array([at for at, row in enumerate(rows) if row.complexity is not None])
    chosen = [rows[at] for at in known]
    names = sorted({collection(row.source) for row in chosen})
    weights, bias = regress(
        matrix[known],
        np.array([row.complexity for row in chosen], dtype=float),
        weights_of(chosen, own_counts=OWN_DEGREES),
        np.array([names.index(collection(row.source)) for row in chosen]),
        l2=L2_COMPLEXITY,
    )
    return _centered(weights, bias, np.asarray(matrix[known].mean(axis=0)))


def _centered(weights: Floats, bias: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """The same with what a measure says of the usual prompt in the bias, so that its bins tell what is unusual."""
    weights = weights.copy()
    for place in range(len(MEASURES)):
        rows = slice(BUCKETS + STEPS * place, BUCKETS + STEPS * (place + 1))
        share = mean[rows] / mean[rows].sum()
        usual = float(share @ weights[rows, 0])
        weights[rows, 0] -= usual
        bias = bias + usual * len(MEASURES) ** -0.5
    return weights, bias


def _stacked(rows: Sequence[Example], matrix: sparse.csr_array, rules: Floats) -> tuple[Stack, Unseen]:
    """The stack, from logits of tables that were each trained without the collections they are asked about."""
    names = sorted({collection(row.source) for row in rows})
    fold = np.array([names.index(collection(row.source)) % FOLDS for row in rows])
    labels = _labels(rows)
    weights = weights_of(rows, labels)
    logits = np.zeros((len(rows), len(TEXT_TASKS)))
    for each in range(FOLDS):
        inside = np.flatnonzero(fold != each)
        found, bias = _tasks([rows[at] for at in inside.tolist()], matrix[inside])
        logits[fold == each] = matrix[np.flatnonzero(fold == each)] @ found + bias
    weighed = stack(logits, rules, labels, weights)
    return weighed, Unseen(rows, labels, softmax(weighed.logits(logits, rules)), weights)


def encoded(trained: Trained) -> bytes:
    """The file: every column in 255 steps between its largest weights."""
    columns = [*(f"task:{task}" for task in TEXT_TASKS), *(f"field:{field}" for field in FIELDS), "complexity"]
    weights = np.hstack([trained.tasks[0], trained.fields[0], trained.complexity[0]])
    biases = np.hstack([trained.tasks[1], trained.fields[1], trained.complexity[1]])
    if len(columns) % 2:
        columns.append("")
        weights, biases = np.hstack([weights, np.zeros((ROWS, 1))]), np.append(biases, 0.0)
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    header = Header(
        columns=tuple(columns),
        scales=tuple(round(float(scale), 9) for scale in scales),
        biases=tuple(round(float(bias), 6) for bias in biases),
        rows=ROWS,
        grams=round(trained.stack.grams, 4),
        rules=round(trained.stack.rules, 4),
        alone=RULES_ALONE,
        tasks=dict(zip(TEXT_TASKS, (round(float(offset), 4) for offset in trained.stack.offsets), strict=True))
        | OFFSETS_OF_MEDIA,
    )
    table: NDArray[np.uint8] = (np.rint(weights / scales) + ZERO).astype(np.uint8)
    return MAGIC + msgspec.json.encode(header) + b"\n" + table.tobytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
