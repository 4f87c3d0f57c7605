"""What an adapter yields while a model answers."""

from typing import Any, Literal

from msgspec import Struct

from mmai.values.execution import Execution
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
    of: str | None = None
    """The file they are of, where several were handed in."""


class VectorEvent(Struct, frozen=True, tag="vector"):
    """An embedding of the whole input."""

    values: tuple[float, ...]
    of: str | None = None
    """The file it is of, where several were handed in."""


class Tensor(Struct, frozen=True):
    """An array by name, in C order and the byte order of this machine."""

    name: str
    dtype: str
    """NumPy's name: `float32`, `int32` …"""
    shape: tuple[int, ...]
    data: bytes


class TensorsEvent(Struct, frozen=True, tag="tensors"):
    """What a model gave under each name of its outputs; `values` are those that are no arrays: a label, a table of classes."""

    tensors: tuple[Tensor, ...]
    values: dict[str, Any] = {}


class ImageEvent(Struct, frozen=True, tag="image"):
    """A generated image, encoded."""

    data: bytes
    media_type: str


class AudioEvent(Struct, frozen=True, tag="audio"):
    """Generated speech or sound, encoded."""

    data: bytes
    media_type: str


class ExecutionEvent(Struct, frozen=True, tag="execution"):
    """A model in a file is about to be run, and by what; nothing is measured yet. It is no part of an answer."""

    execution: Execution


class DroppedEvent(Struct, frozen=True, tag="dropped"):
    """A tuning option that was asked for and not sent, since the model has none of the kind. It is no part of an answer."""

    option: str
    """Its name as the user knows it: `seed`, `temperature`, `top_k`."""
    reason: str
    """Half a sentence: `Anthropic has none`."""


class Usage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tokens as the provider counted them. None is unknown."""

    input_tokens: int | None = None
    """All of the prompt, cached ones included."""
    output_tokens: int | None = None
    """All that was generated, reasoning included."""
    cached_tokens: int | None = None
    """Those of `input_tokens` the provider did not evaluate again."""
    cache_write_tokens: int | None = None
    """Those of `input_tokens` the provider put into its cache, where it charges for that."""
    reasoning_tokens: int | None = None
    """Those of `output_tokens` that are thinking."""
    audio_tokens: int | None = None
    """Those of `input_tokens` that are sound."""
    images: int | None = None
    """Images generated."""
    audio_s: float | None = None
    """Seconds of sound that were transcribed, where the provider bills by time."""
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
    execution: Execution | None = None
    """How it was run, where that was on this machine and not behind a server."""


Event = (
    TextEvent
    | ReasoningEvent
    | LabelsEvent
    | VectorEvent
    | TensorsEvent
    | ImageEvent
    | AudioEvent
    | ToolCall
    | ExecutionEvent
    | DroppedEvent
    | FinishedEvent
)
