"""What the expected quality is worth for routing: `python -m tests.benchmarks.routing DATA_FOLDER`, run by hand.

Every figure is of prompts the classifier and the abilities were not trained on: two halves, each judged by what was learned from
the other. Beside it stand what needs no learning, and what was published.

Two models: `gpt-4-1106-preview` or `Mixtral-8x7B`, by whether each was right, with RouteLLM's own protocol (`routellm/evals`):
thresholds at the deciles of a router's score; APGR is the area under accuracy over the share sent to the strong model, from 0 for
the weak one to 1 for the strong one; CPT50 and CPT80 the least share that gains half and four fifths of their difference.
Nine models: the mean score of those chosen, by expected quality alone and with the weight on price that brings the mean price to
$0.20 for a million tokens.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from mmai.selection.classifier import Classifier
from mmai.selection.complexity import complexity
from mmai.selection.features import features
from mmai.selection.grams import bins, grams
from mmai.selection.quality import expected
from mmai.selection.requirements import output_requirements
from mmai.selection.tasks import task_probabilities
from mmai.selection.tokens import request_tokens
from mmai.values.decision import Prior
from mmai.values.request import Message, Request, TextPart
from mmai.values.task import TaskAnalysis, TaskType
from tools.examples import Example, examples, read_rows
from tools.fit import Floats, Labels, design
from tools.train import encoded, trained

HALVES = 2
SEEDS = 2
PRIOR_STRENGTH = 20.0
CHEAP_USD_PER_MTOK = 0.20


class Router:
    """What one half taught: the classifier, and the abilities of some models."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def analysis(self, prompt: str) -> TaskAnalysis:
        """As `analyze` makes it, with this classifier."""
        seen = features(prompt)
        reading = self._classifier.read(tuple(grams(seen)), bins(seen))
        likely = task_probabilities(seen, reading, self._classifier.header, images=0, recordings=0)
        best = TaskType(next(iter(likely)))
        request = Request(messages=(Message("user", (TextPart(prompt),)),))
        output = output_requirements(seen, request, best)
        degree = complexity(reading.complexity, seen, likely, output, request_tokens(request))
        return TaskAnalysis(task_type=best, task_probabilities=likely, complexity=degree)


def abilities(analyses: Sequence[TaskAnalysis], scores: Floats) -> list[Prior]:
    """Of each column of (prompts, models): its mean score by task, each prompt counted for its tasks' probabilities, shrunk toward
    the model's mean; to what it would be at middling complexity."""
    tasks = list(TaskType)
    shares = np.array([[each.task_probabilities.get(task, 0.0) for task in tasks] for each in analyses])
    overall = scores.mean(axis=0)
    table = (shares.T @ scores + PRIOR_STRENGTH * overall) / (shares.sum(axis=0)[:, None] + PRIOR_STRENGTH)
    usual = np.mean([4.0 ** (each.complexity - 0.5) for each in analyses])
    return [
        Prior(
            by_task={task: float(value ** (1 / usual)) for task, value in zip(tasks, column, strict=True)},
            strength=20.0,
            basis="published",
            source="the other half",
        )
        for column in table.T
    ]


def routed(score: Floats, strong: Floats, weak: Floats) -> tuple[float, float, float]:
    """(APGR, CPT50, CPT80) of a router's score, higher where the strong model should answer."""
    edges = [*np.quantile(score, np.linspace(0, 1, 11)), np.inf]
    points = sorted({((score >= edge).mean(), np.where(score >= edge, strong, weak).mean()) for edge in edges})
    share, accuracy = np.array(points).T
    low, high = weak.mean(), strong.mean()
    apgr = float((np.trapezoid(accuracy, share) - low) / (high - low))
    half, most = (float(np.interp(low + part * (high - low), np.maximum.accumulate(accuracy), share)) for part in (0.5, 0.8))
    return apgr, half, most


def two_models(name: str, rows: list[Example], matrix: sparse.csr_array, path: Path, published: dict[str, list[float]]) -> None:
    """A table of routers."""
    answers = list(read_rows(path))
    prompts = [answer["prompt"] for answer in answers]
    scores = np.array([[answer["strong_correct"], answer["weak_correct"]] for answer in answers], dtype=float)
    strong, weak = scores.T
    print(f"\n{name}: {len(answers)} prompts, strong {strong.mean():.3f}, weak {weak.mean():.3f}\n{'':28}APGR  CPT50  CPT80")
    show("random", [routed(np.random.default_rng(seed).random(len(answers)), strong, weak) for seed in range(20)])
    show("prompt length", [routed(np.array([len(prompt) for prompt in prompts], dtype=float), strong, weak)])
    gains, degrees = [], []
    for seed in range(SEEDS):
        for inside, outside, router in halves(rows, matrix, f"RouteLLM/{name}", seed):
            analyses = [router.analysis(prompt) for prompt in prompts]
            better, worse = abilities([analyses[at] for at in inside], scores[inside])
            asked = [analyses[at] for at in outside]
            gain = np.array([expected(better, {}, each) - expected(worse, {}, each) for each in asked])
            gains.append(routed(gain, *scores[outside].T))
            degrees.append(routed(np.array([each.complexity for each in asked]), *scores[outside].T))
    show("complexity", degrees)
    show("expected quality", gains)
    for router_name, (cpt50, cpt80, apgr) in published.items():
        show(f"RouteLLM {router_name}", [(apgr, cpt50 / 100, cpt80 / 100)])


def show(name: str, figures: Sequence[tuple[float, float, float]]) -> None:
    """One row, the mean of several runs."""
    apgr, cpt50, cpt80 = np.mean(figures, axis=0)
    print(f"{name:26} {apgr:6.3f} {cpt50:6.1%} {cpt80:6.1%}")


def halves(rows: list[Example], matrix: sparse.csr_array, source: str, seed: int) -> Iterator[tuple[Labels, Labels, Router]]:
    """(prompts of one half, of the other, what the first and all other data taught), twice; positions are within the source."""
    places = np.array([at for at, row in enumerate(rows) if row.source.startswith(source)])
    half = np.random.default_rng(seed).integers(0, HALVES, len(places))
    for each in range(HALVES):
        kept = np.setdiff1d(np.arange(len(rows)), places[half == each])
        found = trained([rows[at] for at in kept], matrix[kept])
        yield np.flatnonzero(half != each), np.flatnonzero(half == each), Router(Classifier.parse(encoded(found)))


def nine_models(rows: list[Example], matrix: sparse.csr_array, routing: Path) -> None:
    """A table of ways to choose one of nine."""
    answers = list(read_rows(routing / "llmrouter9.jsonl"))
    names = sorted(answers[0]["scores"])
    prices = json.loads((routing / "llmrouter_models.json").read_text())
    price = np.array([prices[name]["input"] for name in names])
    scores = np.array([[answer["scores"][name] for name in names] for answer in answers])
    cheap = price <= CHEAP_USD_PER_MTOK
    print(f"\nnine models: {len(answers)} prompts\n{'':28}quality  $/M   quality at <= $0.20/M")
    best, frugal = scores.mean(axis=0).argmax(), np.where(cheap, scores.mean(axis=0), 0).argmax()
    print(
        f"{'best single':26} {scores[:, best].mean():8.3f} {price[best]:6.2f} {scores[:, frugal].mean():10.3f} ({names[frugal]})"
    )
    print(f"{'random':26} {scores.mean():8.3f} {price.mean():6.2f} {scores[:, cheap].mean():10.3f}")
    print(f"{'oracle':26} {scores.max(axis=1).mean():8.3f} {'':6} {scores[:, cheap].max(axis=1).mean():10.3f}")
    for seed in range(SEEDS):
        quality = np.zeros_like(scores)
        for inside, outside, router in halves(rows, matrix, "LLMRouter/nine/", seed):
            analyses = [router.analysis(answer["prompt"]) for answer in answers]
            priors = abilities([analyses[at] for at in inside], scores[inside])
            quality[outside] = [[expected(prior, {}, analyses[at]) for prior in priors] for at in outside]
        chosen = quality.argmax(axis=1)
        each = np.arange(len(answers))
        frontier = [(quality - weight * price).argmax(axis=1) for weight in np.linspace(0, 2, 101)]
        within = next(picked for picked in frontier if price[picked].mean() <= CHEAP_USD_PER_MTOK)
        print(
            f"{'expected quality':26} {scores[each, chosen].mean():8.3f} {price[chosen].mean():6.2f}"
            f" {scores[each, within].mean():10.3f} at {price[within].mean():.2f}"
        )


def main(data: Path) -> None:
    """Print the three tables."""
    rows = examples(data)
    matrix = design([features(row.prompt) for row in rows])
    published = json.loads((data / "published" / "routellm_tables.json").read_text())["tables"]
    for name, training in (("mmlu", "arena+gold"), ("gsm8k", "arena+judge")):
        two_models(name, rows, matrix, data / "routing" / f"routellm_{name}.jsonl", published[name][training])
    nine_models(rows, matrix, data / "routing")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
