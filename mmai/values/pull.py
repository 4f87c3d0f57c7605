"""How far the download of a model has come."""

from msgspec import Struct


class PullProgress(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One report of the server that downloads."""

    status: str
    """What it does now, in its own words."""
    digest: str | None = None
    """The file the sizes are of; a model is several. None for a step that is not a download."""
    total_bytes: int | None = None
    completed_bytes: int | None = None
    """Of this file, those of an earlier, cancelled pull included."""
