"""From a request to the one HTTP request a service takes, and what of it the service has no place for. Pure."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from mmai.backends.custom.bodies import encoded, query, shown
from mmai.backends.custom.filling import LEFT_OUT, filled
from mmai.values.event import DroppedEvent
from mmai.values.placeholders import FILES, OPTION, TUNING
from mmai.values.request import AudioPart, ImagePart, Options, Request
from mmai.values.service import ServiceRequest
from mmai.values.url import quoted

File = TypeVar("File", bound=ImagePart | AudioPart)
JSON = "application/json"
KINDS: dict[str, type[ImagePart] | type[AudioPart]] = {"image": ImagePart, "audio": AudioPart}
"""Placeholder of a file to what it is."""


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request, as it is sent."""

    method: str
    path: str
    """With its query."""
    body: bytes = b""
    content_type: str = JSON
    shown: Any = None
    """The body for people: its JSON, or how much of what it is."""


def call(asked: ServiceRequest, name: str, request: Request) -> Call:
    """What asks the model `name`; the request has been found to fit."""
    values = _values(asked.places(), name, request)
    path = str(filled(asked.path, {"model": quoted(name, also="/:@")})) + _query(asked.query, values)
    if asked.body in [f"{{{file}}}" for file in FILES]:
        file = _files(request, ImagePart if asked.body == "{image}" else AudioPart)[0]
        kind = asked.content_type or file.media_type
        return Call(method=asked.method, path=path, body=file.data, content_type=kind, shown=shown(file))
    body = filled(asked.body, values)
    if body is None:
        return Call(method=asked.method, path=path)
    body = {} if body is LEFT_OUT else body
    data, kind = encoded(body, asked.content_type or JSON)
    return Call(method=asked.method, path=path, body=data, content_type=kind, shown=shown(body))


def misfit(asked: ServiceRequest, request: Request) -> str | None:
    """What of the request has no place, in a sentence; None when all of it has."""
    used = asked.places()
    images, recordings = _files(request, ImagePart), _files(request, AudioPart)
    turns = {message.role for message in request.messages} - {"system", "user"}
    wants: tuple[tuple[str, bool, set[str]], ...] = (
        ("text", bool(request.prompt), {"prompt", "messages"}),
        ("a system prompt", bool(request.system), {"system", "messages"}),
        ("a conversation", bool(turns), {"messages"}),
        ("an image", bool(images), {"image", "image_base64"}),
        ("a recording", bool(recordings), {"audio", "audio_base64"}),
        ("a schema", request.schema is not None, {"schema"}),
        ("tools", bool(request.tools), set()),
    )
    if lacking := next((what for what, there, carriers in wants if there and used.isdisjoint(carriers)), None):
        return f"its `request` in the settings has no place for {lacking}"
    if len(images) > 1 or len(recordings) > 1:
        return f"it takes one file a call, not {len(images) + len(recordings)}"
    return _missing_file(asked, images, recordings)


def dropped(asked: ServiceRequest, options: Options) -> Iterator[DroppedEvent]:
    """The tuning that was asked for and has no place."""
    used = asked.places()
    for name in _tuning(options):
        if name not in used:
            yield DroppedEvent(name.removeprefix(OPTION), "its `request` in the settings has no place for it")


def _missing_file(asked: ServiceRequest, images: Sequence[ImagePart], recordings: Sequence[AudioPart]) -> str | None:
    """Why a body that is a file cannot be made."""
    if asked.body == "{image}" and not images:
        return "it takes an image: `-f FILE`"
    return "it takes a recording: `-f FILE`" if asked.body == "{audio}" and not recordings else None


def _values(used: frozenset[str], name: str, request: Request) -> dict[str, Any]:
    """Placeholder to value, of those that have one."""
    values = {
        "model": name,
        "prompt": request.prompt or None,
        "system": request.system or None,
        "messages": _messages(request, system="system" not in used),
        "schema": request.schema,
        **_tuning(request.options),
        **_encoded(used, request),
        **{name: next(iter(_files(request, kind)), None) for name, kind in KINDS.items() if name in used},
    }
    return {name: value for name, value in values.items() if value is not None or name.startswith(OPTION)}


def _tuning(options: Options) -> dict[str, Any]:
    own = {name: value for name in TUNING if (value := getattr(options, name)) not in (None, ())}
    return own | {f"{OPTION}{key}": value for key, value in options.extra.items()}


def _messages(request: Request, *, system: bool) -> list[dict[str, str]]:
    """As OpenAI's chat takes them; without the system's where that has a place of its own."""
    return [
        {"role": message.role, "content": message.text} for message in request.messages if system or message.role != "system"
    ]


def _encoded(used: frozenset[str], request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, kind in KINDS.items():
        if not used.isdisjoint((f"{name}_base64", f"{name}_type")):
            for file in _files(request, kind):
                found |= {f"{name}_base64": base64.b64encode(file.data).decode(), f"{name}_type": file.media_type}
    return found


def _files(request: Request, kind: type[File]) -> list[File]:
    return [part for message in request.messages for part in message.parts if isinstance(part, kind)]


def _query(template: dict[str, Any], values: dict[str, Any]) -> str:
    given = filled(template, values)
    if not template or given is LEFT_OUT:
        return ""
    return f"?{query(given)}"
