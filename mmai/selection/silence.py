"""What runs that nobody rated tell of their models, by complaints and silence.

Each answer is good or bad, and a model's quality q is the share of good ones. People seldom say which it was, but they complain of
bad answers more often: with probability `BAD` of a bad one, `GOOD` of a good one, so that a run ends in a complaint with
probability c(q) = BAD - (BAD - GOOD) q. Turned round, (BAD - share of complaints) / (BAD - GOOD) is an estimate of q without bias:
a silent run counts BAD / (BAD - GOOD), a little above 1, a complaint (BAD - 1) / (BAD - GOOD), well below 0, and a model that is as
good as expected is on average moved by neither, however much it is used.

One run tells less than a rating, and weighs as much of one as it tells: the Fisher information on q is (BAD - GOOD)² / (c (1 - c))
against 1 / (q (1 - q)) of a rating. At the rates below that is 0.15 to 0.18 for q from 0.5 to 0.9, about a sixth, and where a schema
was asked for 0.30 to 0.36, about a third.

Some people complain of everything and some of nothing, and neither tells models apart. So BAD and GOOD are shifted by how much
more often than expected, over all models, there are complaints here, and runs weigh less where complaints are common. A habit is
learned as slowly as if `HABIT_RUNS` runs had shown the expected one.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mmai.values.decision import Prior
from mmai.values.outcome import ANY_TASK, Judged, Observed, joined

HABIT_RUNS = 20.0

USUAL = 0.7
"""The quality at which the weight of a run is reckoned: 0.18 of a rating, or 0.35 with a schema, and less where complaints are common."""

HEAVIEST = 10.0
"""Most that such runs of one model at one kind of task weigh, in ratings: what is assumed here must not outvote what people say."""


class Likelihood(Struct, frozen=True, kw_only=True):
    """How often a good and a bad answer is complained of."""

    good: float
    bad: float

    def complaints(self, quality: float) -> float:
        """Expected share of runs."""
        return self.bad - (self.bad - self.good) * quality

    def quality(self, complaints: float) -> float:
        """The quality at which so many are expected; unbounded."""
        return (self.bad - complaints) / (self.bad - self.good)

    def weight(self, complaints: float) -> float:
        """What one run weighs, in ratings, where this share of runs is complained of."""
        share = min(max(complaints, self.complaints(USUAL)), 0.5)
        return USUAL * (1 - USUAL) * (self.bad - self.good) ** 2 / (share * (1 - share))


PLAIN = Likelihood(good=0.02, bad=0.30)
"""An empty answer, or the same prompt to another model at once."""

WITH_SCHEMA = Likelihood(good=0.02, bad=0.50)
"""The same, or JSON that does not follow the schema: bad answers are found out more often."""


def soft(judged: Sequence[Judged], priors: Mapping[str, Prior]) -> dict[str, dict[str, Observed]]:
    """By reference and task type, what silence and complaints say. Models without a prior are left out."""
    known = [(runs, _expected(runs, priors[runs.model])) for runs in judged if runs.model in priors]
    habit = _habit(known)
    found: dict[str, dict[str, Observed]] = {}
    for runs, expected in known:
        tasks = found.setdefault(runs.model, {})
        tasks[runs.task] = joined(tasks.get(runs.task), _observed(runs, expected, habit))
    return {
        ref: {task: Observed(weight=min(seen.weight, HEAVIEST), mean=seen.mean) for task, seen in tasks.items()}
        for ref, tasks in found.items()
    }


def _likelihood(runs: Judged) -> Likelihood:
    return WITH_SCHEMA if runs.with_schema else PLAIN


def _expected(runs: Judged, prior: Prior) -> float:
    """Share of complaints about a model of its prior quality."""
    abilities = prior.by_task.values()
    anywhere = sum(abilities) / len(abilities) if abilities else 0.5
    return _likelihood(runs).complaints(anywhere if runs.task == ANY_TASK else prior.by_task.get(runs.task, anywhere))


def _habit(known: Sequence[tuple[Judged, float]]) -> float:
    """How much larger the share of complaints is than expected."""
    surplus = sum(runs.complaints - runs.runs * expected for runs, expected in known)
    return surplus / (sum(runs.runs for runs, _ in known) + HABIT_RUNS)


def _observed(runs: Judged, expected: float, habit: float) -> Observed:
    likelihood = _likelihood(runs)
    return Observed(
        weight=runs.runs * likelihood.weight(expected + habit),
        mean=likelihood.quality(runs.complaints / runs.runs - habit),
    )
