"""Anthropic's Messages API as bytes on one side and values on the other. No I/O.

Source: platform.claude.com/docs, version 2023-06-01, and the types of Anthropic's Python SDK 2.12. The later version 2026-10-21
takes no sampling at all, while models up to 4.6 still do under this one.
"""

from mmai.dialects.anthropic.errors import STATUSES, decode, failure
from mmai.dialects.anthropic.models import parse_models
from mmai.dialects.anthropic.requests import count_fields, dropped_events, messages_body
from mmai.dialects.anthropic.stream import MessageStream
from mmai.dialects.anthropic.whole import message_events

VERSION = "2023-06-01"
"""What the header `anthropic-version` says."""

__all__ = [
    "STATUSES",
    "VERSION",
    "MessageStream",
    "count_fields",
    "decode",
    "dropped_events",
    "failure",
    "message_events",
    "messages_body",
    "parse_models",
]
