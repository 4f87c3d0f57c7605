"""What an adapter yields while a model answers."""

from typing import Literal

from msgspec import Struct

from mmai.values.request import ToolCall

FinishReason = Literal["stop", "length", "filter", "tool_calls"]


class TextEvent(Struct, frozen=True, tag="text"):
    """More of the answer; never empty."""

    text: str


class ReasoningEvent(Struct, frozen=True, tag="reasoning"):
    """More of the model's thinking, which is not part of the answer; never empty."""

    text: str


class Label(Struct, frozen=True):
    """A class and its probability, 0 to 1; None where the model gives only a ranking."""

    name: str
    probability: float | None = None


class LabelsEvent(Struct, frozen=True, tag="labels"):
    """Classes, the most probable first."""

    labels: tuple[Label, ...]


class VectorEvent(Struct, frozen=True, tag="vector"):
    """An embedding of the whole input."""

    values: tuple[float, ...]


class ImageEvent(Struct, frozen=True, tag="image"):
    """A generated image, encoded."""

    data: bytes
    media_type: str


class Usage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tokens as the provider counted them. None is unknown."""

    input_tokens: int | None = None
    """All of the prompt, cached ones included."""
    output_tokens: int | None = None
    """All that was generated, reasoning included."""
    cached_tokens: int | None = None
    """Those of `input_tokens` the provider did not evaluate again."""
    reasoning_tokens: int | None = None
    estimated: bool = False
    """Counted here, not by the provider."""


class ServerTimings(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the server says of its own work, in milliseconds and tokens per second. None is not told."""

    load_ms: float | None = None
    prompt_ms: float | None = None
    """Evaluating the uncached part of the prompt."""
    decode_ms: float | None = None
    total_ms: float | None = None
    prompt_tokens_per_second: float | None = None
    """Uncached prompt tokens over `prompt_ms`."""
    decode_tokens_per_second: float | None = None


class FinishedEvent(Struct, frozen=True, tag="finished", kw_only=True):
    """The answer is whole. Always the last event; a stream without it is incomplete."""

    reason: FinishReason = "stop"
    usage: Usage = Usage()
    server: ServerTimings = ServerTimings()
    resolved_model: str | None = None
    """The name the provider says it used, when that differs from the one asked for."""
    skipped_lines: int = 0
    """Lines or events of the stream that nothing here understands."""


Event = TextEvent | ReasoningEvent | LabelsEvent | VectorEvent | ImageEvent | ToolCall | FinishedEvent
