"""How demanding a prompt is: how much better a strong model is expected to do than a weak one.

Two parts are added: what the classifier learned of the words, from answers of strong and weak models and from labels, and what rules
say of the task, the demands that are stated, and the size. Beside each other they follow people's labels better than either.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import NamedTuple

from mmai.selection.classifier import Classifier
from mmai.selection.features import Features
from mmai.selection.grams import MEASURES, word_rows
from mmai.selection.words import found, phrases
from mmai.values.task import OutputRequirements, TaskType

_OF_TASK: dict[str, float] = {
    TaskType.CODE_GENERATION: 0.45,
    TaskType.MATH: 0.45,
    TaskType.REASONING: 0.5,
    TaskType.QUESTION_ANSWERING: 0.25,
    TaskType.TEXT_ANALYSIS: 0.35,
    TaskType.INFORMATION_EXTRACTION: 0.3,
    TaskType.SUMMARIZATION: 0.25,
    TaskType.TRANSLATION: 0.3,
    TaskType.CREATIVE_WRITING: 0.35,
    TaskType.PROFESSIONAL_WRITING: 0.35,
    TaskType.TEXT_EDITING: 0.2,
    TaskType.DATA_ANALYSIS: 0.45,
    TaskType.CONVERSATION: 0.1,
    TaskType.ADVICE_PLANNING: 0.35,
    TaskType.IMAGE_CLASSIFICATION: 0.2,
    TaskType.IMAGE_UNDERSTANDING: 0.35,
}
"""What a plain prompt of the type asks; types that are not here ask 0.2."""

_DEMANDS = phrases(
    {
        "asks for proof or derivation": {
            0.2: "prove, proof, derive, show that, formally, rigorous, induction, beweise, démontre, demuestra, докажи, theorem"
        },
        "asks for several steps": {
            0.12: "step by step, multi step, in detail, detailed, comprehensive, thorough, in depth, first then,"
            " chain of thought, schritt für schritt, étape par étape, paso a paso"
        },
        "asks for design or trade-offs": {
            0.18: "architecture, design, trade offs, tradeoffs, optimize, optimise, optimal, distributed, concurrent,"
            " concurrency, thread safe, scalable, fault tolerant, refactor, lock free, asynchronous, performance,"
            " security, edge cases"
        },
        "advanced subject": {
            0.12: "quantum, differential, eigenvalue, stochastic, bayesian, topology, complexity, np hard, np complete,"
            " constitutional, pharmacokinetics, derivative, integral, manifold, algorithm, compiler, kernel, cryptography,"
            " dynamic programming"
        },
        "compares or argues": {
            0.1: "compare, contrast, evaluate, critique, argue, pros and cons, implications, counterargument, justify"
        },
    }
)
_REQUIREMENT = phrases(
    {"": {1.0: "must, should, ensure, make sure, do not, don't, at least, at most, without, only, exactly, unless"}}
)


RULES = 0.5
"""What rules count for beside the classifier."""
MIDDLE = 0.35
"""What rules say of the prompts the classifier learned from, on average: it is counted once and not twice."""
NAMED = 6
"""Drivers that are told."""
LEAST = 0.01
"""What moves the degree by less is not told."""


class Rows(NamedTuple):
    """The classifier's, of one prompt."""

    grams: Sequence[int]
    bins: Sequence[int]


def complexity(
    learned: float, features: Features, probabilities: Mapping[str, float], output: OutputRequirements, tokens: int
) -> float:
    """The degree in [0, 1]; `learned` is the classifier's part of it."""
    told = sum(amount for _, amount in _told(features, probabilities, output, tokens))
    return min(1.0, max(0.0, learned + RULES * (told - MIDDLE)))


def drivers(
    features: Features,
    probabilities: Mapping[str, float],
    output: OutputRequirements,
    tokens: int,
    *,
    classifier: Classifier,
    rows: Rows,
) -> tuple[str, ...]:
    """What moved the degree up or down, the strongest first: "+ asks for proof or derivation", "- `hello`"."""
    (usual, amount), *others = _told(features, probabilities, output, tokens)
    told = [(usual, amount - MIDDLE), *others]
    moved = [*((name, RULES * amount) for name, amount in told), *_learned(features, classifier, rows)]
    strongest = sorted(moved, key=lambda driver: -abs(driver[1]))[:NAMED]
    return tuple(f"{'+' if amount > 0 else '-'} {name}" for name, amount in strongest if abs(amount) >= LEAST)


def _told(
    features: Features, probabilities: Mapping[str, float], output: OutputRequirements, tokens: int
) -> Iterator[tuple[str, float]]:
    task = next(iter(probabilities))
    yield f"usual for {task}", sum(share * _OF_TASK.get(name, 0.2) for name, share in probabilities.items())
    if tokens > 100:
        yield f"{tokens} tokens to read", 0.08 * log10(tokens / 100)
    demands = dict.fromkeys(demand for clause in features.clauses for demand in found(_DEMANDS, clause))
    yield from demands
    if requirements := sum(1 for clause in features.clauses for _ in found(_REQUIREMENT, clause)):
        yield f"{requirements} stated requirement{'s' * (requirements > 1)}", 0.04 * min(requirements, 5)
    if features.numbers >= 4:
        yield f"{features.numbers} numbers", 0.02 * min(features.numbers, 6)
    if features.options >= 3:
        yield f"{features.options} options or list items", 0.05
    if output.format in ("json", "table", "csv", "yaml"):
        yield f"answer as {output.format}", 0.05


def _learned(features: Features, classifier: Classifier, rows: Rows) -> Iterator[tuple[str, float]]:
    column = classifier.complexity_column
    for name, row in zip(MEASURES, rows.bins, strict=True):
        yield name, classifier.weigh((row,), column) * len(rows.bins) ** -0.5
    for word in {word: None for clause in features.clauses for word in clause}:
        yield f"`{word}`", classifier.weigh(word_rows(word), column) * len(rows.grams) ** -0.5
