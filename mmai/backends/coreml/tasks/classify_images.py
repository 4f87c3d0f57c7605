"""Image classification: the most probable classes of every picture."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from mmai.backends.coreml.tasks.choices import labels_of, most
from mmai.backends.coreml.tasks.job import Job
from mmai.backends.coreml.tasks.viewing import view
from mmai.values.event import Event, LabelsEvent


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """Labels for each picture, `-O top_k=N` of them; raises as the model and `view` do."""
    count = most(job)
    async with aclosing(view(job)) as viewed:
        async for of, outputs in viewed:
            yield LabelsEvent(labels_of(job, outputs)[:count], of)
