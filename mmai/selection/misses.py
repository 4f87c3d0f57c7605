"""What to say when no model may take a request: the nearest miss with its value, and the next command."""

from collections.abc import Sequence
from math import inf

from mmai.errors import BudgetExceeded, MmaiError, NoEligibleModel
from mmai.selection.candidates import FILTERS, MONEY, tokens_needed
from mmai.values.decision import Candidate, Decision
from mmai.values.task import Constraints

_NARROWING = ("provider", "exclude", "local_only", "policy")
"""Filters by which the user says which models count at all."""

_ABILITIES = {
    "text_generation": "can write text",
    "vision": "can take images",
    "audio": "can take recordings",
    "tools": "can call tools",
    "json_schema": "can answer by a JSON schema",
    "embedding": "can embed text",
    "image_generation": "can make images",
    "speech_synthesis": "can speak",
}
_HINTS = {
    "embedding": "mmai pull ollama:nomic-embed-text",
    "tools": "mmai pull ollama:qwen3:8b",
    "audio": "mmai keys set openai",
    "image_generation": "mmai keys set openai",
    "speech_synthesis": "mmai keys set openai",
    "provider": "mmai discover",
    "exclude": "mmai models",
    "context": "mmai discover",
    "max_cost": "mmai select --explain",
    "budget": "mmai config edit",
    "max_latency": "mmai select --explain",
    "min_reliability": "mmai select --explain",
    "max_memory": "mmai select --explain",
    "health": "mmai discover",
    "problem": "mmai discover",
    "retired": "mmai discover",
}
"""By missing capability, else by filter."""
_LIMITS = {
    "max_cost": "`--max-cost`",
    "budget": "the budget",
    "max_latency": "`--max-latency`",
    "min_reliability": "`--min-reliability`",
    "max_memory": "the memory limit",
}
_DEFAULT_HINT = "mmai pull ollama:gemma3:4b"


def no_eligible(decision: Decision) -> MmaiError:
    """The error of a decision without a choice, a `BudgetExceeded` where money alone is in the way; nothing is raised here.

    The nearest misses are the models that passed the most filters, embedded ones only when there is no other.
    """
    if not decision.excluded:
        return NoEligibleModel("no model is known here yet", hint="mmai discover")
    nearest = max(map(_nearness, decision.excluded))
    misses = sorted((c for c in decision.excluded if _nearness(c) == nearest), key=_distance)
    message, hint = _sentence(misses, decision)
    return (BudgetExceeded if _filter(misses[0]) in MONEY else NoEligibleModel)(message, hint=hint)


def _nearness(candidate: Candidate) -> tuple[bool, bool, int]:
    return candidate.excluded_by not in _NARROWING, candidate.card.locality != "embedded", FILTERS.index(_filter(candidate))


def _distance(candidate: Candidate) -> float:
    """How far a candidate is from passing the filter that stopped it, where that has a measure."""
    card = candidate.card
    measure = {
        "context": -card.context_tokens if card.context_tokens is not None else None,
        "max_cost": candidate.cost_usd,
        "budget": candidate.cost_usd,
        "max_latency": candidate.latency_ms,
        "max_memory": card.size_bytes,
    }.get(_filter(candidate))
    return inf if measure is None else measure


def _filter(candidate: Candidate) -> str:
    assert candidate.excluded_by is not None, "only excluded candidates are asked"
    return candidate.excluded_by


def _sentence(misses: Sequence[Candidate], decision: Decision) -> tuple[str, str]:
    name = _filter(misses[0])
    limits = decision.analysis.constraints
    if name in _NARROWING:
        return f"{_option(name, limits)} leaves none of the models known here, which are {_named(decision.excluded)}", _hint(
            name
        )
    narrowed = {_filter(candidate) for candidate in decision.excluded}.intersection(_NARROWING)
    within = f"with {' and '.join(_option(name, limits) for name in _NARROWING if name in narrowed)}, " if narrowed else ""
    first = misses[0]
    match name:
        case "capability":
            need = _lacking(misses, decision)
            able = _ABILITIES.get(need, f"can do `{need}`")
            return f"{within}no model here {able}; known are {_named(misses)}", _hint(need)
        case "only_tasks":
            wanted = decision.analysis.task_type
            others = ", ".join(
                f"`{candidate.card.ref}` ({', '.join(candidate.card.tasks)})" for candidate in misses if candidate.card.tasks
            )
            return f"{within}no model here can do {wanted}; known are {others}", _hint(wanted)
        case "context":
            return f"{within}{_context(first, decision)}", _hint(name)
        case "problem":
            return f"{within}no model that fits can be run; `{first.card.ref}`: {first.excluded}", _hint(name)
        case "retired":
            return f"{within}no model that fits is offered any more; `{first.card.ref}`: {first.excluded}", _hint(name)
        case "health":
            return f"{within}no model that fits answers now; `{first.card.ref}`: {first.excluded}", _hint(name)
        case _:
            limit = _LIMITS.get(name, "the request")
            return f"{within}no model keeps to {limit}; nearest is `{first.card.ref}`: {first.excluded}", _hint(name)


def _context(widest: Candidate, decision: Decision) -> str:
    window, least = widest.card.context_tokens, decision.analysis.constraints.min_context_tokens
    if window is None or (least is not None and window < least):
        known = "no window is known" if window is None else f"widest is {window}"
        return f"no model here has a window of {least} tokens: {known} (`{widest.card.ref}`)"
    needed = tokens_needed(widest.card, decision.analysis)
    return f"no model fits this prompt: {needed} tokens with the answer, widest window is {window} (`{widest.card.ref}`)"


def _lacking(misses: Sequence[Candidate], decision: Decision) -> str:
    """The first need that none of them meets, else the first that some do not."""
    needs = [*decision.analysis.required_capabilities, *decision.analysis.constraints.require]
    missed_by = {need: sum(need not in candidate.card.capabilities for candidate in misses) for need in needs}
    return max(missed_by, key=lambda need: missed_by[need])


def _option(name: str, limits: Constraints) -> str:
    if name in ("provider", "policy"):
        return f"`--{name} {getattr(limits, name)}`"
    return "`--local-only`" if name == "local_only" else " ".join(f"`--exclude {pattern}`" for pattern in limits.exclude)


def _named(candidates: Sequence[Candidate]) -> str:
    shown = ", ".join(f"`{candidate.card.ref}`" for candidate in candidates[:3])
    return f"{shown} and {len(candidates) - 3} more" if len(candidates) > 3 else shown


def _hint(topic: str) -> str:
    return _HINTS.get(topic, _DEFAULT_HINT)
