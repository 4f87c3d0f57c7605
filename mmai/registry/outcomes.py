"""What came of answers, added up by model and task, the older fading. Pure."""

from collections.abc import Mapping

from msgspec.structs import replace

from mmai.values.outcome import Observed, Outcome, Tally, faded
from mmai.values.registry import Registry


def add(registry: Registry, outcome: Outcome) -> Registry:
    """The registry with one more outcome; the order in which they are added does not matter."""
    return _counted(registry, outcome, 1)


def take_back(registry: Registry, outcome: Outcome) -> Registry:
    """The registry without an outcome that was added: as if it had never been, up to rounding.

    Nothing is taken back of one that is no part of it, because a reset or a damaged file has lost it.
    """
    tally = registry.outcomes.get(outcome.model, {}).get(outcome.task)
    forgotten = registry.learning_since is not None and outcome.at < registry.learning_since
    if tally is None or forgotten or not tally.counts.get(outcome.signal):
        return registry
    return _counted(registry, outcome, -1)


def observed(registry: Registry, *, now: float) -> dict[str, dict[str, Observed]]:
    """By reference and task type, what counts at `now` (unix seconds)."""
    return {
        ref: {task: _seen(tally, now) for task, tally in tasks.items() if tally.weight > 0}
        for ref, tasks in registry.outcomes.items()
    }


def reset(registry: Registry, *, now: float) -> Registry:
    """The registry with nothing learned, and a mark that nothing from before `now` counts."""
    return replace(registry, outcomes={}, learning_since=now)


def _counted(registry: Registry, outcome: Outcome, sign: int) -> Registry:
    tasks = dict(registry.outcomes.get(outcome.model, {}))
    tally = _moved(tasks.pop(outcome.task, None), outcome, sign)
    if tally.counts:
        tasks[outcome.task] = tally
    models = {ref: kept for ref, kept in registry.outcomes.items() if ref != outcome.model}
    if tasks:
        models[outcome.model] = tasks
    return replace(registry, outcomes=models)


def _moved(tally: Tally | None, outcome: Outcome, sign: int) -> Tally:
    """Both faded to the later of the two moments, and one put to the other."""
    if tally is None:
        tally = Tally(weight=0.0, good=0.0, updated_at=outcome.at)
    at = max(tally.updated_at, outcome.at)
    weight = sign * faded(outcome.weight, age_s=at - outcome.at)
    age_s = at - tally.updated_at
    return Tally(
        weight=faded(tally.weight, age_s=age_s) + weight,
        good=faded(tally.good, age_s=age_s) + weight * outcome.value,
        updated_at=at,
        counts=_count(tally.counts, outcome.signal, sign),
    )


def _count(counts: Mapping[str, int], signal: str, sign: int) -> dict[str, int]:
    counted = {**counts, signal: counts.get(signal, 0) + sign}
    return {name: count for name, count in counted.items() if count > 0}


def _seen(tally: Tally, now: float) -> Observed:
    return Observed(weight=faded(tally.weight, age_s=now - tally.updated_at), mean=tally.good / tally.weight)
