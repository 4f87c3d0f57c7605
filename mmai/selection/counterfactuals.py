"""What would change a choice: the nearest limit, policy or weight with which another model takes the prompt."""

from collections.abc import Iterator
from math import floor, log10
from typing import Protocol

from msgspec.structs import replace

from mmai.selection.expectations import worst_cost_usd
from mmai.selection.policies import POLICIES
from mmai.values.decision import Counterfactual, Decision, PolicyName, Weights
from mmai.values.task import Constraints

MOST = 4
"""How many are told."""

LIFTED = {
    "max_cost_usd": "--max-cost",
    "max_latency_ms": "--max-latency",
    "min_reliability": "--min-reliability",
    "local_only": "--local-only",
    "provider": "--provider",
}
"""Limits that can be lifted one at a time, and the flags they go by."""


class Again(Protocol):
    """The same choice, once more, with other limits, by another policy or with other weights."""

    def __call__(
        self, *, constraints: Constraints | None = None, policy: PolicyName | None = None, weights: Weights | None = None
    ) -> Decision:
        """What would be chosen."""


def counterfactuals(decision: Decision, again: Again, *, max_tokens: int | None = None) -> tuple[Counterfactual, ...]:
    """For each model that would take the prompt instead the first change that brings it in: tighter limits, then policies, then
    limits that are lifted. `max_tokens` is what the request asks for.
    """
    if decision.choice is None:
        return ()
    found: dict[str, Counterfactual] = {str(decision.choice.card.ref): Counterfactual(change="", model="")}
    for change, other in _changes(decision, again, max_tokens):
        if other.choice is not None and other.choice.card.locality != "embedded":
            model = str(other.choice.card.ref)
            found.setdefault(model, Counterfactual(change=change, model=model))
    return tuple(found.values())[1 : 1 + MOST]


def _changes(decision: Decision, again: Again, max_tokens: int | None) -> Iterator[tuple[str, Decision]]:
    limits = decision.analysis.constraints
    for flag, amount, tighter in _tighter(decision, limits, max_tokens):
        yield f"{flag} {amount:.10g}", again(constraints=tighter)
    for policy in POLICIES:
        if policy != decision.policy:
            yield f"--policy {policy}", again(policy=policy)
    for change, fewer in lifted(limits):
        yield change, again(constraints=fewer)


def lifted(limits: Constraints) -> Iterator[tuple[str, Constraints]]:
    """The limits without one of them, for each that is set."""
    for field, flag in LIFTED.items():
        if getattr(limits, field):
            yield f"no {flag}", replace(limits, **{field: getattr(Constraints(), field)})


def _tighter(decision: Decision, limits: Constraints, max_tokens: int | None) -> Iterator[tuple[str, float, Constraints]]:
    """Round figures just below what the choice may cost and is expected to take."""
    assert decision.choice is not None
    cost = worst_cost_usd(decision.choice.card, decision.analysis, max_tokens=max_tokens) or decision.choice.cost_usd
    if cost:
        amount = round_below(cost)
        yield "--max-cost", amount, replace(limits, max_cost_usd=amount)
    if decision.choice.latency_ms:
        amount = round_below(decision.choice.latency_ms / 1_000)
        yield "--max-latency", amount, replace(limits, max_latency_ms=1_000 * amount)


def round_below(value: float) -> float:
    """The largest number of one digit below a positive one: 0.003 for 0.0034, 0.9 for 1."""
    unit = 10.0 ** floor(log10(value))
    digits = floor(value / unit)
    if digits * unit >= value:
        digits -= 1
    return float(f"{digits * unit if digits else 0.9 * unit:.1g}")
