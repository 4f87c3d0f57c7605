"""How long one decision over 2,000 models takes, term by term of the walk.

python tests/benchmarks/scoring.py
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders import a_card, a_request

from mmai.selection.analyze import analyze
from mmai.selection.decide import decide
from mmai.selection.scoring import rank
from mmai.values.decision import Weights

CARDS = [a_card(f"ollama:m{i}:7b", size_bytes=4_000_000_000 + i, context_tokens=32_768) for i in range(2_000)]
REQUEST = a_request("Write a Python function that merges two sorted lists.")
ANALYSIS = analyze(REQUEST)


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(31):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


print(f"analyze            {median_ms(lambda: analyze(REQUEST)):7.2f} ms")
print(f"rank 2,000 models  {median_ms(lambda: rank(CARDS, ANALYSIS, weights=Weights())):7.2f} ms")
print(f"decide             {median_ms(lambda: decide(REQUEST, CARDS)):7.2f} ms")
