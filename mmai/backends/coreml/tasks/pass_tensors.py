"""Raw tensors: what was handed in by name goes into the model, and all that comes out is the answer."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.tensor_feeds import feed, picture_feed
from mmai.backends.coreml.wording import said_feature
from mmai.errors import UsageError
from mmai.values.event import Event, Tensor, TensorsEvent
from mmai.values.package import Feature, Function
from mmai.values.request import AudioPart, ImagePart, TensorPart

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed, Output


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """One prediction, of fresh states where the model has any; raises as the model does.

    Raises:
        UsageError: an input is missing, unknown, given twice, or not what the model takes.
    """
    function = job.interface
    with job.meter.preparing():
        feeds = await asyncio.to_thread(feeds_of, job, function)
    prediction = await job.predict(feeds)
    yield event_of(prediction.outputs)


def feeds_of(job: Job, function: Function) -> "dict[str, Feed]":
    """Everything that was handed in, under the names of the inputs; raises as `run` does."""
    features = {feature.name: feature for feature in function.inputs}
    feeds: dict[str, Feed] = {}
    for part in job.parts(TensorPart):
        if part.name not in features:
            raise UsageError(f"`{job.ref}` has no input `{part.name}`; {_interface(function)}")
        if part.name in feeds:
            raise UsageError(f"the input `{part.name}` is given twice")
        feeds[part.name] = feed(part, features[part.name], job.roles.image)
    _add_pictures(feeds, job, function)
    _add_text(feeds, job, function)
    missing = [feature.name for feature in function.inputs if feature.name not in feeds and not feature.optional]
    if missing:
        raise UsageError(
            f"nothing was given for `{'`, `'.join(missing)}`; {_interface(function)}",
            hint=f"mmai run -m {job.ref} --input {missing[0]}=FILE",
        )
    return feeds


def _add_pictures(feeds: "dict[str, Feed]", job: Job, function: Function) -> None:
    """Pictures that came without a name, into the free inputs for pictures, in order."""
    named = job.roles.inputs.get("image")
    free = [each for each in function.inputs if each.name not in feeds and (each.kind == "image" or each.name == named)]
    pictures = job.parts(ImagePart)
    if len(pictures) > len(free):
        raise UsageError(
            f"{len(pictures)} picture{'s' * (len(pictures) != 1)} came without the name of an input, and `{job.ref}` has "
            f"{len(free) or 'none'} left for pictures; {_interface(function)}"
        )
    for part, feature in zip(pictures, free, strict=False):
        feeds[feature.name] = picture_feed(part, feature, job.roles.image)
    if job.parts(AudioPart):
        raise UsageError(f"a recording came without the name of an input; {_interface(function)}")


def _add_text(feeds: "dict[str, Feed]", job: Job, function: Function) -> None:
    if not job.request.prompt.strip():
        return
    free = [feature for feature in function.inputs if feature.kind == "string" and feature.name not in feeds]
    if len(free) != 1:
        raise UsageError(f"a text came without the name of an input; {_interface(function)}")
    feeds[free[0].name] = job.request.prompt


def _interface(function: Function) -> str:
    return f"its inputs are {', '.join(map(_said, function.inputs))}" if function.inputs else "it has no inputs"


def _said(feature: Feature) -> str:
    return f"`{feature.name}` ({said_feature(feature)}{', optional' if feature.optional else ''})"


def event_of(outputs: "Mapping[str, Output]") -> TensorsEvent:
    """Arrays as bytes, and what is none as it is."""
    arrays: dict[str, Any] = {name: value for name, value in outputs.items() if _has_numbers(value)}
    return TensorsEvent(
        tuple(Tensor(name, str(value.dtype), value.shape, value.tobytes()) for name, value in arrays.items()),
        {name: _plain(value) for name, value in outputs.items() if name not in arrays},
    )


def _has_numbers(value: Any) -> bool:
    return hasattr(value, "dtype") and value.dtype.kind in "biuf"


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
