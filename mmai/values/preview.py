"""What a call would send, for `--dry-run`."""

from typing import Any

from msgspec import Struct


class Preview(Struct, frozen=True, kw_only=True):
    """One HTTP request, whole, with credentials masked; or what an embedded model would be given."""

    method: str | None = None
    url: str | None = None
    """None where nothing leaves the process."""
    headers: dict[str, str] = {}
    body: Any = None
    """The decoded JSON; in words where it is a file, and None where there is none."""
