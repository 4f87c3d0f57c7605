"""A text as the classes a model sorts it into."""

from collections.abc import AsyncGenerator

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.scoring import classify, most
from mmai.backends.coreml.tasks.text_feeds import prepare
from mmai.values.event import Event, LabelsEvent


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """The most probable classes; `-O top_k=N` for more or fewer, `-O top_k=all` for all.

    Raises:
        UsageError: see `prepare`.
        CannotRun: the roles do not say how the model reads text, or its scores are none.
    """
    top_k = most(job)
    prepared = await prepare(job)
    prediction = await job.predict(prepared.feeds)
    yield LabelsEvent(classify(prediction.outputs, job.package, top_k=top_k))
