"""What a prompt asks for, and under which limits."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class TaskType(StrEnum):
    """The kinds of work models are chosen for."""

    CODE_GENERATION = "code_generation"
    MATH = "math"
    REASONING = "reasoning"
    QUESTION_ANSWERING = "question_answering"
    TEXT_ANALYSIS = "text_analysis"
    INFORMATION_EXTRACTION = "information_extraction"
    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"
    CREATIVE_WRITING = "creative_writing"
    PROFESSIONAL_WRITING = "professional_writing"
    TEXT_EDITING = "text_editing"
    DATA_ANALYSIS = "data_analysis"
    CONVERSATION = "conversation"
    ADVICE_PLANNING = "advice_planning"
    IMAGE_CLASSIFICATION = "image_classification"
    IMAGE_UNDERSTANDING = "image_understanding"
    IMAGE_GENERATION = "image_generation"
    SPEECH_TRANSCRIPTION = "speech_transcription"
    SPEECH_SYNTHESIS = "speech_synthesis"
    EMBEDDING = "embedding"


class Modality(StrEnum):
    """What goes into a model."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    TENSOR = "tensor"


class OutputRequirements(Struct, frozen=True, omit_defaults=True):
    """What the answer should look like. None says nothing was asked."""

    format: str | None = None
    """`json`, `code`, `list`, `table`, or the like."""
    max_words: int | None = None
    max_sentences: int | None = None
    language: str | None = None


class Constraints(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Limits the user set. They filter; they never merely lower a score."""

    provider: str | None = None
    local_only: bool = False
    """Nothing leaves this machine: only embedded and local models."""
    exclude: tuple[str, ...] = ()
    """References, bare names or provider names; `*` matches any run of characters."""
    require: tuple[str, ...] = ()
    """Capabilities, beside those the task itself needs."""
    policy: Literal["local", "private"] | None = None
    """A policy that keeps to one's own machines, or to this one."""
    max_cost_usd: float | None = None
    """Worst case of one request."""
    max_latency_ms: float | None = None
    """Expected time of one request."""
    min_reliability: float | None = None
    """Share of calls that succeed, 0 to 1."""
    min_context_tokens: int | None = None
    max_memory_bytes: int | None = None


class TaskAnalysis(Struct, frozen=True, kw_only=True):
    """What `selection.analyze` reads from a prompt and its attachments."""

    task_type: TaskType
    """The most probable type."""
    task_probabilities: dict[str, float]
    """Task type to probability; they sum to 1. Types below 0.005 are left out."""
    complexity: float
    """0 (one obvious step) to 1 (many dependent ones)."""
    complexity_drivers: tuple[str, ...] = ()
    """The features that moved it, the strongest first."""
    domain: str = "general"
    required_capabilities: tuple[str, ...] = ()
    modality: Modality = Modality.TEXT
    output: OutputRequirements = OutputRequirements()
    context_tokens: int = 0
    """Estimated tokens of everything that is sent."""
    output_tokens: int = 0
    """Estimated tokens of the answer, or `max_tokens` where it is lower."""
    tokens_by_family: dict[str, int] = {}
    """Model family (`gpt`, `claude`, `gemini`, `llama`, `qwen` …) to the tokens its tokenizer is estimated to make of what is sent;
    empty unless asked for."""
    language: str | None = None
    """Script or language of the prompt, as far as it shows."""
    constraints: Constraints = Constraints()
    inferred: dict[str, str] = {}
    """Constraint to the words it was read from; empty unless reading limits from the wording was asked for."""
