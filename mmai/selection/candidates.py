"""Which models may take a request. Filters only, in a fixed order; ranking is scoring.py's.

A constraint is a promise: where the figure it needs is unknown, the model is out. There are two exceptions, and the explanation
says so where they apply. The window: most servers do not tell it, and a prompt seldom fills it. The time an answer takes: nobody
knows it before the first run, so that only a model which was measured, or declared, to be slower is out.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from mmai.selection.expectations import (
    cost_usd,
    latency_ms,
    longest_answer,
    memory_bytes,
    profile_of,
    success_rate,
    worst_cost_usd,
)
from mmai.values.budget import Spending
from mmai.values.cost import dollars
from mmai.values.model import Locality, ModelCard, Profile
from mmai.values.task import Constraints, Modality, TaskAnalysis, TaskType

Filter = tuple[str, Callable[[ModelCard], str | None]]
"""A name (`Candidate.excluded_by`), and what says why a model may not pass, or None."""

FILTERS = (
    "provider", "exclude", "local_only", "policy", "problem", "retired", "capability", "modality", "only_tasks", "context", "max_latency", "min_reliability",
    "max_memory", "health", "max_cost", "budget",
)  # fmt: skip
"""Their names in the order they are asked; the first that objects gives the reason. Money comes last: what it alone excludes
would have answered."""

STANDING = frozenset(FILTERS[: FILTERS.index("context")])
"""Those that object to the same models for every prompt of one kind, under the same limits."""

MONEY = frozenset({"max_cost", "budget"})

SPECIALISTS = {
    TaskType.IMAGE_CLASSIFICATION: ("image_classification", {"text_generation", "vision"}),
    TaskType.SPEECH_TRANSCRIPTION: ("speech_transcription", {"text_generation", "audio"}),
}
"""Task to the capability that is enough for it, in place of a general model's."""

POLICY_LOCALITIES: dict[str, tuple[Locality, ...]] = {
    "local": ("embedded", "local", "network"),
    "private": ("embedded", "local"),
}
"""Policy to where the models it allows run."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_IMPLIED_INPUT = {
    "vision": Modality.IMAGE,
    "image_classification": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "speech_transcription": Modality.AUDIO,
}


def filters(
    analysis: TaskAnalysis,
    *,
    max_tokens: int | None = None,
    unavailable: Mapping[str, str] | None = None,
    profiles: Mapping[str, Profile] | None = None,
    budget: Sequence[Spending] = (),
    now: float | None = None,
) -> tuple[Filter, ...]:
    """Those that can exclude anything here, in the order of `FILTERS`.

    `unavailable` maps what does not answer to the reason: a reference, a provider, or `provider@endpoint`; a model with several
    endpoints is out when all are. `profiles` maps references to what was measured. `budget` is what is left to spend. `now` is in
    Unix seconds; without it no day of retirement has come, and nothing measured is old.
    """
    limits = analysis.constraints
    measured = profiles or {}
    required = frozenset(analysis.required_capabilities) | set(limits.require)
    offered: Sequence[tuple[object, str, Callable[[ModelCard], str | None]]] = (
        (limits.provider, "provider", partial(_provider, limits.provider)),
        (limits.exclude, "exclude", partial(_exclude, limits.exclude, _pattern(limits.exclude))),
        (limits.local_only, "local_only", _local_only),
        (limits.policy, "policy", partial(_policy, limits.policy)),
        (True, "problem", _problem),
        (now is not None, "retired", partial(_retired, _day(now))),
        (True, "capability", partial(_capability, required, SPECIALISTS.get(analysis.task_type))),
        (True, "modality", partial(_modality, analysis.modality)),
        (True, "only_tasks", partial(_only_tasks, analysis.task_type)),
        (True, "context", partial(_context, analysis)),
        (limits.max_latency_ms is not None, "max_latency", partial(_max_latency, analysis, measured, now)),
        (limits.min_reliability is not None, "min_reliability", partial(_min_reliability, limits, measured, now)),
        (limits.max_memory_bytes is not None, "max_memory", partial(_max_memory, limits, measured)),
        (unavailable, "health", partial(_health, unavailable or {})),
        (limits.max_cost_usd is not None, "max_cost", partial(_max_cost, analysis, max_tokens)),
        (budget, "budget", partial(_budget, analysis, budget)),
    )
    return tuple((name, check) for wanted, name, check in offered if wanted)


def exclusion(card: ModelCard, checks: Sequence[Filter]) -> tuple[str, str] | None:
    """(name of the filter, why) of the first that objects; None when the model may take the request."""
    for name, check in checks:
        reason = check(card)
        if reason is not None:
            return name, reason
    return None


def tokens_needed(card: ModelCard, analysis: TaskAnalysis) -> int:
    """The window a request takes: what is sent, and room for the answer, which no model makes longer than its own limit."""
    output = analysis.output_tokens
    if card.max_output_tokens is not None and card.max_output_tokens < output:
        output = card.max_output_tokens
    return analysis.context_tokens + output


def _provider(wanted: str | None, card: ModelCard) -> str | None:
    return None if card.provider == wanted else f"not of provider `{wanted}`"


def _pattern(excluded: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(".*".join(map(re.escape, pattern.split("*"))) for pattern in excluded))


def _exclude(excluded: Sequence[str], pattern: re.Pattern[str], card: ModelCard) -> str | None:
    for name in (f"{card.provider}:{card.name}", card.name, card.provider):
        if pattern.fullmatch(name):
            return f"excluded by `{next(text for text in excluded if _pattern((text,)).fullmatch(name))}`"
    return None


def _local_only(card: ModelCard) -> str | None:
    if card.locality in ("embedded", "local"):
        return None
    where = "at its provider" if card.locality == "cloud" else "on another machine"
    return f"runs {where}, and only local models are allowed"


def _policy(name: str | None, card: ModelCard) -> str | None:
    if card.locality in POLICY_LOCALITIES[name or "local"]:
        return None
    where = "at its provider" if card.locality == "cloud" else "on another machine"
    return f"runs {where}, and policy `{name}` keeps to {'this machine' if name == 'private' else 'your own machines'}"


def _day(now: float | None) -> str:
    """The date by UTC; of no moment the first there is, which is after no other."""
    return "" if now is None else time.strftime("%Y-%m-%d", time.gmtime(now))


def _retired(today: str, card: ModelCard) -> str | None:
    """A reason in words is no day that has come."""
    day = card.deprecated
    return f"its provider retired it on {day}" if day is not None and _DAY.fullmatch(day) and day <= today else None


def _problem(card: ModelCard) -> str | None:
    return card.problem


def _capability(required: frozenset[str], specialist: tuple[str, set[str]] | None, card: ModelCard) -> str | None:
    missing = required.difference(card.capabilities)
    if missing and specialist is not None and specialist[0] in card.capabilities:
        missing -= specialist[1]
    return f"cannot do {', '.join(f'`{name}`' for name in sorted(missing))}" if missing else None


def _modality(modality: Modality, card: ModelCard) -> str | None:
    if modality in card.inputs or any(_IMPLIED_INPUT.get(name) is modality for name in card.capabilities):
        return None
    return f"takes {' and '.join(card.inputs) or 'nothing'}, not {modality}"


def _only_tasks(task: TaskType, card: ModelCard) -> str | None:
    if not card.only_tasks or task in card.tasks:
        return None
    return f"does {', '.join(card.tasks)} only, not {task}" if card.tasks else "a baseline, which runs when it is named"


def _context(analysis: TaskAnalysis, card: ModelCard) -> str | None:
    window = card.context_tokens
    least = analysis.constraints.min_context_tokens
    if window is None:
        return None if least is None else f"its window is not known, and at least {least} tokens are asked for"
    if least is not None and window < least:
        return f"its window of {window} tokens is below the {least} asked for"
    needed = tokens_needed(card, analysis)
    return None if needed <= window else f"needs about {needed} tokens, its window is {window}"


def _max_cost(analysis: TaskAnalysis, max_tokens: int | None, card: ModelCard) -> str | None:
    limit = analysis.constraints.max_cost_usd or 0.0
    worst = worst_cost_usd(card, analysis, max_tokens=max_tokens)
    if worst is None:
        return f"its {_missing_price(card, analysis)} is not known, so it may cost more than {dollars(limit)}"
    if worst <= limit:
        return None
    longest = longest_answer(card, analysis, max_tokens=max_tokens)
    answer = f" if it answers with {longest} tokens" if longest else ""
    return f"may cost {dollars(worst)}{answer}, above {dollars(limit)}"


def _missing_price(card: ModelCard, analysis: TaskAnalysis) -> str:
    if card.price is None:
        return "price"
    if analysis.task_type in (TaskType.IMAGE_GENERATION, TaskType.SPEECH_SYNTHESIS):
        return "price for what it makes"
    return "price" if card.price.input_usd_per_mtok is None else "longest answer or its price"


def _budget(analysis: TaskAnalysis, budget: Sequence[Spending], card: ModelCard) -> str | None:
    """A model of unknown price passes: a budget cannot see what it costs, and whoever runs it is told so."""
    expected = cost_usd(card, analysis)
    for each in budget:
        if expected and expected > each.left_usd:
            left = f"{dollars(each.left_usd)} is left of the {each.period} budget of {dollars(each.limit_usd)}"
            return f"expected to cost {dollars(expected)}, and {left} ({dollars(each.spent_usd)} spent)"
    return None


def _max_latency(analysis: TaskAnalysis, profiles: Mapping[str, Profile], now: float | None, card: ModelCard) -> str | None:
    profile = profile_of(card, profiles)
    if profile is None or profile.latency_ms is profile.ttft_ms is profile.tokens_per_second is None:
        return None
    limit = analysis.constraints.max_latency_ms or 0.0
    expected = latency_ms(card, profile, analysis, now=now)
    return None if expected <= limit else f"expected to take {expected:.0f} ms, above {limit:.0f} ms"


def _min_reliability(limits: Constraints, profiles: Mapping[str, Profile], now: float | None, card: ModelCard) -> str | None:
    rate = success_rate(profile_of(card, profiles), now=now)
    least = limits.min_reliability or 0.0
    return None if rate >= least else f"expected to answer {rate:.1%} of calls, below {least:.1%}"


def _max_memory(limits: Constraints, profiles: Mapping[str, Profile], card: ModelCard) -> str | None:
    limit = limits.max_memory_bytes or 0
    taken = memory_bytes(card, profile_of(card, profiles))
    if taken is None:
        return f"its memory is not known, and at most {limit / 1e9:.1f} GB are allowed"
    return None if taken <= limit else f"takes about {taken / 1e9:.1f} GB of memory, above {limit / 1e9:.1f} GB"


def _health(unavailable: Mapping[str, str], card: ModelCard) -> str | None:
    reason = unavailable.get(f"{card.provider}:{card.name}") or unavailable.get(card.provider)
    if reason is not None or not card.endpoints:
        return reason
    reasons = [unavailable.get(f"{card.provider}@{endpoint}") for endpoint in card.endpoints]
    return reasons[0] if None not in reasons else None
