"""Every picture as the classes a model sorts it into."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.scoring import classify, most
from mmai.backends.coreml.tasks.viewing import view
from mmai.values.event import Event, LabelsEvent


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """The most probable classes of each; `-O top_k=N` for more or fewer, `-O top_k=all` for all.

    Raises:
        UsageError: see `view`.
        CannotRun, ProviderError: see `classify`.
    """
    top_k = most(job)
    async with aclosing(view(job)) as viewed:
        async for of, outputs in viewed:
            yield LabelsEvent(classify(outputs, job.package, top_k=top_k), of)
