"""Words about a run, for standard error: who was chosen, what failed, what it cost."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from mmai.errors import MmaiError
from mmai.render.clean import Cleaner, clean_line
from mmai.render.terminal import Terminal
from mmai.render.units import UNKNOWN, duration, money, share, size
from mmai.values.event import Usage
from mmai.values.execution import Execution
from mmai.values.health import ProviderStatus
from mmai.values.model import Price
from mmai.values.record import Attempt, RunRecord
from mmai.values.registry import Changes

FASTEST = 20_000
"""Tokens per second that no model writes: the answer came in one piece, and there was nothing to measure."""


def error_lines(error: MmaiError, terminal: Terminal) -> str:
    """`error: …`, and `hint: …` below it where there is one; no newline at the end."""
    lines = [f"{terminal.paint('error:', 'bad')} {clean_line(error.message)}"]
    if error.hint:
        lines.append(f"{terminal.paint('hint:', 'accent')} {clean_line(error.hint)}")
    return "\n".join(lines)


def warning_line(text: str, terminal: Terminal) -> str:
    """`warning: …`."""
    return f"{terminal.paint('warning:', 'warn')} {clean_line(text)}"


def chosen_line(model: str, *, task: str, score: float | None) -> str:
    """What an automatic choice fell on: `ollama:qwen3:8b (summarization; score 0.81)`."""
    scored = "" if score is None else f"; score {share(score)}"
    return clean_line(f"{model} ({task}{scored})")


def explored_line(model: str, *, instead_of: str) -> str:
    """That a choice was made to learn: `explores ollama:gemma3:4b in place of ollama:qwen3:8b, which scores highest`."""
    return clean_line(f"explores {model} in place of {instead_of}, which scores highest")


def deprecated_line(model: str, deprecated: str, *, today: str) -> str:
    """That a model is deprecated, and since or until when it answers; `deprecated` is a day as in `2026-10-23`, or a reason."""
    if not _is_day(deprecated):
        return clean_line(f"`{model}` is deprecated: {deprecated}")
    return clean_line(
        f"`{model}` is deprecated: {'retired' if deprecated <= today else 'its provider retires it'} on {deprecated}"
    )


def _is_day(text: str) -> bool:
    return len(text) == 10 and text.replace("-", "").isdecimal() and (text[4], text[7]) == ("-", "-")


def fallback_line(attempt: Attempt, *, following: str) -> str:
    """`ollama:qwen3:8b failed (503 Service Unavailable), trying openai:gpt-5.6-luna`, or `trying again` for the same model."""
    again = "again" if following == attempt.model else following
    return clean_line(f"{attempt.model} failed ({_why(attempt)}), trying {again}")


def attempt_line(attempt: Attempt) -> str:
    """`ollama:qwen3:8b at http://127.0.0.1:11434: cannot_connect after 3 ms`, or `answered after 2.1 s · $0.0003`."""
    place = f" at {attempt.endpoint}" if attempt.endpoint else ""
    cost = "" if attempt.cost_usd is None else f" · {money(attempt.cost_usd)}"
    return clean_line(f"{attempt.model}{place}: {attempt.failure or 'answered'} after {duration(attempt.ms)}{cost}")


def skipped_line(model: str, *, reason: str | None, for_s: float) -> str:
    """`ollama:qwen3:8b is left alone for 4 s (cannot connect to `127.0.0.1:11434`: connection refused)`."""
    pause = "" if for_s < 1 else f" for {for_s:.0f} s"
    return clean_line(f"{model} is left alone{pause}" + (f" ({reason})" if reason else ""))


def restart_line(attempt: Attempt, *, following: str) -> str:
    """`the answer of openai:gpt-5.6-luna was cut (the connection was lost); ollama:qwen3:8b begins anew`."""
    return clean_line(f"the answer of {attempt.model} was cut ({_why(attempt)}); {following} begins anew")


def _why(attempt: Attempt) -> str:
    if attempt.status is not None:
        phrase = HTTPStatus(attempt.status).phrase if attempt.status in _STATUSES else ""
        return f"{attempt.status} {phrase}".rstrip()
    return attempt.message or attempt.failure or "no reason given"


_STATUSES = frozenset(int(status) for status in HTTPStatus)


def usage_line(record: RunRecord, *, price: Price | None = None) -> str:
    """`412 in, 96 out (12 cached) · $0.0003 · first token 0.3 s · 41 tokens/s`; `12 in, 1056 out · 1 image · $0.04 · 9.1 s`.

    `~` marks what was counted here; what nobody knows is left out, but for amount and cost, which are `unknown`. `price` says why
    nothing is charged, where nothing is.
    """
    if record.execution is not None:
        return " · ".join(_stages(record.execution))
    parts = (_amount(record), _cost(record, price), *_times(record))
    return " · ".join(part for part in parts if part)


def _stages(execution: Execution) -> Iterator[str]:
    """`prepare 3 ms · load 0.2 s · predict 41 ms (3 predictions) · 120 MB`, and first what it was run by."""
    units = f" ({execution.compute_units})" if execution.compute_units else ""
    yield f"{execution.executor}{units}"
    for name in ("prepare", "compile", "load", "predict"):
        spent_ms = getattr(execution, f"{name}_ms")
        if spent_ms is not None:
            several = name == "predict" and execution.predictions > 1
            yield f"{name} {duration(spent_ms)}" + (f" ({execution.predictions} predictions)" if several else "")
    if execution.memory_bytes is not None:
        yield size(execution.memory_bytes)


def execution_line(execution: Execution) -> str | None:
    """That it was not Core ML which ran a model; None where it was."""
    if execution.executor != "reference":
        return None
    reason = f": {execution.reason}" if execution.reason else ""
    return clean_line(f"runs in the reference executor (NumPy){reason}")


def wrote_line(path: str, *, media_type: str, size_bytes: int) -> str:
    """`wrote cat.png (image/png, 1.2 MB)`."""
    return clean_line(f"wrote {path} ({media_type}, {size(size_bytes)})")


def _amount(record: RunRecord) -> str:
    """What is paid for."""
    usage = record.usage
    images = f"{usage.images} image{'s' * (usage.images != 1)}" if usage.images is not None else ""
    sound = f"{usage.audio_s:.1f} s of sound" if usage.audio_s is not None else ""
    return " · ".join(part for part in (_tokens(usage), images, sound) if part) or f"tokens {UNKNOWN}"


def _tokens(usage: Usage) -> str:
    if usage.input_tokens is None and usage.output_tokens is None:
        return ""
    about = "~" if usage.estimated else ""
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    return f"{_count(usage.input_tokens, about)} in, {_count(usage.output_tokens, about)} out{cached}"


def _count(tokens: int | None, about: str) -> str:
    return UNKNOWN if tokens is None else f"{about}{tokens}"


def _cost(record: RunRecord, price: Price | None) -> str:
    if record.cost_usd is None:
        return f"cost {UNKNOWN}"
    reason = f" ({clean_line(price.reason)})" if record.cost_usd == 0 and price and price.reason else ""
    about = "~" if record.usage.estimated and record.cost_usd else ""
    return f"{about}{money(record.cost_usd)}{reason}"


def _times(record: RunRecord) -> tuple[str, ...]:
    """How long it took; of what came whole, such as an image, no more than that."""
    usage = record.usage
    wordless = not record.text and _tokens(usage) == "" and record.timings.total_ms is not None
    if wordless or usage.images is not None or usage.audio_s is not None:
        return (duration(record.timings.total_ms),)
    ttft_ms = record.timings.ttft_ms
    return "" if ttft_ms is None else f"first token {duration(ttft_ms)}", _speed(record)


def _speed(record: RunRecord) -> str:
    """The server's own figure, or output tokens after the first over the time since the first."""
    rate = record.server.decode_tokens_per_second
    tokens, total_ms, ttft_ms = record.usage.output_tokens, record.timings.total_ms, record.timings.ttft_ms
    about = ""
    if (
        rate is None
        and tokens is not None
        and tokens > 1
        and total_ms is not None
        and ttft_ms is not None
        and total_ms > ttft_ms
    ):
        rate = (tokens - 1) / (total_ms - ttft_ms) * 1000
        about = "~" if record.usage.estimated else ""
    if rate is None or rate > FASTEST:
        return ""
    return f"{about}{rate:.0f} tokens/s" if rate >= 10 else f"{about}{rate:.1f} tokens/s"


def changes_line(changes: Changes) -> str:
    """What a discovery found to differ: `2 new (ollama:a, ollama:b), 1 gone (ollama:c)`; `nothing new` for no change."""
    kinds = (("new", changes.new), ("changed", tuple(changes.changed)), ("gone", changes.gone))
    return ", ".join(f"{len(refs)} {kind} ({_some(refs)})" for kind, refs in kinds if refs) or "nothing new"


def keyless_line(providers: Iterable[ProviderStatus]) -> str | None:
    """Which services nobody has set a key for, and what opens the first; None where there is none."""
    names = [status.provider for status in providers if status.health.state == "no_key"]
    return f"no key for {', '.join(names)}: `mmai keys set {names[0]}`" if names else None


def _some(refs: tuple[str, ...], most: int = 3) -> str:
    rest = f", and {len(refs) - most} more" if len(refs) > most else ""
    return clean_line(", ".join(refs[:most]) + rest)


class ReasoningWriter:
    """A model's thinking as it arrives, dimmed; it is no part of the answer and ends before that begins."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._cleaner = Cleaner()
        self._begun = False
        self._held = ""
        """White space at the end, which is shown only if something follows."""

    def write(self, text: str) -> None:
        """Show more of it."""
        text = self._held + self._cleaner.clean(text)
        shown = text.rstrip()
        self._held = text[len(shown) :]
        if not shown:
            return
        if not self._begun:
            shown = f"thinking: {shown.lstrip()}"
            self._begun = True
        # A style is closed in each piece, so that nothing is left dim if the process dies.
        self._terminal.write(self._terminal.paint(shown, "dim"))

    def close(self) -> None:
        """End it with a blank line. May be called twice."""
        if self._begun:
            self._terminal.write("\n\n")
        self._begun, self._held = False, ""
