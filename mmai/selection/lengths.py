"""How long the answer will be, in tokens."""

from collections.abc import Mapping

from mmai.values.request import Request
from mmai.values.task import OutputRequirements, TaskType

TYPICAL_TOKENS: dict[str, int] = {
    TaskType.CODE_GENERATION: 500,
    TaskType.MATH: 350,
    TaskType.REASONING: 350,
    TaskType.QUESTION_ANSWERING: 200,
    TaskType.TEXT_ANALYSIS: 300,
    TaskType.INFORMATION_EXTRACTION: 150,
    TaskType.SUMMARIZATION: 200,
    TaskType.CREATIVE_WRITING: 700,
    TaskType.PROFESSIONAL_WRITING: 500,
    TaskType.DATA_ANALYSIS: 400,
    TaskType.CONVERSATION: 100,
    TaskType.ADVICE_PLANNING: 500,
    TaskType.IMAGE_CLASSIFICATION: 20,
    TaskType.IMAGE_UNDERSTANDING: 200,
    TaskType.IMAGE_GENERATION: 0,
    TaskType.SPEECH_SYNTHESIS: 0,
    TaskType.EMBEDDING: 0,
}
"""Answers of chat models of the day. Types that are not here repeat their input in other words."""

TOKENS_PER_WORD = 1.4
TOKENS_PER_SENTENCE = 30


def output_tokens(
    probabilities: Mapping[str, float], output: OutputRequirements, request: Request, *, context_tokens: int
) -> int:
    """Expected tokens of the answer: the length asked for, else the typical ones by probability; at most `max_tokens`."""
    expected: float = sum(share * TYPICAL_TOKENS.get(task, context_tokens) for task, share in probabilities.items())
    for asked, each in ((output.max_words, TOKENS_PER_WORD), (output.max_sentences, TOKENS_PER_SENTENCE)):
        if asked is not None and expected:
            expected = asked * each
    limit = request.options.max_tokens
    return round(expected) if limit is None else min(round(expected), limit)
