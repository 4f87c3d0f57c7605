"""What is sent to Anthropic."""

from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.anthropic.content import turns
from mmai.dialects.anthropic.families import Family, family
from mmai.dialects.anthropic.schema import enforceable
from mmai.values.event import DroppedEvent
from mmai.values.request import Options, Request

DEFAULT_MAX_TOKENS = 8_192
"""The API wants a limit. Every model since Claude 3.5 takes this one, and an answer longer than 6,000 words says that it was cut."""

BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "max": 32_768}
"""Tokens to think with, for models that are told a budget."""
LEAST_BUDGET = 1_024
"""What the API takes for a budget."""

SAMPLING = ("temperature", "top_p", "top_k")
HOTTEST = 1.0
NONE = "Anthropic has none"

COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed")
"""The fields of a message that counting its tokens takes."""


def messages_body(name: str, request: Request, *, max_tokens: int | None, stream: bool = True) -> bytes:
    """The body of `POST /v1/messages`.

    The longest answer is what the options say, else `max_tokens`, which is what the model can do at most where that is known,
    else 8,192. The model's own limit is safe to ask for: what counts against rate limits and money is what was generated.
    """
    return msgspec.json.encode(_message(name, request, max_tokens=max_tokens) | ({"stream": True} if stream else {}))


def count_fields(name: str, request: Request, *, max_tokens: int | None) -> dict[str, Any]:
    """The body of `POST /v1/messages/count_tokens`: of the same message, what weighs on its input."""
    message = msgspec.to_builtins(_message(name, request, max_tokens=max_tokens))
    return {field: message[field] for field in COUNTED if field in message}


def dropped_events(name: str, request: Request, *, max_tokens: int | None) -> list[DroppedEvent]:
    """The options that were asked for and that `messages_body` leaves out."""
    return _tuning(name, request.options, max_tokens=max_tokens).dropped


def _message(name: str, request: Request, *, max_tokens: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {"model": name, "messages": turns(request.messages)}
    if request.system.strip():
        body["system"] = request.system
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in request.tools
        ]
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": enforceable(request.schema)}}
    return _merged(body, _tuning(name, request.options, max_tokens=max_tokens).fields)


class _Tuning(Struct):
    """The fields the options become, and those that became none."""

    fields: dict[str, Any]
    dropped: list[DroppedEvent]

    def drop(self, option: str, reason: str) -> None:
        self.dropped.append(DroppedEvent(option, reason))


def _tuning(name: str, options: Options, *, max_tokens: int | None) -> _Tuning:
    limit = options.max_tokens or max_tokens or DEFAULT_MAX_TOKENS
    tuning = _Tuning({"max_tokens": limit}, [])
    model = family(name)
    if options.think is not None:
        _think(tuning, options.think, model, limit=limit)
    _sample(tuning, options, model)
    _stop(tuning, options.stop)
    if options.seed is not None:
        tuning.drop("seed", NONE)
    if options.keep_alive is not None:
        tuning.drop("keep_alive", "Anthropic decides itself what stays in memory")
    return tuning


def _think(tuning: _Tuning, think: bool | str, model: Family | None, *, limit: int) -> None:
    if not think:
        off = "disabled" if model is None else model.unthinking
        if off is None:
            tuning.drop("think", "this model always thinks")
        elif off:
            tuning.fields["thinking"] = {"type": off}
    elif model and not model.thinks:
        tuning.drop("think", "this model does not think")
    elif model and model.adapts:
        # Newer models keep their thoughts to themselves unless asked.
        tuning.fields["thinking"] = {"type": "adaptive", "display": "summarized"}
        if isinstance(think, str):
            tuning.fields["output_config"] = {"effort": think}
    elif limit <= LEAST_BUDGET:
        tuning.drop("think", f"it takes more than {LEAST_BUDGET} tokens, and the whole answer may have {limit}")
    else:
        wanted = BUDGETS[think if isinstance(think, str) else "medium"]
        # The budget is part of the limit, so that half is left for the answer.
        tuning.fields["thinking"] = {"type": "enabled", "budget_tokens": max(LEAST_BUDGET, min(wanted, limit // 2))}


def _sample(tuning: _Tuning, options: Options, model: Family | None) -> None:
    asked = {"temperature": options.temperature} if options.temperature is not None else {}
    fixed = model is not None and not model.samples
    thinks = tuning.fields.get("thinking", {}).get("type") in ("enabled", "adaptive")
    for option, value in (asked | options.extra).items():
        if option not in SAMPLING:
            tuning.fields = _merged(tuning.fields, {option: value})
        elif fixed:
            tuning.drop(option, "this model takes none")
        elif thinks and option != "top_p":
            tuning.drop(option, "a model that thinks takes none")
        elif model and option == "temperature" and isinstance(value, int | float) and value > HOTTEST:
            tuning.fields[option] = HOTTEST
            tuning.drop(option, "Anthropic's scale ends at 1, which was sent instead")
        else:
            tuning.fields[option] = value


def _stop(tuning: _Tuning, stop: tuple[str, ...]) -> None:
    if visible := [text for text in stop if text.strip()]:
        tuning.fields["stop_sequences"] = visible
    if len(visible) < len(stop):
        tuning.drop("stop", "Anthropic takes none of white space alone")


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both, with objects such as `output_config` merged field by field."""
    shared = [key for key in under if isinstance(under[key], dict) and isinstance(over.get(key), dict)]
    return under | over | {key: under[key] | over[key] for key in shared}
