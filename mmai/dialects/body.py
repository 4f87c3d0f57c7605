"""A whole response: as the value that was asked for, or as the words of whoever answered instead."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from mmai.dialects.http import MAX_BODY_CHARS
from mmai.errors import ProtocolError

T = TypeVar("T")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the JSON asked for."""

SEEN_CHARS = 200


class Decoder:
    """Responses of one API as values; `words` finds what it says where it is none, such as the text of an error."""

    def __init__(self, words: Callable[[bytes], str]) -> None:
        self._words = words

    def __call__(self, body: bytes, kind: type[T], *, where: str, what: str) -> T:
        """A whole response as a value; `what` names it in the error.

        Raises:
            ProtocolError: it is empty, no JSON, or of another shape.
        """
        try:
            return msgspec.json.decode(body, type=kind)
        except UNREADABLE as exc:
            seen = self._words(body)[:SEEN_CHARS]
            raise ProtocolError(f"{where} did not send {what}: {seen or 'the response is empty'}", body=seen or None) from exc


def error_of(body: bytes, *, page: str) -> Any:
    """What a failing response tells: what stands under `error`, else all of it; as `one_line` where it is no JSON."""
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        return one_line(body, page=page)
    value = value[0] if isinstance(value, list) and value else value
    return (value.get("error") or value) if isinstance(value, dict) else value


def one_line(body: bytes, *, page: str) -> str:
    """The start of a response as text in one line; of a web page, `page` instead."""
    text = " ".join(body[: MAX_BODY_CHARS * 4].decode("utf-8", "replace").split())
    return page if text.startswith("<") else text[:MAX_BODY_CHARS]


def words(error: Any) -> str:
    """What an error says: its `message` where it has one, else text as it is and everything else as JSON."""
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return error if isinstance(error, str) else msgspec.json.encode(error).decode()
