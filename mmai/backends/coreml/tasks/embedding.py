"""Which of a model's outputs is an embedding, of a picture or of a text, and how one vector comes of several."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.wording import listed
from mmai.errors import ProviderError, UsageError

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output

Array = np.ndarray[Any, Any]


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
        raise UsageError(f"`{job.ref}` has {which}; its arrays are {listed(arrays) or 'none'}", hint="mmai run -O output=NAME")
    return wanted


def one_of(rows: Array, pooling: str | None) -> Array:
    """One vector of the rows, one for each token or place: the mean, unless `pooling` is `first` or `last`."""
    return np.asarray(rows[0] if pooling == "first" else rows[-1] if pooling == "last" else rows.mean(axis=0))


def finite(vector: Array, name: str) -> Array:
    """A vector that came of the output `name`.

    Raises:
        ProviderError: a value is none.
    """
    if not np.isfinite(vector).all():
        raise ProviderError(f"the embedding in its output `{name}` has values that are no numbers")
    return vector
