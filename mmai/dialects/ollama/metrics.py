"""What the last line of an answer measures."""

from typing import Any

from msgspec import Struct

from mmai.dialects.ollama.models import full_name
from mmai.values.event import FinishedEvent, FinishReason, ServerTimings, Usage
from mmai.values.model import ModelRef


class Metrics(Struct):
    """Durations in nanoseconds."""

    model: str | None = None
    error: Any = None
    total_duration: float | None = None
    load_duration: float | None = None
    prompt_eval_count: int | None = None
    prompt_eval_cached_count: int | None = None
    prompt_eval_duration: float | None = None
    eval_count: int | None = None
    eval_duration: float | None = None


def finished(line: Metrics, ref: ModelRef, *, reason: FinishReason = "stop", skipped_lines: int = 0) -> FinishedEvent:
    """The last event, of the line or object that carries the metrics."""
    named = line.model if line.model and full_name(line.model) != full_name(ref.name) else None
    return FinishedEvent(
        reason=reason,
        usage=Usage(
            input_tokens=line.prompt_eval_count,
            output_tokens=line.eval_count,
            cached_tokens=line.prompt_eval_cached_count,
        ),
        server=_timings(line),
        resolved_model=named,
        skipped_lines=skipped_lines,
    )


def _timings(line: Metrics) -> ServerTimings:
    fresh = None if line.prompt_eval_count is None else line.prompt_eval_count - (line.prompt_eval_cached_count or 0)
    return ServerTimings(
        load_ms=_ms(line.load_duration),
        prompt_ms=_ms(line.prompt_eval_duration),
        decode_ms=_ms(line.eval_duration),
        total_ms=_ms(line.total_duration),
        prompt_tokens_per_second=_rate(fresh, line.prompt_eval_duration),
        decode_tokens_per_second=_rate(line.eval_count, line.eval_duration),
    )


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6


def _rate(tokens: int | None, nanoseconds: float | None) -> float | None:
    return tokens / nanoseconds * 1e9 if tokens and tokens > 0 and nanoseconds else None
