"""Which of a model's outputs is an embedding, of a picture or of a text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.wording import listed
from mmai.errors import UsageError

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output


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
