"""How long one decision over 2,000 models takes, term by term of the walk, and how many prompts a second 30 models are chosen for.

python tests/benchmarks/scoring.py
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders import a_card, a_cloud_card, a_request

from mmai.selection.analyze import analyze
from mmai.selection.decide import Choices
from mmai.selection.roster import Roster
from mmai.selection.scoring import rank
from mmai.values.decision import Weights
from mmai.values.model import ModelCard
from mmai.values.outcome import Observed

FAMILIES = ("qwen3", "llama3.2", "gemma3", "mistral", "phi4")
BILLIONS = (1, 2, 4, 8, 14, 27, 32, 70)


def models(count: int) -> list[ModelCard]:
    """Two local ones to each hosted one, of five families and eight sizes."""
    cards = []
    for at in range(count):
        family, billions = FAMILIES[at % 5], BILLIONS[at % 8]
        if at % 3:
            cards.append(a_card(f"ollama:{family}-{at}:{billions}b", parameter_count=billions * 10**9, size_bytes=None))
        else:
            cards.append(a_cloud_card(f"openai:{family}-{at}:{billions}b", usd_per_mtok=billions / 10))
    return cards


CARDS = models(2_000)
OBSERVED = {str(card.ref): {"code_generation": Observed(weight=3.0, mean=0.7)} for card in CARDS[::20]}
ROSTER = Roster(CARDS, observed=OBSERVED)
MANY = Choices(CARDS, observed=OBSERVED)
FEW = Choices(models(30))
REQUEST = a_request("Write a Python function that merges two sorted lists.")
ANALYSIS = analyze(REQUEST)


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(31):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


few_ms = median_ms(lambda: FEW.decide(REQUEST, analysis=ANALYSIS))
print(f"analyze                {median_ms(lambda: analyze(REQUEST)):7.2f} ms")
print(f"prepare 2,000 models   {median_ms(lambda: Roster(CARDS, observed=OBSERVED)):7.2f} ms")
print(f"rank 2,000 models      {median_ms(lambda: rank(ROSTER, ANALYSIS, weights=Weights())):7.2f} ms")
print(f"decide among them      {median_ms(lambda: MANY.decide(REQUEST, analysis=ANALYSIS)):7.2f} ms")
print(f"decide among 30        {few_ms:7.2f} ms, {1000 / few_ms:.0f} prompts/s")
