"""A text as one vector."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.embedding import embedding_output, finite, one_of
from mmai.backends.coreml.tasks.text_feeds import prepare
from mmai.backends.coreml.wording import said_shape
from mmai.errors import CannotRun
from mmai.values.event import Event, VectorEvent

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """One embedding, of unit length where the roles' options or `-O normalize=true` want it; raises as the model, `prepare` and
    `embedding_output` do.
    """
    normalize = job.flag("normalize", default=bool(job.roles.options.get("normalize")))
    prepared = await prepare(job)
    prediction = await job.predict(prepared.feeds)
    name = embedding_output(job, prediction.outputs)
    vector = finite(pooled(np.asarray(prediction.outputs[name]), prepared.mask, job.roles.pooling), name)
    if normalize:
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    yield VectorEvent(tuple(vector.tolist()))


def pooled(output: "Array", mask: tuple[int, ...], pooling: str | None) -> "Array":
    """One embedding out of what a model gives, in double precision.

    Args:
        output: the embedding itself, or one for each token in either order: tokens first, or as Apple's transformers for the
            Neural Engine have them, `1 x features x 1 x tokens`.
        mask: 1 for the tokens that count.
        pooling: see `Roles.pooling`; None takes the mean.

    Raises:
        CannotRun: it is neither.
    """
    sizes = tuple(size for size in output.shape if size != 1)
    if len(sizes) <= 1 and not (pooling in ("mean", "first", "last") and output.shape[:2] == (1, len(mask))):
        return output.astype(np.float64).reshape(-1)
    tokens = _by_token(output, len(mask))
    if tokens is None or pooling == "none":
        raise CannotRun(f"the output is no embedding, but of shape {said_shape(output.shape)}")
    return one_of(tokens[np.array(mask, dtype=bool)].astype(np.float64), pooling)


def _by_token(output: "Array", count: int) -> "Array | None":
    """A row for each of `count` tokens."""
    if output.ndim == 4 and output.shape[0] == output.shape[2] == 1 and output.shape[3] == count:
        return output[0, :, 0, :].T
    if output.ndim == 3 and output.shape[0] == 1:
        output = output[0]
    if output.ndim != 2:
        return None
    return output if output.shape[0] == count else output.T if output.shape[1] == count else None
