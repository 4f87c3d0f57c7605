"""From the scores a classifier gives to its classes by name, the most probable first. Pictures and texts are scored alike."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.wording import listed, said_shape
from mmai.errors import CannotRun, ProviderError
from mmai.values.event import Label
from mmai.values.package import Package

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output

    Row = np.ndarray[Any, np.dtype[np.float64]]

NEAR_ONE = 0.02
"""How far a sum of half-precision probabilities of a thousand classes may be from 1."""


TOP_K = 5
"""Classes that are told unless somebody wants another number of them."""


def most(job: Job) -> int | None:
    """How many classes `-O top_k=N` asks for; None is `-O top_k=all`.

    Raises:
        UsageError: it is neither `all` nor a whole number of at least 1.
    """
    return None if job.request.options.extra.get("top_k") == "all" else job.whole("top_k", TOP_K)


def classify(outputs: "Mapping[str, Output]", package: Package, *, top_k: int | None) -> tuple[Label, ...]:
    """The `top_k` most probable classes that one prediction names, by the roles of the model; None is all of them.

    Raises:
        CannotRun: its output is no row of scores, or not one for each label.
        ProviderError: its scores are no numbers.
    """
    roles = package.roles
    label = outputs.get(roles.outputs.get("label") or package.main.predicted_label or "")
    if (scores := _scores(outputs, package, certain=label is None)) is not None:
        return ranked(scores, roles.labels or package.labels, roles.scores, top_k)
    if label is not None:
        return (Label(_named(label, roles.labels)),)
    raise CannotRun(f"nothing says which output holds the scores; the model gives {listed(outputs)}")


def _scores(outputs: "Mapping[str, Output]", package: Package, *, certain: bool) -> "Output | None":
    """The output that was noted; else the classifier's own table; else, where it is to be one, the only row of fractions."""
    noted = (package.roles.outputs.get("scores"), package.main.predicted_probabilities)
    if (name := next((name for name in noted if name in outputs), None)) is not None:
        return outputs[name]
    tables = [value for value in outputs.values() if isinstance(value, Mapping)]
    rows = [value for value in outputs.values() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    if len(tables) == 1:
        return tables[0]
    return rows[0] if certain and len(rows) == 1 else None


def ranked(scores: Any, labels: Sequence[str], kind: str | None, top_k: int | None) -> tuple[Label, ...]:
    """Classes by their probability, equal ones in the order of the scores.

    Args:
        scores: one for each class, in an array with no other dimension longer than 1, or a dictionary by class; of two classes
            the second one's alone will do.
        labels: names in the order of the scores; without any, the number of a class is its name.
        kind: see `Roles.scores`; None tells probabilities from logits by their sum, of a dictionary by their range alone: its
            classes need not exclude each other.
        top_k: at most so many; None is all.

    Raises:
        CannotRun: the scores are no row, or there are more or fewer than labels.
        ProviderError: a score is no finite number.
    """
    row, names = _by_class(scores, labels) if isinstance(scores, Mapping) else _by_place(scores, labels)
    if not np.isfinite(row).all():
        raise ProviderError("the model gave scores that are no numbers, as half precision does where it overflows")
    probabilities = _probabilities(row, kind, apart=isinstance(scores, Mapping))
    if len(row) == 1 and len(names) == 2:
        probabilities = np.append(1 - probabilities, probabilities)
    if len(names) != len(probabilities):
        raise CannotRun(f"the model gives {len(probabilities)} scores, and {len(names)} labels are named")
    order = np.argsort(-probabilities, kind="stable")[:top_k]
    return tuple(Label(names[at], float(probabilities[at])) for at in order)


def _by_class(scores: Mapping[Any, float], labels: Sequence[str]) -> tuple["Row", list[str]]:
    """Core ML's dictionaries of classes; numbers are looked up among the labels."""
    return np.array(list(scores.values()), dtype=np.float64), [_named(key, labels) for key in scores]


def _by_place(scores: Any, labels: Sequence[str]) -> tuple["Row", list[str]]:
    array = np.asarray(scores)
    if array.ndim and array.size != max(array.shape):
        raise CannotRun(f"the scores are no row of one for each class, but of shape {said_shape(array.shape)}")
    row = array.astype(np.float64).reshape(-1)
    return row, list(labels) or [f"class {number}" for number in range(len(row))]


def _named(key: Any, labels: Sequence[str]) -> str:
    number = key if isinstance(key, int) else None
    return labels[number] if number is not None and 0 <= number < len(labels) else str(key)


def _probabilities(row: "Row", kind: str | None, *, apart: bool) -> "Row":
    if kind is None:
        kind = "probabilities" if _are_probabilities(row, apart=apart) else "logits" if len(row) > 1 else "sigmoid"
    if kind == "probabilities":
        return np.clip(row, 0.0, 1.0)
    if kind == "sigmoid" or len(row) == 1:
        # exp of a large number overflows, and exp of a very negative one is 0, so each side has its own formula.
        small = np.exp(-np.abs(row))
        return np.where(row >= 0, 1.0, small) / (1.0 + small)
    powers = np.exp(row - row.max())
    return np.asarray(powers / powers.sum())


def _are_probabilities(row: "Row", *, apart: bool) -> bool:
    """Between 0 and 1, and together 1 unless they stand `apart`; one alone may be any of these."""
    within = bool((row >= 0).all() and (row <= 1 + 1e-3).all())
    return within and (apart or len(row) == 1 or abs(float(row.sum()) - 1) <= NEAR_ONE)
