"""Feature extraction: one vector for every picture."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.embedding import embedding_output, finite, one_of
from mmai.backends.coreml.tasks.viewing import view
from mmai.backends.coreml.wording import said_shape
from mmai.errors import CannotRun
from mmai.values.event import Event, VectorEvent

Array = np.ndarray[Any, np.dtype[np.float64]]


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """A vector for each picture, from the output `-O output=NAME` asks for; raises as the model and `view` do."""
    async with aclosing(view(job)) as viewed:
        async for of, outputs in viewed:
            name = embedding_output(job, outputs)
            yield VectorEvent(_vector(outputs[name], job, name), of)


def _vector(value: Any, job: Job, name: str) -> tuple[float, ...]:
    channels_last = job.roles.image is not None and job.roles.image.layout == "nhwc"
    pooled = _pooled(np.asarray(value, np.float64), job.roles.pooling, channels_last=channels_last, name=name)
    return tuple(finite(pooled, name).tolist())


def _pooled(values: Array, pooling: str | None, *, channels_last: bool, name: str) -> Array:
    """One vector of a vector, of tokens x channels, or of a map: channels x height x width, or the other way round."""
    single = values
    while single.ndim > 1 and single.shape[0] == 1:
        single = single[0]
    if single.ndim > 3:
        raise CannotRun(
            f"the output `{name}` has the shape {said_shape(values.shape)}, which is neither a vector, tokens nor a map"
        )
    if pooling == "none" or values.size == max(values.shape, default=1):
        return single.reshape(-1)
    is_map = single.ndim == 3 and not channels_last
    tokens = single.reshape(single.shape[0], -1).T if is_map else single.reshape(-1, single.shape[-1])
    return one_of(tokens, pooling)
