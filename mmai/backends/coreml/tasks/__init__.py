"""What models in files are run for, and the one place the tasks are imported from. A new one is a file and a row here."""

from collections.abc import AsyncGenerator, Callable, Collection
from importlib import import_module
from typing import cast

from msgspec import Struct

from mmai.backends.coreml.job import Job
from mmai.errors import UsageError
from mmai.values.event import Event
from mmai.values.package import RoleTask


class Task(Struct, frozen=True):
    """What a model is run for."""

    module: str
    """The one here whose `run(job)` yields what came of it, all but the last event."""
    options: tuple[str, ...] = ()
    """What `-O` may tell it, beside what `EVERY_TASK` takes."""


EVERY_TASK = ("compute_units", "function")

TASKS: dict[RoleTask, Task] = {
    "image_classification": Task("classify_images", ("top_k",)),
    "image_embedding": Task("embed_images", ("output",)),
    "text_classification": Task("classify_text", ("top_k", "truncate")),
    "text_embedding": Task("embed_text", ("output", "truncate", "normalize")),
    "speech_transcription": Task("transcribe", ("language", "translate", "timestamps")),
    "tensors": Task("pass_tensors"),
}


def demand_known(task: RoleTask, options: Collection[str], *, model: str) -> None:
    """Hold what was given with `-O` to what the task reads.

    Raises:
        UsageError: it would be read by nobody.
    """
    known = sorted((*TASKS[task].options, *EVERY_TASK))
    if strange := [name for name in options if name not in known]:
        raise UsageError(f"`{model}` has no option `{strange[0]}`, only {', '.join(f'`{name}`' for name in known)}")


def run(task: RoleTask, job: Job) -> AsyncGenerator[Event, None]:
    """The events of one task; raises as its module does."""
    module = import_module(f"{__name__}.{TASKS[task].module}")
    return cast(Callable[[Job], AsyncGenerator[Event, None]], module.run)(job)
