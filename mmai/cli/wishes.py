"""From flags and settings to what the engine is asked for."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from mmai.engine.wish import AUTO, Wish
from mmai.errors import UsageError
from mmai.settings import SelectionSettings
from mmai.values.execution import ExecutorChoice
from mmai.values.request import Options
from mmai.values.task import Constraints, TaskType

OWN_KEYS = ("keep_alive", "think")
"""`-O` keys that are fields of `Options`; all others go to the provider under their own names."""


def wish(
    selection: SelectionSettings,
    constraints: Constraints,
    *,
    model: str = AUTO,
    fallbacks: Sequence[str] = (),
    task: TaskType | None = None,
) -> Wish:
    """What one call asks for, weighed as the settings say."""
    return Wish(
        model=model,
        fallbacks=tuple(fallbacks),
        task=task,
        constraints=constraints,
        weights=selection.weights,
        preferred=selection.constraints.preferred_backend,
    )


def limits(
    standing: Constraints,
    *,
    provider: str | None = None,
    local_only: bool = False,
    exclude: Sequence[str] = (),
    require: Sequence[str] = (),
    max_cost: float | None = None,
    max_latency: float | None = None,
    min_reliability: float | None = None,
) -> Constraints:
    """The limits of one call: flags where given, the settings' own elsewhere; exclusions and requirements add up.

    `max_latency` is in seconds, `max_cost` in US dollars.
    """
    return Constraints(
        provider=provider or standing.provider,
        local_only=local_only or standing.local_only,
        exclude=(*standing.exclude, *exclude),
        require=(*standing.require, *require),
        max_cost_usd=standing.max_cost_usd if max_cost is None else max_cost,
        max_latency_ms=standing.max_latency_ms if max_latency is None else max_latency * 1000,
        min_reliability=standing.min_reliability if min_reliability is None else min_reliability,
        min_context_tokens=standing.min_context_tokens,
        max_memory_bytes=standing.max_memory_bytes,
    )


def with_words(wish: Wish, prompt: str) -> Wish:
    """The wish with the limits its prompt speaks of, where neither flags nor settings have one."""
    from mmai.selection.features import features
    from mmai.selection.inferred import filled, infer

    constraints, words = filled(wish.constraints, infer(features(prompt)))
    return msgspec.structs.replace(wish, constraints=constraints, inferred=words)


def tuning(
    *,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] = (),
    seed: int | None = None,
    executor: ExecutorChoice | None = None,
    pairs: Sequence[str] = (),
) -> Options:
    """The tuning flags as one value.

    Raises:
        UsageError: an `-O` that is not `key=value`, or a value its key cannot take.
    """
    given = dict(_pair(text) for text in pairs)
    own = {key: given.pop(key) for key in OWN_KEYS if key in given}
    fields = {
        "temperature": temperature,
        "max_tokens": max_tokens,
        "stop": tuple(stop),
        "seed": seed,
        "executor": executor,
        "extra": given,
        **own,
    }
    try:
        return msgspec.convert(fields, Options)
    except msgspec.ValidationError as exc:
        raise UsageError(f"`-O`: {exc}", hint="mmai run -O think=true -O keep_alive=10m") from exc


def read_shape(schema: str | None) -> dict[str, Any] | None:
    """The JSON schema `--schema` names, if it is given.

    Raises:
        UsageError: it cannot be read, or is no schema.
    """
    if schema is None:
        return None
    from mmai.engine.schema import read_schema

    return read_schema(schema)


def schema_check(schema: dict[str, Any] | None) -> Callable[[str], Any] | None:
    """What decodes an answer and holds it to its schema; None where there is no schema."""
    if schema is None:
        return None
    from mmai.engine.schema import check

    return partial(check, schema=schema)


def _pair(text: str) -> tuple[str, Any]:
    """`key=value`; the value is JSON where it reads as JSON (`0.9`, `true`, `[1,2]`), and the text itself elsewhere."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"`-O {text}` is not `key=value`", hint="mmai run -O num_ctx=8192")
    try:
        return key, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return key, value
