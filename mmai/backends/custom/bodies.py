"""A filled body as the bytes of its content type: JSON, a form, a form with files, or plain text. Pure.

Source: WHATWG HTML, "Form submission" (URL-encoded and multipart form data); RFC 7578.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import json

from mmai.backends.custom.filling import written
from mmai.values.media import suffix_of
from mmai.values.request import AudioPart, ImagePart
from mmai.values.service import FORM, MULTIPART, bare_type
from mmai.values.url import quoted


def encoded(body: Any, content_type: str) -> tuple[bytes, str]:
    """The bytes, and the content type they are sent under."""
    match bare_type(content_type):
        case kind if kind == MULTIPART:
            return _multipart(body)
        case kind if kind == FORM:
            return query(body).encode(), content_type
        case kind if kind.startswith("text/") and isinstance(body, str):
            return body.encode(), content_type
        case _:
            return json.encode(body), content_type


def shown(body: Any) -> Any:
    """The body for people: of a file, how much of what it is."""
    if isinstance(body, ImagePart | AudioPart):
        return f"{len(body.data)} bytes of {body.media_type}"
    return {name: shown(value) for name, value in body.items()} if isinstance(body, dict) else body


def query(fields: dict[str, Any]) -> str:
    """`a=b&c=d`; each item of a list of plain values is a field of its own."""
    return "&".join(f"{quoted(name)}={quoted(written(value))}" for name, value in _fields(fields))


def _fields(fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        several = isinstance(value, list | tuple) and not any(isinstance(item, dict | list) for item in value)
        for item in value if several else [value]:
            yield name, item


def _multipart(fields: dict[str, Any]) -> tuple[bytes, str]:
    parts = [_part(name, value) for name, value in _fields(fields)]
    boundary, number = "mmai", 0
    while any(boundary.encode() in part for part in parts):
        boundary, number = f"mmai-{number}", number + 1
    edge = f"--{boundary}".encode()
    return b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n", f"{MULTIPART}; boundary={boundary}"


def _part(name: str, value: Any) -> bytes:
    plain = name.replace('"', "%22")
    head = f'Content-Disposition: form-data; name="{plain}"'
    if not isinstance(value, ImagePart | AudioPart):
        return f"{head}\r\n\r\n{written(value)}".encode()
    # Services go by the suffix; what the file is called here is nobody's business.
    file = f"{value.media_type.partition('/')[0]}{suffix_of(value.media_type)}"
    return f'{head}; filename="{file}"\r\nContent-Type: {value.media_type}\r\n\r\n'.encode() + value.data
