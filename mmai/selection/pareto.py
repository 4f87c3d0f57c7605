"""Which models are worth their price: the ones that no other beats in both expected cost and expected quality."""

from collections.abc import Iterable

from mmai.values.decision import Candidate


def pareto(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The non-dominated ones, cheapest first. One is dominated where another costs no more and is no worse, and is better in one.

    Models of unknown cost or quality have no place in it; of several that are alike in both, the first is kept.
    """
    known = [each for each in candidates if each.cost_usd is not None and each.expected_quality is not None]
    front: list[Candidate] = []
    best = -1.0
    for each in sorted(known, key=lambda each: (each.cost_usd, -(each.expected_quality or 0.0))):
        assert each.expected_quality is not None
        if each.expected_quality > best:
            front.append(each)
            best = each.expected_quality
    return tuple(front)
