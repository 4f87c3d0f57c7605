"""Which of a model's outputs are its answer, and how much of it is wanted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmai.backends.coreml.tasks.job import Job
from mmai.backends.coreml.tasks.scores import ranked
from mmai.errors import CannotRun, UsageError
from mmai.values.event import Label

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output

TOP_K = 5
"""Classes that are shown unless somebody wants another number of them."""


def most(job: Job) -> int | None:
    """How many classes `-O top_k=N` asks for; None is `-O top_k=all`.

    Raises:
        InvalidRequest: it is neither `all` nor a whole number of at least 1.
    """
    return None if job.request.options.extra.get("top_k") == "all" else job.whole("top_k", TOP_K)


def labels_of(job: Job, outputs: "Mapping[str, Output]") -> tuple[Label, ...]:
    """The classes of one prediction, the most probable first; one without a probability where the model gives no scores.

    Raises:
        CannotRun: no output looks like classes.
        ProviderError: its scores are no numbers.
    """
    name = _scores(job, outputs)
    if name is not None:
        names = job.package.labels or job.roles.labels
        return ranked(outputs[name], output=name, kind=job.roles.scores, names=names)
    function = job.interface
    label = outputs.get(job.roles.outputs.get("label") or function.predicted_label or "")
    if label is None:
        raise CannotRun(f"none of the outputs of `{job.ref}` is known to hold classes: {', '.join(outputs)}")
    return (Label(str(label)),)


def embedding_output(job: Job, outputs: "Mapping[str, Output]") -> str:
    """The output that was asked for, that was noted, or that is the only array.

    Raises:
        UsageError: there is no such output, or it is not plain which of several.
    """
    arrays = [name for name, value in outputs.items() if hasattr(value, "dtype")]
    asked = job.request.options.extra.get("output")
    wanted = job.roles.outputs.get("embedding") if asked is None else str(asked)
    if wanted is None and len(arrays) == 1:
        return arrays[0]
    if wanted not in arrays:
        which = "no output that is surely an embedding" if wanted is None else f"no output `{wanted}` of numbers"
        known = ", ".join(f"`{name}`" for name in arrays) or "none"
        raise UsageError(f"`{job.ref}` has {which}; its arrays are {known}", hint="mmai run -O output=NAME")
    return wanted


def _scores(job: Job, outputs: "Mapping[str, Output]") -> str | None:
    """The output that was noted; else the classifier's own table; else the only array of fractions."""
    noted = (job.roles.outputs.get("scores"), job.roles.outputs.get("logits"), job.interface.predicted_probabilities)
    if (known := next((name for name in noted if name in outputs), None)) is not None:
        return known
    tables = [name for name, value in outputs.items() if isinstance(value, Mapping)]
    arrays = [name for name, value in outputs.items() if _has_fractions(value)]
    return next((found[0] for found in (tables, arrays) if len(found) == 1), None)


def _has_fractions(value: Any) -> bool:
    return hasattr(value, "dtype") and value.dtype.kind == "f"
