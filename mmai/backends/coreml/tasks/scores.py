"""From what a classifier gives to classes with probabilities, whatever the classifier is one of."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from mmai.errors import CannotRun, ProviderError
from mmai.values.event import Label

Kind = Literal["probabilities", "logits", "sigmoid"]
Row = np.ndarray[Any, np.dtype[np.float64]]

SUM_TOLERANCE = 0.02
"""How far from 1 probabilities may sum: a thousand of them, each rounded to half precision."""


def ranked(scores: Any, *, output: str, kind: Kind | None, names: Sequence[str]) -> tuple[Label, ...]:
    """Every class, the most probable first, equal ones in their own order.

    Args:
        scores: a table of classes, or an array with one number for each.
        output: its name, for what is said of it.
        kind: what the numbers are; None goes by what they look like.
        names: of the classes in their order; those beyond it are `class 17`, and so on.

    Raises:
        ProviderError: there are numbers among them that are none.
        CannotRun: it is no row of numbers.
    """
    if isinstance(scores, Mapping):
        row, classes = _row(list(scores.values()), output), list(map(str, scores))
    else:
        row = _row(scores, output)
        if row.size == 1 and len(names) == 2:
            # One number for two classes is the probability of the second.
            second = _single(row, kind)
            row, kind = np.concatenate([1 - second, second]), "probabilities"
        classes = [names[index] if index < len(names) else f"class {index}" for index in range(row.size)]
    probabilities = _probabilities(row, kind, table=isinstance(scores, Mapping))
    order = np.argsort(-probabilities, kind="stable")
    return tuple(Label(classes[index], float(probabilities[index])) for index in order)


def _row(scores: Any, output: str) -> Row:
    try:
        values = np.asarray(scores, np.float64)
    except (TypeError, ValueError) as exc:
        raise CannotRun(f"the output `{output}` holds no scores") from exc
    if values.size != max(values.shape, default=1) or not values.size:
        raise CannotRun(f"the output `{output}` has the shape {list(values.shape)}, which is no list of scores")
    row = values.reshape(-1)
    if not np.isfinite(row).all():
        worst = "NaN" if np.isnan(row).any() else "infinity"
        raise ProviderError(f"the scores in its output `{output}` are no numbers: there is {worst} among them")
    return row


def _probabilities(row: Row, kind: Kind | None, *, table: bool) -> Row:
    if row.size == 1:
        return _single(row, kind)
    match kind:
        case "logits":
            return _softmax(row)
        case "sigmoid":
            return _sigmoid(row)
        case "probabilities":
            return np.clip(row, 0.0, 1.0)
        case None:
            return np.clip(row, 0.0, 1.0) if _looks_probable(row, table=table) else _softmax(row)


def _looks_probable(row: Row, *, table: bool) -> bool:
    """A table is a classifier's own, whose classes need not exclude each other; an array has to sum to 1."""
    within = bool(row.min() >= 0 and row.max() <= 1 + SUM_TOLERANCE)
    return within and (table or abs(row.sum() - 1) <= SUM_TOLERANCE)


def _single(row: Row, kind: Kind | None) -> Row:
    """The probability of one class, which has nothing to be weighed against."""
    probable = kind == "probabilities" or (kind is None and 0 <= row[0] <= 1)
    return np.clip(row, 0.0, 1.0) if probable else _sigmoid(row)


def _softmax(row: Row) -> Row:
    powers = np.exp(row - row.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(row: Row) -> Row:
    """By the hyperbolic tangent, which does not overflow."""
    return np.asarray(0.5 * (1 + np.tanh(row / 2)))
