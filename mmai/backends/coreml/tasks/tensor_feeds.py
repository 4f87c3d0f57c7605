"""What somebody hands in for one input of a model by name: a NumPy file, JSON, a picture, or a text."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mmai.backends.coreml.feeds import shape_fits
from mmai.backends.coreml.pictures.decoding import decode
from mmai.backends.coreml.pictures.framing import frame_of
from mmai.backends.coreml.pictures.normalizing import feed_of
from mmai.backends.coreml.pictures.resizing import pixels_of
from mmai.backends.coreml.wording import said_feature, said_shape
from mmai.errors import UsageError
from mmai.values.media import sniffed
from mmai.values.package import ArrayFormat, Feature, ImagePreparation
from mmai.values.request import ImagePart, TensorPart

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed

Array = np.ndarray[Any, Any]

NPY = b"\x93NUMPY"


def feed(part: TensorPart, feature: Feature, preparation: ImagePreparation | None) -> "Feed":
    """The value of one input.

    Raises:
        UsageError: it cannot be read, or is not what the input takes.
        CannotRun: a picture does not fit an input of this kind.
    """
    what = f"`{part.origin}`" if part.origin else f"the value of `{part.name}`"
    if feature.kind == "string":
        return _text(part, what)
    if part.data.startswith(NPY):
        return _number(_loaded(part.data, what), feature)
    if feature.kind == "image" or (feature.kind == "array" and (sniffed(part.data) or "").startswith("image/")):
        return picture_feed(ImagePart(part.data, "image/*", part.origin or part.name), feature, preparation)
    return _of_json(_decoded(part, feature, what), feature, what)


def picture_feed(part: ImagePart, feature: Feature, preparation: ImagePreparation | None) -> Array:
    """A picture as the input takes it; raises as `decode` and `frame_of` do."""
    frame = frame_of(feature, preparation)
    return feed_of(pixels_of(decode(part), frame), frame)


def _text(part: TensorPart, what: str) -> str:
    """A file as it is, without the end of its last line; of what was typed, a JSON string is decoded."""
    try:
        text = part.data.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{what} is no UTF-8 text, which the input `{part.name}` takes") from exc
    if part.origin:
        return text.removesuffix("\n").removesuffix("\r")
    try:
        return msgspec.json.decode(part.data, type=str)
    except msgspec.DecodeError:
        return text


def _loaded(data: bytes, what: str) -> Array:
    try:
        found = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, MemoryError, SyntaxError, TypeError, OverflowError) as exc:
        raise UsageError(f"{what} is a damaged NumPy file: {exc}") from exc
    if found.dtype.kind not in "biuf":
        raise UsageError(f"{what} holds {found.dtype}, and models take numbers")
    return np.asarray(found, found.dtype.newbyteorder("="))


def _number(found: Array, feature: Feature) -> "Feed":
    """An array, or the one number an input takes that is none."""
    if feature.kind in ("int64", "double") and found.size == 1:
        return int(found.item()) if feature.kind == "int64" else float(found.item())
    return found if feature.array is None else _of_shape(found, feature, feature.array)


def _of_shape(found: Array, feature: Feature, array: ArrayFormat) -> Array:
    """Hold an array to the shapes an input takes: better before a model is loaded than after.

    Raises:
        UsageError: it has another.
    """
    if not shape_fits(array, found.shape):
        raise UsageError(f"`{feature.name}` takes {said_feature(feature)}, not {said_shape(found.shape)}")
    return found


def _decoded(part: TensorPart, feature: Feature, what: str) -> Any:
    try:
        return msgspec.json.decode(part.data)
    except (msgspec.DecodeError, RecursionError) as exc:
        typed = part.data[:60].decode("utf-8", "replace")
        lacks = f"{what} is neither a NumPy file nor JSON" if part.origin else f"`{typed}` is neither a file nor JSON"
        raise UsageError(
            f"{lacks}; `{part.name}` takes {said_feature(feature)}", hint=f"mmai run --input {part.name}=FILE.npy"
        ) from exc


def _of_json(value: Any, feature: Feature, what: str) -> "Feed":
    wrong = UsageError(f"`{feature.name}` takes {said_feature(feature)}, which {what} is not")
    match feature.kind:
        case "array":
            return _array(value, feature, wrong)
        case "int64" if isinstance(value, int):
            return value
        case "double" if isinstance(value, int | float):
            return float(value)
        case "dictionary" if isinstance(value, dict):
            return _table(value, feature, wrong)
        case _:
            raise wrong


def _array(value: Any, feature: Feature, wrong: UsageError) -> Array:
    """Leading axes of one may be left out; whole numbers may be written with a point."""
    array = feature.array or ArrayFormat()
    try:
        found = np.asarray(value)
    except (ValueError, OverflowError) as exc:
        raise UsageError(f"{wrong.message}: its rows have different lengths") from exc
    if found.dtype.kind not in "biuf":
        raise wrong
    if found.dtype.kind == "f" and (array.dtype or "").startswith(("int", "uint")) and (found == np.rint(found)).all():
        found = found.astype(np.int64)
    rank = max(map(len, (array.shape, *array.shapes, array.ranges)))
    return _of_shape(found.reshape((1,) * (rank - found.ndim) + found.shape), feature, array)


def _table(value: Mapping[str, Any], feature: Feature, wrong: UsageError) -> "Feed":
    try:
        if feature.keys == "int64":
            return {int(key): float(number) for key, number in value.items()}
        return {key: float(number) for key, number in value.items()}
    except (TypeError, ValueError) as exc:
        raise wrong from exc
