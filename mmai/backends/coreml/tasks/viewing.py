"""Every picture of a request on its way through the model, for the tasks that look at pictures."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.pictures.decoding import decode
from mmai.backends.coreml.pictures.framing import Frame, frame_of
from mmai.backends.coreml.pictures.normalizing import feed_of
from mmai.backends.coreml.pictures.resizing import Pixels, pixels_of
from mmai.backends.coreml.wording import listed
from mmai.errors import UsageError
from mmai.values.package import Feature, Function
from mmai.values.request import ImagePart

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Output


async def view(job: Job) -> AsyncGenerator[tuple[str | None, "Mapping[str, Output]"], None]:
    """What the model gives for each picture, and which file that was where there are several.

    All are decoded before the model is loaded: one that cannot be read is better known before minutes of waiting.

    Raises:
        UsageError: a picture cannot be read, or the model takes more than one picture at a time.
    """
    function = job.interface
    parts = job.parts(ImagePart)
    with job.meter.preparing():
        frame = frame_of(picture_input(job, function), job.roles.image)
        framed = await asyncio.to_thread(_framed, parts, frame)
    for part, pixels in zip(parts, framed, strict=True):
        with job.meter.preparing():
            feeds = {frame.feature.name: feed_of(pixels, frame)}
        prediction = await job.predict(feeds)
        yield part.name if len(parts) > 1 else None, prediction.outputs


def _framed(parts: Sequence[ImagePart], frame: Frame) -> list[Pixels]:
    return [pixels_of(decode(part), frame) for part in parts]


def picture_input(job: Job, function: Function) -> Feature:
    """The one input a picture goes into.

    Raises:
        UsageError: there is none, or something else has to go in beside it.
    """
    needed = [feature for feature in function.inputs if not feature.optional]
    named = job.roles.inputs.get("image")
    pictures = [feature for feature in function.inputs if feature.name == named] or [
        feature for feature in needed if feature.kind == "image"
    ]
    hint = f"mmai run -m {job.ref} --input NAME=FILE"
    names = listed(feature.name for feature in needed)
    if not pictures:
        raise UsageError(f"`{job.ref}` has no input for a picture: its inputs are {names or 'none'}", hint=hint)
    others = [feature for feature in needed if feature is not pictures[0]]
    if others:
        raise UsageError(f"`{job.ref}` takes {names} together, and a picture alone does not make them", hint=hint)
    return pictures[0]
