"""Values for tests: say what matters to the test, get the rest sensible."""

from typing import Any

from mmai.values.model import FREE, ModelCard, Price, Profile
from mmai.values.request import AudioPart, ImagePart, Message, Options, Part, Request, TextPart
from mmai.values.task import Constraints, TaskAnalysis, TaskType


def a_card(ref: str = "ollama:gemma3:4b", **fields: Any) -> ModelCard:
    """A healthy local chat model of 4 billion parameters, free, with a window of 32,768 tokens."""
    provider, _, name = ref.partition(":")
    defaults: dict[str, Any] = {
        "endpoints": ("http://localhost:11434",),
        "locality": "local",
        "capabilities": ("text_generation",),
        "context_tokens": 32_768,
        "parameter_count": 4_000_000_000,
        "size_bytes": 2_500_000_000,
        "price": FREE,
        "loaded": True,
    }
    return ModelCard(provider=provider, name=name, **(defaults | fields))


def a_cloud_card(ref: str = "openai:gpt-5.6-luna", *, usd_per_mtok: float | None = 1.0, **fields: Any) -> ModelCard:
    """A hosted chat model; output costs four times the input. None is an unknown price."""
    defaults: dict[str, Any] = {
        "endpoints": ("https://api.openai.com/v1",),
        "locality": "cloud",
        "context_tokens": 200_000,
        "max_output_tokens": 8_000,
        "parameter_count": None,
        "size_bytes": None,
        "price": None if usd_per_mtok is None else Price(input_usd_per_mtok=usd_per_mtok, output_usd_per_mtok=4 * usd_per_mtok),
        "loaded": None,
    }
    return a_card(ref, **(defaults | fields))


def an_embedded_card(ref: str = "builtin:textrank", **fields: Any) -> ModelCard:
    """The summariser inside mmai."""
    defaults: dict[str, Any] = {
        "endpoints": (),
        "locality": "embedded",
        "tasks": (TaskType.SUMMARIZATION,),
        "only_tasks": True,
        "context_tokens": None,
        "parameter_count": None,
        "size_bytes": None,
        "loaded": None,
    }
    return a_card(ref, **(defaults | fields))


def a_profile(**fields: Any) -> Profile:
    """Measured over ten runs, none failed."""
    return Profile(**({"ttft_ms": 200.0, "tokens_per_second": 50.0, "runs": 10} | fields))


def a_request(prompt: str = "Why is the sky blue?", *attachments: Part, system: str = "", **fields: Any) -> Request:
    """One user turn; `max_tokens` and other options by name."""
    options = Options(**{name: fields.pop(name) for name in list(fields) if name in Options.__struct_fields__})
    turns = [Message("system", (TextPart(system),))] if system else []
    turns.append(Message("user", (TextPart(prompt), *attachments)))
    return Request(messages=tuple(turns), options=options, **fields)


def an_image() -> ImagePart:
    """A PNG by its first bytes."""
    return ImagePart(b"\x89PNG\r\n\x1a\n", "image/png", "photo.png")


def a_recording() -> AudioPart:
    """Two seconds of 16 kHz WAV by its size."""
    return AudioPart(bytes(64_000), "audio/wav", "memo.wav")


def an_analysis(task: TaskType = TaskType.QUESTION_ANSWERING, **fields: Any) -> TaskAnalysis:
    """A plain question: 100 tokens sent, 200 expected back, complexity 0.3."""
    limits = {name: fields.pop(name) for name in list(fields) if name in Constraints.__struct_fields__}
    defaults: dict[str, Any] = {
        "task_type": task,
        "task_probabilities": {task: 1.0},
        "complexity": 0.3,
        "required_capabilities": ("text_generation",),
        "context_tokens": 100,
        "output_tokens": 200,
        "constraints": Constraints(**limits),
    }
    return TaskAnalysis(**(defaults | fields))


class Warnings(list[str]):
    """Takes what a `warn` is told, and keeps it in its order."""

    def __call__(self, sentence: str) -> None:
        self.append(sentence)
