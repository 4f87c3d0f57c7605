"""How demanding a prompt is: 0 for one obvious step, 1 for many dependent ones."""

from collections.abc import Iterator, Mapping
from math import log10

from mmai.selection.features import Features
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


def complexity(
    features: Features, probabilities: Mapping[str, float], output: OutputRequirements, tokens: int
) -> tuple[float, tuple[str, ...]]:
    """The degree in [0, 1], and what moved it, the strongest first."""
    drivers = sorted(_drivers(features, probabilities, output, tokens), key=lambda driver: -driver[1])
    return min(1.0, sum(amount for _, amount in drivers)), tuple(name for name, _ in drivers)


def _drivers(
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
