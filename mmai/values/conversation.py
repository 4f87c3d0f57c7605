"""Conversations: runs that follow each other."""

from msgspec import Struct

from mmai.values.record import RunStatus
from mmai.values.request import Message


class Turn(Struct, frozen=True, kw_only=True):
    """One question and what came of it."""

    run_id: str
    at: float
    """Unix seconds."""
    user: Message
    """With its attachments, as far as they were kept."""
    answer: Message | None = None
    """None where nothing came."""
    model: str | None = None
    status: RunStatus = "ok"


class Conversation(Struct, frozen=True, kw_only=True):
    """Turns in the order they began; `id` is that of its first run."""

    id: str
    name: str | None = None
    system: str = ""
    """The instructions above it, as they were last given."""
    turns: tuple[Turn, ...] = ()
    model: str | None = None
    """The model that answered last."""
    started_at: float | None = None
    updated_at: float | None = None


class Listed(Struct, frozen=True, kw_only=True):
    """A conversation as a list has it."""

    id: str
    name: str | None
    turns: int
    model: str | None
    started_at: float
    updated_at: float
    prompt: str
    """How its first prompt begins."""


FOUND = ("\x02", "\x03")
"""Before and behind each word that was looked for: two characters no answer has."""


class Hit(Struct, frozen=True, kw_only=True):
    """A run whose words were looked for."""

    run_id: str
    conversation: str
    at: float
    """Unix seconds."""
    model: str | None
    snippet: str
    """Where they stand, each between the two of `FOUND`."""
