"""Which task a prompt asks for: a probability for every type, from its words, its shape and its attachments."""

from collections.abc import Iterable

from mmai.selection.classifier import Header, Reading, combine
from mmai.selection.features import Features
from mmai.selection.probabilities import softmax
from mmai.selection.wording import ANYWHERE, MAKERS, OPENERS, PRODUCTS, UNSPACED
from mmai.selection.words import Clause, at, found, opener
from mmai.values.task import TaskType as T

Evidence = dict[str, float]
"""Task type to logit."""

CAP = 7.0
"""No task gathers more than this from words, so that long prompts stay uncertain."""

BETWEEN_CAP = 6.0
"""Nor more than 0.3 of this from what stands between commands."""

CLEAR = 3.0
"""Weight from which a command is clear."""

_OBJECT_REACH = 9
_AUDIO: Evidence = {T.SPEECH_TRANSCRIPTION: 2.0}
_IMAGE: Evidence = {T.IMAGE_UNDERSTANDING: 2.0, T.IMAGE_CLASSIFICATION: 0.0}
_OF_ATTACHMENTS = (*_IMAGE, *_AUDIO)
TEXT_TASKS = tuple(T)[: tuple(T).index(T.IMAGE_CLASSIFICATION)]
"""Those the classifier knows."""
_CLASSIFYING = (
    "classify", "classification", "what is this", "what kind of", "which kind", "what animal", "what type of", "which species",
    "species is", "sort these", "label", "tag these", "is this a ", "is it a ", "detect whether", "what brand", "defective",
    "choose the correct", "select the correct", "decide if", "decide the", "categorize", "klassifiziere", "was ist das",
    "qu'est-ce que c'est", "qué es esto", "这是什么", "これは何", "что это",
)  # fmt: skip


def task_probabilities(
    features: Features, reading: Reading, header: Header, *, images: int, recordings: int
) -> dict[str, float]:
    """Task type to probability, most probable first. Weak evidence leaves a flat distribution."""
    logits = combine(reading, evidence(features), header)
    likeliest = max(logits.values())
    # Whatever the words say, they say it of what is attached.
    logits |= {task: likeliest + weight for task, weight in _attached(features, images=images, recordings=recordings).items()}
    return softmax(logits)


def evidence(features: Features) -> Evidence:
    """What rules about wording and shape say for each task. Beside a command of its own the shape is only that of the material."""
    found: Evidence = {}
    for source in (_words(features), _standing_alone(features) or _shape(features)):
        for task, weight in source.items():
            found[task] = found.get(task, 0.0) + weight
    return found


def _words(features: Features) -> Evidence:
    """Commands count in full; what stands between them, as in a document that was pasted, for little."""
    between = features.clauses[3:-2] if len(features.commands) < len(features.clauses) else ()
    evidence = _gathered(features.commands, CAP)
    for task, weight in _gathered(between, BETWEEN_CAP).items():
        evidence[task] = min(CAP, evidence.get(task, 0.0) + 0.3 * weight)
    for task, listed in UNSPACED.items() if not features.text.isascii() else ():
        evidence[task] = evidence.get(task, 0.0) + 3.0 * sum(word in features.text for word in listed.split())
    return evidence


def _gathered(clauses: Iterable[Clause], cap: float) -> Evidence:
    evidence: Evidence = {}
    seen: set[tuple[str, float, str]] = set()
    for clause in clauses:
        for task, weight in (*_command(clause), *found(ANYWHERE, clause)):
            if (known := (task, weight, clause[0])) not in seen:
                seen.add(known)
                evidence[task] = min(cap, evidence.get(task, 0.0) + weight)
    return evidence


def _standing_alone(features: Features) -> Evidence:
    """A clear command in a short paragraph of its own counts a second time: it outweighs whatever document it stands by."""
    evidence: Evidence = {}
    for clause in features.edges:
        for task, weight in _command(clause):
            if weight >= CLEAR:
                evidence[task] = max(weight, evidence.get(task, 0.0))
    return evidence


def _command(clause: Clause) -> list[tuple[str, float]]:
    """What a clause asks for by its verb, or by the object of a verb of making."""
    start = opener(clause)
    command = list(at(OPENERS, clause, start)) or list(at(OPENERS, clause, 0))
    verb = next((position for position in range(start, len(clause)) if clause[position] in MAKERS), None)
    return command if verb is None else command + _object(clause, verb)


def _object(clause: Clause, verb: int) -> list[tuple[str, float]]:
    for position in range(verb + 1, min(verb + _OBJECT_REACH, len(clause))):
        if made := list(at(PRODUCTS, clause, position)):
            return made
    return []


def _shape(features: Features) -> Evidence:
    short = features.words < 40
    return {
        T.CODE_GENERATION: 1.0 * min(features.code_marks, 4),
        T.MATH: 0.8 * min(features.math_marks, 3)
        + 2.5 * min(features.sums, 1)
        + (1.2 if features.asks and features.numbers >= 2 else 0.0),
        T.REASONING: 0.5 * min(features.options, 4) if features.options else 0.0,
        T.DATA_ANALYSIS: 2.5 if features.columns >= 2 else 0.0,
        T.CONVERSATION: 0.8 * min(features.speakers, 4) + (2.5 if features.greets else 0.0),
        T.QUESTION_ANSWERING: 1.0 if features.asks and short else 0.0,
    }


def _attached(features: Features, *, images: int, recordings: int) -> Evidence:
    evidence: Evidence = {}
    if images:
        evidence |= _IMAGE
        # A picture alone asks what it is.
        if not features.text or any(phrase in features.text for phrase in _CLASSIFYING):
            evidence[T.IMAGE_CLASSIFICATION] += 4.0
    if recordings:
        evidence |= _AUDIO
    return evidence
