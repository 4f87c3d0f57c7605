"""What a path found in an answer, as the event it is: text, classes, a vector, an image, a sound. Pure."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import ValidationError, convert, json

from mmai.values.event import AudioEvent, Event, FinishReason, ImageEvent, Label, LabelsEvent, TextEvent, VectorEvent
from mmai.values.media import sniffed

NAMES, PROBABILITIES = ("name", "label", "class"), ("probability", "score", "confidence")
"""Keys under which services tell a class and how sure they are; the first that is there counts."""

REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "max_length": "length",
    "max_output_tokens": "length",
    "content_filter": "filter",
    "content_filtered": "filter",
    "filter": "filter",
    "safety": "filter",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
"""Words services use, in lower case; any other is a stop."""


class Unfit(Exception):
    """What was found is none of the kind; says what it is instead, in half a sentence."""


def events(output: str, found: Any) -> Iterator[Event]:
    """The events of what the path of `output` found; an empty text is none.

    Raises:
        Unfit: while iterating.
    """
    return EVENTS[output](found)


def finish_reason(found: Any) -> FinishReason:
    """Why an answer ended, of what the service calls it."""
    return REASONS.get(str(found).lower(), "stop")


def count(found: Any) -> float | None:
    """A number of tokens, images or seconds; None for anything else."""
    return found if isinstance(found, int | float) and not isinstance(found, bool) and found >= 0 else None


def told_of_none(document: Any) -> bool:
    """Whether a service that lists what it finds says that there is none of it: its answer holds an empty list.

    A path of classes that is wrong leads to none in a list of some.
    """
    items = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return document == [] or any(told_of_none(item) for item in items)


def _text(found: Any) -> Iterator[Event]:
    """Text as it is, a list of texts joined, anything else as JSON."""
    if isinstance(found, bytes):
        text = found.decode("utf-8", "replace")
    elif isinstance(found, list) and all(isinstance(part, str) for part in found):
        text = "".join(found)
    else:
        text = found if isinstance(found, str) else json.encode(found).decode()
    if text:
        yield TextEvent(text)


def _labels(found: Any) -> Iterator[Event]:
    labels = [Label(name, probability) for name, probability in _classes(found)]
    if not labels and found != []:
        raise Unfit("no classes")
    yield LabelsEvent(tuple(sorted(labels, key=lambda label: -1.0 if label.probability is None else -label.probability)))


def _classes(found: Any) -> Iterator[tuple[str, float | None]]:
    """Of objects, names alone, one mapping of names to probabilities, or a list of names beside a list of probabilities."""
    match found:
        case str():
            yield found, None
        case dict():
            label = _label(found)
            yield from [label] if label else ((name, _probability(value)) for name, value in found.items())
        case [list(names), list(probabilities)] if len(names) == len(probabilities):
            yield from ((str(name), _probability(value)) for name, value in zip(names, probabilities, strict=True))
        case list():
            for item in found:
                if isinstance(item, list):
                    raise Unfit("a list in a list")
                yield from _classes(item)
        case _:
            raise Unfit(shown(found))


def _label(found: Mapping[str, Any]) -> tuple[str, float | None] | None:
    name = next((found[key] for key in NAMES if found.get(key) is not None), None)
    if name is None or isinstance(name, list | dict):
        return None
    return str(name), _probability(next((found[key] for key in PROBABILITIES if key in found), None))


def _probability(found: Any) -> float | None:
    if found is None:
        return None
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    raise Unfit(f"a probability of {shown(found)}")


def _vector(found: Any) -> Iterator[Event]:
    try:
        values = convert(found, tuple[float, ...])
    except ValidationError as exc:
        raise Unfit(shown(found)) from exc
    if not values:
        raise Unfit("an empty list")
    yield VectorEvent(values)


def _image(found: Any) -> Iterator[Event]:
    for data, kind in _files(found, "image/"):
        yield ImageEvent(data, kind)


def _audio(found: Any) -> Iterator[Event]:
    for data, kind in _files(found, "audio/"):
        yield AudioEvent(data, kind)


def _files(found: Any, kind: str) -> Iterator[tuple[bytes, str]]:
    """Bytes as they are, or base64, alone or behind `data:TYPE;base64,`; one or a list of them."""
    for item in found if isinstance(found, list) else [found]:
        told, data = ("", item) if isinstance(item, bytes) else _decoded(item)
        media_type = sniffed(data) or told
        if not media_type.startswith(kind):
            raise Unfit(shown(item))
        yield data, media_type


def _decoded(found: Any) -> tuple[str, bytes]:
    if not isinstance(found, str):
        raise Unfit(shown(found))
    head, comma, rest = found.partition(",")
    told = head.removeprefix("data:").partition(";")[0] if comma and head.startswith("data:") else ""
    try:
        return told, base64.b64decode(rest if told else found, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Unfit(shown(found)) from exc


def shown(found: Any) -> str:
    """The start of what was found, in one line."""
    text = found.decode("utf-8", "replace") if isinstance(found, bytes) else json.encode(found).decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())
    return f"`{line if len(line) <= 80 else line[:77] + '...'}`" if line else "nothing"


EVENTS: dict[str, Callable[[Any], Iterator[Event]]] = {
    "text": _text,
    "labels": _labels,
    "vector": _vector,
    "image": _image,
    "audio": _audio,
}
