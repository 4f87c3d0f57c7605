"""The inputs of a model that reads tokens, as long as it takes them."""

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.axis import last_axis, outer
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.tasks.tokens import Encoded, Vocabulary, vocabulary_of
from mmai.backends.coreml.wording import said_shape
from mmai.errors import CannotRun, UsageError
from mmai.values.package import ArrayFormat, Feature

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed

ROLES = ("token_ids", "attention_mask", "token_type_ids", "position_ids")


class Prepared(Struct, frozen=True):
    """One text, ready for the model."""

    feeds: "dict[str, Feed]"
    mask: tuple[int, ...]
    """1 for a token of the text, 0 for one that fills up; as long as the inputs."""


async def prepare(job: Job) -> Prepared:
    """The text of a request as the model's inputs.

    Raises:
        UsageError: it is empty, or longer than the model reads and `-O truncate=true` was not given.
        CannotRun: the roles name no vocabulary or no tokens, or the model takes several texts at once.
    """
    truncate = job.flag("truncate")
    with job.meter.preparing():
        return await asyncio.to_thread(_prepared, job, truncate=truncate)


def _prepared(job: Job, *, truncate: bool) -> Prepared:
    vocabulary = vocabulary_of(job.roles)
    inputs = {role: _feature(job, role) for role in ROLES if role in job.roles.inputs}
    if "token_ids" not in inputs:
        raise CannotRun(f"nothing says which input of `{job.ref}` takes the tokens", hint=f"mmai models show {job.ref}")
    axis = last_axis(_format(inputs["token_ids"]))
    most = axis.longest
    encoded = vocabulary.encode(job.request.prompt, longest=most)
    if not encoded.ids:
        raise UsageError("the text holds no word the model knows" if job.request.prompt.strip() else "the text is empty")
    if most is not None and encoded.needed > most and not truncate:
        raise UsageError(
            f"the text has {encoded.needed} tokens, and `{job.ref}` reads {most}",
            hint="mmai run -O truncate=true reads its beginning",
        )
    length = axis.fitting(len(encoded.ids))
    rows, mask = _rows(encoded, vocabulary, length)
    return Prepared({feature.name: _shaped(rows[role], feature) for role, feature in inputs.items()}, mask)


def _feature(job: Job, role: str) -> Feature:
    name = job.roles.inputs[role]
    for feature in job.interface.inputs:
        if feature.name == name:
            return feature
    raise CannotRun(f"`{job.ref}` has no input `{name}`, which is named for `{role}`", hint=f"mmai models show {job.ref}")


def _rows(encoded: Encoded, vocabulary: Vocabulary, length: int) -> tuple[dict[str, list[int]], tuple[int, ...]]:
    missing = length - len(encoded.ids)

    def filled(numbers: tuple[int, ...], filler: int) -> list[int]:
        rest = [filler] * missing
        return [*rest, *numbers] if vocabulary.pad_left else [*numbers, *rest]

    mask = filled((1,) * len(encoded.ids), 0)
    # Positions count the tokens of the text, wherever it begins.
    start = missing if vocabulary.pad_left else 0
    positions = [max(place - start, 0) for place in range(length)]
    rows = {
        "token_ids": filled(encoded.ids, vocabulary.pad_id),
        "attention_mask": mask,
        "token_type_ids": filled(encoded.type_ids, 0),
        "position_ids": positions,
    }
    return rows, tuple(mask)


def _shaped(row: list[int], feature: Feature) -> "np.ndarray[Any, Any]":
    """One row in the type and with as many dimensions as the input has."""
    array = _format(feature)
    shape = (*outer(array), len(row))
    if any(size != 1 for size in shape[:-1]):
        raise CannotRun(f"`{feature.name}` is no row of tokens, but {said_shape(shape)}")
    return np.array(row, dtype=array.dtype or "int32").reshape(shape)


def _format(feature: Feature) -> ArrayFormat:
    if feature.array is None:
        raise CannotRun(f"`{feature.name}` takes no tokens: it is of kind `{feature.kind}`")
    return feature.array
