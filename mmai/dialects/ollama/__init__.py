"""Ollama's native API as bytes on one side and values on the other. No I/O.

Source: Ollama `docs/api.md` and `api/types.go`, v0.33. Durations are integer nanoseconds there; a number that is absent is
zero or unknown, and is None here.
"""

from mmai.dialects.ollama.chat import ChatStream
from mmai.dialects.ollama.embed import embed_events
from mmai.dialects.ollama.errors import check_done, failure
from mmai.dialects.ollama.models import (
    Listed,
    Shown,
    as_card,
    full_name,
    needs_show,
    parse_ps,
    parse_show,
    parse_tags,
    parse_version,
)
from mmai.dialects.ollama.pull import PullStream
from mmai.dialects.ollama.requests import chat_body, embed_body, load_body, name_body

__all__ = [
    "ChatStream",
    "Listed",
    "PullStream",
    "Shown",
    "as_card",
    "chat_body",
    "check_done",
    "embed_body",
    "embed_events",
    "failure",
    "full_name",
    "load_body",
    "name_body",
    "needs_show",
    "parse_ps",
    "parse_show",
    "parse_tags",
    "parse_version",
]
