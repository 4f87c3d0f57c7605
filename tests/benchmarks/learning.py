"""Does learning pay? Cumulative regret over 2,000 simulated prompts, of the fixed prior and of what learns, with its spread.

    python tests/benchmarks/learning.py [SEEDS]

Regret is counted in answers: 100 is as many good answers fewer than the truly best models would have given.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from raters import Choose, House, by_posterior, by_prior, exploring, regret

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
ROUNDS = 2000
CHOICES: dict[str, Choose] = {
    "fixed prior": by_prior,
    "learned": by_posterior,
    "learned, 5 % drawn": exploring(0.05),
    "learned, all drawn": exploring(1.0),
}


def houses(seed: int) -> dict[str, House]:
    """What the truth is, and what people tell of it."""
    return {
        "priors off, 10 % rated": House(seed),
        "priors off, all rated": House(seed, rated=1.0),
        "priors off, none rated": House(seed, rated=0.0),
        "priors far off, 10 % rated": House(seed, off=2.0),
        "priors right, 10 % rated": House(seed, off=0.0),
        "priors right, all rated": House(seed, off=0.0, rated=1.0),
        "priors right, never a complaint": House(seed, off=0.0, rated=0.0, complaints=lambda _: 0.0),
        "priors right, complaints of anything": House(seed, off=0.0, rated=0.0, complaints=lambda _: 0.4),
        "all models alike": House(seed, alike=True),
        "priors right, ratings by coin": House(seed, off=0.0, ratings=lambda _: 0.5),
    }


print(f"{'':38}" + "".join(f"{name:>22}" for name in CHOICES))
for name in houses(0):
    row = []
    for choose in CHOICES.values():
        totals = [regret(houses(seed)[name], choose, rounds=ROUNDS)[-1] for seed in range(SEEDS)]
        row.append(f"{statistics.mean(totals):.0f} ± {statistics.stdev(totals) / SEEDS**0.5:.0f}")
    print(f"{name:38}" + "".join(f"{cell:>22}" for cell in row), flush=True)
