"""A simulated house of models and people: prompts come, models answer, and what comes of the answers is learned from."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt

from builders import an_analysis

from mmai.registry import outcomes
from mmai.selection.quality import expected, posterior
from mmai.selection.silence import PLAIN, soft
from mmai.values.decision import Prior
from mmai.values.outcome import Judged, Observed, Outcome, joined
from mmai.values.registry import Registry
from mmai.values.task import TaskType

TASKS = (TaskType.CODE_GENERATION, TaskType.MATH, TaskType.SUMMARIZATION, TaskType.TRANSLATION, TaskType.CONVERSATION)
ANALYSES = {task: an_analysis(task) for task in TASKS}
STRENGTH = 5.0

Abilities = dict[str, dict[str, float]]
"""By model and task."""


def clipped(value: float) -> float:
    return min(max(value, 0.02), 0.98)


@dataclass
class House:
    """Six models with priors, what they are truly worth, and what people do about their answers."""

    seed: int
    rated: float = 0.1
    """Share of answers that are rated."""
    off: float = 1.0
    """How far the truth is from the priors, against what their strength says; 0 is right."""
    alike: bool = False
    """Every model is truly worth the same, whatever its prior."""
    complaints: Callable[[float], float] = PLAIN.complaints
    """Share of answers of a quality that are complained of."""
    ratings: Callable[[float], float] = float
    """Share of answers of a quality that are rated good."""
    priors: dict[str, Prior] = field(init=False)
    truth: Abilities = field(init=False)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.priors, self.truth = {}, {}
        for number in range(6):
            level = rng.uniform(0.4, 0.8)
            by_task = {task.value: clipped(level + rng.gauss(0, 0.05)) for task in TASKS}
            spread = self.off * sqrt(level * (1 - level) / (STRENGTH + 1))
            everywhere = rng.gauss(0, spread * sqrt(0.3))
            ref = f"ollama:m{number}"
            self.priors[ref] = Prior(by_task=by_task, strength=STRENGTH, basis="size", source="")
            self.truth[ref] = {
                task: 0.6 if self.alike else clipped(prior + everywhere + rng.gauss(0, spread * sqrt(0.7)))
                for task, prior in by_task.items()
            }


Choose = Callable[[Mapping[str, Prior], Mapping[str, Mapping[str, Observed]], TaskType, random.Random], str]


def by_prior(priors: Mapping[str, Prior], _: Mapping[str, Mapping[str, Observed]], task: TaskType, __: random.Random) -> str:
    return max(priors, key=lambda ref: priors[ref].by_task[task])


def by_posterior(
    priors: Mapping[str, Prior], seen: Mapping[str, Mapping[str, Observed]], task: TaskType, _: random.Random
) -> str:
    return max(priors, key=lambda ref: expected(priors[ref], seen.get(ref, {}), ANALYSES[task]))


def exploring(share: float) -> Choose:
    """By a draw from what is believed of each model, in a share of the rounds."""

    def choose(
        priors: Mapping[str, Prior], seen: Mapping[str, Mapping[str, Observed]], task: TaskType, rng: random.Random
    ) -> str:
        if rng.random() >= share:
            return by_posterior(priors, seen, task, rng)
        beliefs = {ref: posterior(prior, seen.get(ref, {}), task) for ref, prior in priors.items()}
        draws = {
            ref: rng.betavariate(max(belief.mean * belief.strength, 0.5), max((1 - belief.mean) * belief.strength, 0.5))
            for ref, belief in beliefs.items()
        }
        return max(draws, key=lambda ref: draws[ref])

    return choose


def regret(house: House, choose: Choose, *, rounds: int, days: float = 60.0) -> list[float]:
    """Cumulative, round by round: how much better the truly best model would have done, in answers."""
    rng = random.Random(house.seed + 1_000_003)
    registry, runs = Registry(), defaultdict[tuple[str, str], list[int]](lambda: [0, 0])
    lost, total = [], 0.0
    seen: dict[str, dict[str, Observed]] = {}
    for number in range(rounds):
        now = number * days * 86400 / rounds
        task = rng.choice(TASKS)
        ref = choose(house.priors, seen, task, rng)
        quality = house.truth[ref][task]
        total += max(abilities[task] for abilities in house.truth.values()) - quality
        lost.append(total)
        if rng.random() < house.rated:
            good = float(rng.random() < house.ratings(quality))
            registry = outcomes.add(registry, Outcome(model=ref, task=task, value=good, weight=1.0, signal="rating", at=now))
        else:
            runs[ref, task][0] += 1
            runs[ref, task][1] += rng.random() < house.complaints(quality)
        seen = outcomes.observed(registry, now=now)
        judged = [
            Judged(model=model, task=kind, with_schema=False, runs=count, complaints=complaints)
            for (model, kind), (count, complaints) in runs.items()
        ]
        for model, tasks in soft(judged, house.priors).items():
            into = seen.setdefault(model, {})
            for kind, silent in tasks.items():
                into[kind] = joined(into.get(kind), silent)
    return lost
