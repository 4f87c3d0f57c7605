"""What an answer used up and why it ended, in Anthropic's words and ours."""

from msgspec import Struct

from mmai.values.event import FinishedEvent, FinishReason, Usage
from mmai.values.model import ModelRef

REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "filter",
    "tool_use": "tool_calls",
}
"""Those that are not `stop`, as `end_turn`, `stop_sequence` and `pause_turn` are."""


class Details(Struct):
    """Of the output tokens."""

    thinking_tokens: int | None = None


class Counts(Struct):
    """Tokens; the three of the input exclude each other, and the output includes thinking."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: Details | None = None

    def updated(self, later: "Counts") -> "Counts":
        """With what a later event says instead: its counts are running totals."""
        known = {name: value for name in later.__struct_fields__ if (value := getattr(later, name)) is not None}
        return Counts(**({name: getattr(self, name) for name in self.__struct_fields__} | known))


def finished(counts: Counts, stop_reason: str, *, model: str | None, ref: ModelRef, skipped: int = 0) -> FinishedEvent:
    """The last event. `model` is the name the answer gives, `skipped` how many events nobody understood."""
    read, written = counts.cache_read_input_tokens, counts.cache_creation_input_tokens
    fresh, details = counts.input_tokens, counts.output_tokens_details
    return FinishedEvent(
        reason=REASONS.get(stop_reason, "stop"),
        usage=Usage(
            input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
            output_tokens=counts.output_tokens,
            cached_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=details.thinking_tokens if details else None,
        ),
        resolved_model=model if model and model != ref.name else None,
        skipped_lines=skipped,
    )
