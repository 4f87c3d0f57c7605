"""What a service says when it fails, as our errors. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import json

from mmai.dialects.body import UNREADABLE, one_line, words
from mmai.dialects.http import status_error
from mmai.errors import MmaiError
from mmai.values.model import ModelRef

USUAL = ("error", "message", "detail", "errors", "error_message")
"""Keys that tell what is wrong, where the settings name no path or it leads to nothing."""


def failure(
    status: int,
    body: bytes,
    *,
    where: str,
    ref: ModelRef | None,
    headers: Mapping[str, str],
    now: float,
    error: str | None = None,
) -> MmaiError:
    """The error of a whole response outside 200 to 299; `error` is the path of what it says."""
    hint = None
    if ref:
        hint = f"mmai keys set {ref.provider}" if status in (401, 403) else None
        hint = f"mmai run --dry-run -m {ref} shows what is sent" if status in (400, 404, 405, 415, 422) else hint
    return status_error(status, error_text(body, error), where=where, headers=headers, now=now, hint=hint)


def error_text(body: bytes, path: str | None = None) -> str:
    """What a failing response says, in one line."""
    try:
        value = json.decode(body)
    except UNREADABLE:
        return one_line(body, page="a web page")
    return words(_told(value, path))


def _told(value: Any, path: str | None) -> Any:
    if path is not None:
        import jmespath  # noqa: PLC0415 15 ms, which a service that answers well never needs
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415

        try:
            if found := jmespath.search(path, value):
                return found
        except JMESPathError:
            pass  # the failure itself is what matters
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in USUAL if value.get(key)), value)
