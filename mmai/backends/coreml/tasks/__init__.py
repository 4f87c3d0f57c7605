"""What models in files are run for, and the one place the tasks are imported from. A new one is a file and a row here."""

from collections.abc import AsyncGenerator, Callable
from importlib import import_module
from typing import cast

from mmai.backends.coreml.tasks.job import Job
from mmai.values.event import Event
from mmai.values.package import RoleTask

TASKS: dict[RoleTask, str] = {
    "image_classification": "classify_images",
    "image_embedding": "embed_images",
    "text_classification": "classify_text",
    "text_embedding": "embed_text",
    "speech_transcription": "transcribe",
    "tensors": "pass_tensors",
}
"""Task to the module here whose `run(job)` yields what came of it, all but the last event."""


def run(task: RoleTask, job: Job) -> AsyncGenerator[Event, None]:
    """The events of one task; raises as its module does."""
    module = import_module(f"{__name__}.{TASKS[task]}")
    return cast(Callable[[Job], AsyncGenerator[Event, None]], module.run)(job)
