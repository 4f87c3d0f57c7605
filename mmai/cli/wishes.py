"""From flags and settings to what the engine is asked for."""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf, nan
from typing import Any

import msgspec

from mmai.engine.wish import AUTO, Wish
from mmai.errors import UsageError
from mmai.selection.policies import POLICIES
from mmai.settings import SelectionSettings
from mmai.values.decision import PolicyName, Weights
from mmai.values.execution import ExecutorChoice
from mmai.values.request import Options
from mmai.values.task import Constraints, TaskType

TERMS = Weights.__struct_fields__

OWN_KEYS = ("keep_alive", "think")
"""`-O` keys that are fields of `Options`; all others go to the provider under their own names."""


def wish(
    selection: SelectionSettings,
    constraints: Constraints,
    *,
    model: str = AUTO,
    fallbacks: Sequence[str] = (),
    task: TaskType | None = None,
    policy: PolicyName | None = None,
    weights: str | None = None,
    explore: bool = False,
) -> Wish:
    """What one call asks for. A policy or weights of its own take the place of both in the settings, but for weights alone: they
    leave in force where the settings' policy lets models run.

    Raises:
        UsageError: `weights` cannot be read, or two of them say different things.
    """
    named = POLICIES[policy or selection.policy]
    _demand_sense(model, policy, weights, explore=explore)
    own = None if policy is not None or selection.weights == Weights() else selection.weights
    if weights is not None:
        own = read_weights(weights)
    return Wish(
        model=model,
        fallbacks=tuple(fallbacks),
        task=task,
        constraints=msgspec.structs.replace(constraints, policy=named.within),
        weights=named.weights if own is None else own,
        policy=(policy or selection.policy) if own is None else None,
        exploration=1.0 if explore else selection.exploration,
        exploration_usd=selection.exploration_usd,
        preferred=selection.constraints.preferred_backend,
    )


def _demand_sense(model: str, policy: PolicyName | None, weights: str | None, *, explore: bool) -> None:
    limits = policy is not None and POLICIES[policy].within is not None
    if policy is not None and weights is not None and not limits:
        raise UsageError(
            f"`--policy {policy}` and `--weights` both say what counts; only `local` and `private` go with weights",
            hint=f"mmai select --weights {weights}",
        )
    given = {
        "`--weights`": weights is not None,
        "`--explore`": explore,
        f"`--policy {policy}`": policy is not None and not limits,
    }
    if model != AUTO and (flag := next((name for name, there in given.items() if there), None)):
        raise UsageError(f"{flag} is for an automatic choice, and `{model}` is named", hint="mmai run -m auto")


def read_weights(text: str) -> Weights:
    """`performance=.5,cost=.2`; what is not named counts nothing.

    Raises:
        UsageError: a term that there is not or that comes twice, a weight that is no number of 0 or more, or none above 0.
    """
    weights: dict[str, float] = {}
    for pair in text.split(","):
        term, equals, value = (part.strip() for part in pair.partition("="))
        term = "capability" if term == "capabilities" else term
        if not equals or term not in TERMS:
            raise _misread(f"`{pair.strip()}` is not `term=weight` with one of {', '.join(TERMS)}")
        if term in weights:
            raise _misread(f"`{term}` is given twice")
        weights[term] = _weight(term, value)
    if not any(weights.values()):
        raise _misread("all weights are 0, which ranks nothing")
    return Weights(**{term: weights.get(term, 0.0) for term in TERMS})


def _weight(term: str, value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        weight = nan
    if not 0 <= weight < inf:
        raise _misread(f"`{term}={value}`: a weight is a number of 0 or more")
    return weight


def _misread(sentence: str) -> UsageError:
    return UsageError(f"`--weights`: {sentence}", hint="mmai select --weights performance=1,capability=2")


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
