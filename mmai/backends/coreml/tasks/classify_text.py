"""A text as the classes a model sorts it into."""

from collections.abc import AsyncGenerator

from mmai.backends.coreml.tasks.choices import labels_of, most
from mmai.backends.coreml.tasks.job import Job
from mmai.backends.coreml.tasks.text_feeds import prepare
from mmai.values.event import Event, LabelsEvent


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """The most probable classes; `-O top_k=N` of them; raises as the model, `prepare` and `labels_of` do."""
    count = most(job)
    prepared = await prepare(job)
    prediction = await job.predict(prepared.feeds)
    yield LabelsEvent(labels_of(job, prediction.outputs)[:count])
