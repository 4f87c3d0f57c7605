"""A choice in two sentences, and why a certain model is not it."""

from collections.abc import Iterator, Sequence
from math import inf

from msgspec.structs import astuple

from mmai.errors import UsageError
from mmai.selection.counterfactuals import Again, lifted
from mmai.selection.policies import POLICIES
from mmai.selection.scoring import EQUAL, shares
from mmai.values.cost import dollars
from mmai.values.decision import Candidate, Counterfactual, Decision, Terms, Weights, WhyNot

TERMS = Terms.__struct_fields__
SMALL = 0.005
"""A difference in score that is not worth a word."""


def why(decision: Decision, changes: Sequence[Counterfactual]) -> str | None:
    """Why the choice won, and what would change it; None where nothing was chosen."""
    best = decision.choice
    return None if best is None else f"{_won(best, decision)} {_would_change(changes)}"


def _won(best: Candidate, decision: Decision) -> str:
    if len(decision.ranked) == 1:
        return f"`{best.card.ref}` is the only model that may take this prompt."
    second = decision.ranked[1]
    if decision.explored:
        return f"`{best.card.ref}` was drawn to learn how good it is; `{second.card.ref}` scores highest."
    if second.card.locality == "embedded" and best.card.locality != "embedded":
        return f"`{best.card.ref}` is the only model that may take this prompt, beside those inside mmai, which come last."
    pros, cons = _sides(best, second, decision.weights)
    ahead = (best.score or 0.0) - (second.score or 0.0)
    start = f"`{best.card.ref}` scores {best.score:.2f}, `{second.card.ref}` {second.score:.2f}"
    if ahead < EQUAL and not pros and not cons:
        return f"{start}: nothing that is known tells them apart, and the order of their names decided."
    reasons = " and ".join(pros) or "it is a little ahead in all"
    return f"{start}: {reasons}{_though(cons)}."


def _sides(one: Candidate, other: Candidate, weights: Weights) -> tuple[list[str], list[str]]:
    """What speaks for the one and what for the other, the weightiest first."""
    gaps = sorted(differences(one, other, weights).items(), key=lambda gap: -abs(gap[1]))
    told = [(_compared(term, one, other), gap) for term, gap in gaps if abs(gap) >= SMALL]
    return [words for words, gap in told if gap > 0], [words for words, gap in told if gap < 0]


def _though(words: Sequence[str]) -> str:
    return f", though {' and '.join(words)}" if words else ""


def differences(one: Candidate, other: Candidate, weights: Weights) -> dict[str, float]:
    """Term to what it adds to the score of the one more than to that of the other."""
    assert one.terms is not None
    assert other.terms is not None
    return {
        term: share * (mine - its)
        for term, share, mine, its in zip(TERMS, shares(weights), astuple(one.terms), astuple(other.terms), strict=True)
    }


def _compared(term: str, one: Candidate, other: Candidate) -> str:
    match term:
        case "performance":
            return f"it should take {_time(one.latency_ms)} and the other {_time(other.latency_ms)}"
        case "cost":
            return f"it costs {_money(one.cost_usd)} and the other {_money(other.cost_usd)}"
        case "reliability":
            assert one.terms is not None
            assert other.terms is not None
            return f"{one.terms.reliability:.0%} of its calls should succeed and {other.terms.reliability:.0%} of the other's"
        case _:
            return f"an answer of quality {_share(one.expected_quality)} is expected of it and {_share(other.expected_quality)} of the other"


def _would_change(changes: Sequence[Counterfactual]) -> str:
    if not changes:
        return "No other policy and no tighter limit would pick another model."
    *first, last = [f"`{change.change}` would pick `{change.model}`" for change in changes]
    return f"{', '.join(first)} and {last}." if first else f"{last}."


def why_not(decision: Decision, ref: str, again: Again) -> WhyNot:
    """Why a model, by its reference or by a name that only one has, is not the choice.

    Raises:
        UsageError: no model or several go by that name.
    """
    candidate = _named(decision, ref)
    name = str(candidate.card.ref)
    best = decision.choice
    if best is not None and best.card.ref == candidate.card.ref:
        return WhyNot(model=name, rank=1, score=best.score, sentence=f"`{name}` is the choice")
    if candidate.excluded is not None or best is None:
        changes = tuple(_admitting(decision, name, again))
        said = f"`{name}` may not take this prompt: {candidate.excluded}"
        return WhyNot(model=name, excluded=candidate.excluded, changes=changes, sentence=_with_changes(said, changes))
    rank = 1 + decision.ranked.index(candidate)
    pros, cons = _sides(candidate, best, decision.weights)
    changes = tuple(_winning(decision, candidate, again))
    said = f"`{name}` is number {rank} of {len(decision.ranked)} with {candidate.score:.2f}, behind `{best.card.ref}` with {best.score:.2f}"
    if candidate.card.locality == "embedded" and best.card.locality != "embedded":
        said += ": models inside mmai come after all others"
    elif cons:
        said += f": {' and '.join(cons)}{_though(pros)}"
    return WhyNot(
        model=name,
        rank=rank,
        score=candidate.score,
        differences=differences(candidate, best, decision.weights),
        changes=changes,
        sentence=_with_changes(said, changes),
    )


def _named(decision: Decision, text: str) -> Candidate:
    known = (*decision.ranked, *decision.excluded)
    found = [each for each in known if text in (str(each.card.ref), each.card.name, each.card.name.removesuffix(":latest"))]
    exact = [each for each in found if str(each.card.ref) == text]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        names = ", ".join(f"`{each.card.ref}`" for each in found)
        raise UsageError(f"`{text}` is the name of several models: {names}", hint="mmai select --why-not PROVIDER:NAME")
    raise UsageError(f"no model `{text}` is known here", hint="mmai models")


def _with_changes(said: str, changes: Sequence[str]) -> str:
    return f"{said}; {' or '.join(f'`{change}`' for change in changes)} would pick it" if changes else said


def _admitting(decision: Decision, name: str, again: Again) -> Iterator[str]:
    """Limits that would pick the model if one of them were lifted."""
    for change, limits in lifted(decision.analysis.constraints):
        if _picks(again(constraints=limits), name):
            yield change


def _winning(decision: Decision, candidate: Candidate, again: Again) -> Iterator[str]:
    """Policies that pick the model, or else the least shift of weight toward one term that does."""
    name = str(candidate.card.ref)
    policies = [f"--policy {policy}" for policy in POLICIES if policy != decision.policy and _picks(again(policy=policy), name)]
    if policies:
        yield policies[0]
    elif (weights := _least_shift(decision, candidate)) is not None and _picks(again(weights=weights), name):
        yield "--weights " + ",".join(f"{term}={getattr(weights, term):.2f}" for term in TERMS)


def _least_shift(decision: Decision, candidate: Candidate) -> Weights | None:
    """The weights, moved toward the one term by which the model overtakes the choice first, and a little further."""
    assert decision.choice is not None
    assert decision.choice.terms is not None
    assert candidate.terms is not None
    now = shares(decision.weights)
    behind = sum(differences(candidate, decision.choice, decision.weights).values())
    least, term = inf, ""
    for name, mine, its in zip(TERMS, astuple(candidate.terms), astuple(decision.choice.terms), strict=True):
        if mine > its and (shift := -behind / (mine - its - behind)) < least:
            least, term = shift, name
    if not term:
        return None
    shift = min(1.0, least + 0.02)
    moved = {name: (1 - shift) * share + shift * (name == term) for name, share in zip(TERMS, now, strict=True)}
    return Weights(**{name: round(value, 2) for name, value in moved.items()})


def _picks(decision: Decision, name: str) -> bool:
    return decision.choice is not None and str(decision.choice.card.ref) == name


def _time(ms: float | None) -> str:
    return "an unknown time" if ms is None else f"{ms:.0f} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s"


def _money(usd: float | None) -> str:
    return "an unknown price" if usd is None else "nothing" if usd == 0 else dollars(usd)


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
