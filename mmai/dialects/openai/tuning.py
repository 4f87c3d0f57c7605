"""Which options of a request go out, under which names, and which do not.

Everybody takes `max_tokens`, except OpenAI's own models that reason: they know it as `max_completion_tokens`, and take neither
a temperature nor stop sequences. What a server refuses all the same is left out when it says so.

Source: OpenAI API reference, "Create chat completion" and "Create a model response"; guides "Reasoning models" and "Using the
latest model" (which efforts each model knows, and that a temperature goes with effort `none` alone).
"""

import re
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from mmai.values.event import DroppedEvent
from mmai.values.model import ModelCard
from mmai.values.request import Options

REASONS = "a model that reasons takes none"
NO_FIELD = "the protocol has none"
CONTENT = frozenset(("model", "messages", "input", "instructions", "stream", "tools", "response_format", "text"))
"""Fields that are what is asked. Without them it would be another question."""
SILENT = frozenset(("stream_options", "stream_options.include_usage", "store", "reasoning.summary"))
"""Fields nobody asked for."""
NAMES = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "reasoning_effort": "think",
    "reasoning": "think",
    "reasoning.effort": "think",
}
"""Fields to the option a user knows, where the names differ."""
OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}

EFFORTS_AT_MOST = ((5.6, "max"), (5.2, "xhigh"))
"""Version since which a model knows the effort; all of them know `high`."""

_REASONS = re.compile(r"(?:ft:)?(?:o\d|gpt-(?:[5-9]|1\d)(?!\d)|codex)(?!.*-chat)")
_MINIMAL = re.compile(r"gpt-5(?:-(?:mini|nano))?(?:-\d{4}.*)?$")
_VERSION = re.compile(r"gpt-(\d+(?:\.\d+)?)")
_ALWAYS_THINKS = re.compile(r"(?:ft:)?(?:o\d|.*-pro\b|.*codex)")


class Tuning(Struct, frozen=True):
    """What becomes of the options."""

    fields: dict[str, Any]
    dropped: tuple[DroppedEvent, ...] = ()


def reasons(model: ModelCard) -> bool:
    """Whether it is one of OpenAI's own that reason, and takes its options as those do."""
    return model.provider == "openai" and ("thinking" in model.capabilities or is_reasoning_name(model.name))


def is_reasoning_name(name: str) -> bool:
    """`o3`, `gpt-5-mini`, `gpt-6-luna` and the like, but not `gpt-5-chat-latest`."""
    return _REASONS.match(name) is not None


def chat_tuning(model: ModelCard, options: Options) -> Tuning:
    """The options of a chat completion."""
    limit = "max_completion_tokens" if reasons(model) else "max_tokens"
    fields = {"temperature": options.temperature, limit: options.max_tokens, "stop": options.stop or None, "seed": options.seed}
    effort, why = _effort(model, options)
    return _tuned(model, options, fields | {"reasoning_effort": effort}, {"think": why})


def responses_tuning(model: ModelCard, options: Options) -> Tuning:
    """The options of a response, which has neither seed nor stop sequences."""
    effort, why = _effort(model, options)
    # A summary of what it thinks comes only to whoever asks for it.
    summary = {"summary": "auto"} if effort != "none" else {}
    fields = {
        "temperature": options.temperature,
        "max_output_tokens": options.max_tokens,
        "reasoning": {"effort": effort, **summary} if effort else None,
    }
    unknown = {"seed": None if options.seed is None else NO_FIELD, "stop": NO_FIELD if options.stop else None}
    return _tuned(model, options, fields, {"think": why, **unknown})


def embed_tuning(options: Options) -> Tuning:
    """The options of an embedding: those that are passed through."""
    asked = {
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "stop": options.stop or None,
        "seed": options.seed,
        "think": options.think or None,
        "keep_alive": options.keep_alive,
    }
    dropped = tuple(DroppedEvent(name, "an embedding has none") for name, value in asked.items() if value is not None)
    return Tuning(dict(options.extra), dropped)


def without(body: bytes, name: str, *, refused: Collection[str]) -> tuple[bytes, str | None] | None:
    """The body without a field the server refused, and the option that is lost with it; None where the field is not there.

    A limit of tokens goes out under its other name first, unless that is among those `refused` before: it guards money.
    """
    fields: dict[str, Any] = msgspec.json.decode(body)
    outer, _, inner = name.partition(".")
    holder = fields.get(outer) if inner else fields
    field = inner or name
    if not isinstance(holder, dict) or field not in holder:
        return None
    value, other = holder.pop(field), OTHER_NAME.get(name)
    if inner and not holder:
        del fields[outer]
    if other is not None and other not in refused:
        fields[other] = value
        return msgspec.json.encode(fields), None
    return msgspec.json.encode(fields), None if name in SILENT else NAMES.get(name, name)


def _tuned(model: ModelCard, options: Options, fields: dict[str, Any], why: dict[str, str | None]) -> Tuning:
    """`why` names what is not sent, and the reason where it was asked for."""
    if reasons(model):
        thinks = options.think is not False
        for name in ("temperature", "stop") if thinks else ("stop",):
            if fields.get(name) is not None:
                fields[name], why[name] = None, REASONS
    if options.keep_alive is not None:
        why["keep_alive"] = NO_FIELD
    dropped = tuple(DroppedEvent(name, reason) for name, reason in why.items() if reason)
    return Tuning({name: value for name, value in fields.items() if value is not None} | options.extra, dropped)


def _effort(model: ModelCard, options: Options) -> tuple[str | None, str | None]:
    """The effort that was asked for, and why it is not sent."""
    if options.think is None:
        return None, None
    if model.provider == "openai" and not reasons(model):
        return None, "it does not reason" if options.think else None
    if options.think is False:
        return _least_effort(model)
    if options.think is True:
        return "medium", None
    return _most_effort(model) if options.think == "max" else options.think, None


def _most_effort(model: ModelCard) -> str:
    found = _VERSION.match(model.name) if model.provider == "openai" else None
    version = float(found[1]) if found else 0.0
    return next((effort for since, effort in EFFORTS_AT_MOST if version >= since), "high")


def _least_effort(model: ModelCard) -> tuple[str | None, str | None]:
    """Models since GPT-5.1 can answer without a thought; those before think a little, or as ever."""
    if model.provider == "openai" and _MINIMAL.match(model.name):
        return "minimal", None
    if model.provider == "openai" and _ALWAYS_THINKS.match(model.name):
        return None, "it always reasons"
    return "none", None
