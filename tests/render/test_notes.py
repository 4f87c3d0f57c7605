"""The words on standard error."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.errors import NoEligibleModel, UsageError
from mmai.render.notes import (
    ReasoningWriter,
    changes_line,
    chosen_line,
    deprecated_line,
    error_lines,
    execution_line,
    fallback_line,
    usage_line,
    warning_line,
)
from mmai.values.event import ServerTimings, Usage
from mmai.values.execution import Execution
from mmai.values.model import FREE, Price
from mmai.values.record import Attempt, RunRecord, Timings
from mmai.values.registry import Changes


def a_run(**changes: Any) -> RunRecord:
    fields = {
        "id": "1",
        "started_at": 0.0,
        "status": "ok",
        "prompt": "hi",
        "usage": Usage(input_tokens=412, output_tokens=96, cached_tokens=12),
        "cost_usd": 0.0003,
        "timings": Timings(ttft_ms=310.0, total_ms=2_000.0),
        "server": ServerTimings(decode_tokens_per_second=41.2),
        **changes,
    }
    return RunRecord(**fields)


def test_an_error_says_what_happened_and_what_to_type(pipe: Any) -> None:
    error = NoEligibleModel("no model fits this prompt: 41200 tokens", hint="mmai models --min-context 48k")
    assert error_lines(error, pipe.terminal) == (
        "error: no model fits this prompt: 41200 tokens\nhint: mmai models --min-context 48k"
    )


def test_an_error_without_a_hint_is_one_line_whatever_a_server_wrote(pipe: Any) -> None:
    assert error_lines(UsageError("bad\x1b[2J\nname"), pipe.terminal) == "error: bad name"


def test_only_the_marks_are_coloured(a_screen: Any) -> None:
    screen = a_screen(color=True)
    assert error_lines(UsageError("bad", hint="mmai"), screen.terminal) == (
        "\x1b[1;31merror:\x1b[0m bad\n\x1b[36mhint:\x1b[0m mmai"
    )
    assert warning_line("slow", screen.terminal) == "\x1b[33mwarning:\x1b[0m slow"
    assert warning_line("slow", a_screen().terminal) == "warning: slow"


def test_an_automatic_choice_is_named_with_its_task_and_score() -> None:
    assert chosen_line("ollama:qwen3:8b", task="summarization", score=0.8123) == "ollama:qwen3:8b (summarization; score 0.81)"
    assert chosen_line("ollama:qwen3:8b", task="summarization", score=None) == "ollama:qwen3:8b (summarization)"


@pytest.mark.parametrize(
    ("attempt", "following", "line"),
    [
        (
            Attempt(model="ollama:qwen3:8b", status=503, failure="provider", message="503 from http://x", ms=3),
            "openai:gpt-5.6-luna",
            "ollama:qwen3:8b failed (503 Service Unavailable), trying openai:gpt-5.6-luna",
        ),
        (Attempt(model="a:b", status=529, ms=3), "c:d", "a:b failed (529), trying c:d"),
        (Attempt(model="a:b", failure="cannot_connect", message="refused", ms=3), "c:d", "a:b failed (refused), trying c:d"),
        (Attempt(model="a:b", failure="cannot_connect", ms=3), "a:b", "a:b failed (cannot_connect), trying again"),
    ],
)
def test_a_fallback_says_who_failed_why_and_who_is_next(attempt: Attempt, following: str, line: str) -> None:
    assert fallback_line(attempt, following=following) == line


@pytest.mark.parametrize(
    ("changes", "price", "line"),
    [
        ({}, None, "412 in, 96 out (12 cached) · $0.0003 · first token 0.3 s · 41 tokens/s"),
        (
            {"usage": Usage(input_tokens=412, output_tokens=96, estimated=True), "server": ServerTimings()},
            None,
            "~412 in, ~96 out · ~$0.0003 · first token 0.3 s · ~56 tokens/s",
        ),
        ({"cost_usd": None}, None, "412 in, 96 out (12 cached) · cost unknown · first token 0.3 s · 41 tokens/s"),
        (
            {"cost_usd": 0.0},
            FREE,
            "412 in, 96 out (12 cached) · $0 (runs on this machine) · first token 0.3 s · 41 tokens/s",
        ),
        ({"usage": Usage(), "timings": Timings(), "server": ServerTimings()}, Price(1.0), "tokens unknown · $0.0003"),
        (
            {"usage": Usage(input_tokens=12, output_tokens=1056, images=2), "server": ServerTimings()},
            None,
            "12 in, 1056 out · 2 images · $0.0003 · 2.0 s",
        ),
        ({"usage": Usage(images=1), "cost_usd": None, "server": ServerTimings()}, None, "1 image · cost unknown · 2.0 s"),
        ({"usage": Usage(audio_s=3.0), "server": ServerTimings()}, None, "3.0 s of sound · $0.0003 · 2.0 s"),
        (
            {"timings": Timings(ttft_ms=300.0, total_ms=301.0), "server": ServerTimings()},
            None,
            "412 in, 96 out (12 cached) · $0.0003 · first token 0.3 s",
        ),
        ({"usage": Usage(input_tokens=3), "timings": Timings(), "cost_usd": None}, None, "3 in, unknown out · cost unknown · 41 tokens/s"),
    ],
)  # fmt: skip
def test_usage_says_what_is_known_and_what_is_not(changes: dict[str, Any], price: Price | None, line: str) -> None:
    assert usage_line(a_run(**changes), price=price) == line


def test_a_discovery_says_what_differs() -> None:
    changes = Changes(new=("a:1", "a:2", "a:3", "a:4"), changed={"b:1": ("size_bytes",)}, gone=("c:1",))
    assert changes_line(changes) == "4 new (a:1, a:2, a:3, and 1 more), 1 changed (b:1), 1 gone (c:1)"
    assert changes_line(Changes()) == "nothing new"


def test_reasoning_is_dimmed_and_ends_before_the_answer(a_screen: Any) -> None:
    screen = a_screen(color=True)
    reasoning = ReasoningWriter(screen.terminal)
    for piece in ("\n", "Let me ", "see.\x1b[2J", "\n\n"):
        reasoning.write(piece)
    reasoning.close()
    reasoning.close()
    assert screen.lines == ["thinking: Let me see.", "", ""]
    assert screen.raw.startswith("\x1b[2mthinking: Let me")


@given(st.lists(st.sampled_from(["a", " ", "\n", "b c", ""])))
def test_reasoning_keeps_the_space_within_it(a_pipe: Any, pieces: list[str]) -> None:
    pipe = a_pipe()
    reasoning = ReasoningWriter(pipe.terminal)
    for piece in pieces:
        reasoning.write(piece)
    reasoning.close()
    text = "".join(pieces).strip()
    assert pipe.text == (f"thinking: {text}\n\n" if text else "")


@pytest.mark.parametrize(
    ("deprecated", "line"),
    [
        ("2026-11-21", "`a:b` is deprecated: retired on 2026-11-21"),
        ("2026-11-22", "`a:b` is deprecated: retired on 2026-11-22"),
        ("2026-11-23", "`a:b` is deprecated: its provider retires it on 2026-11-23"),
        ("use gpt-6", "`a:b` is deprecated: use gpt-6"),
    ],
)
def test_a_deprecated_model_says_since_or_until_when(deprecated: str, line: str) -> None:
    assert deprecated_line("a:b", deprecated, today="2026-11-22") == line


@pytest.mark.parametrize(
    ("execution", "line"),
    [
        (
            Execution(executor="reference", predictions=2, prepare_ms=3.0, load_ms=210.0, predict_ms=0.2),
            "reference · prepare 3 ms · load 0.2 s · predict <1 ms (2 predictions)",
        ),
        (
            Execution(
                executor="apple",
                compute_units="all",
                predictions=1,
                compile_ms=9_000.0,
                predict_ms=1.0,
                memory_bytes=120_000_000,
            ),
            "apple (all) · compile 9.0 s · predict 1 ms · 120 MB",
        ),
    ],
)
def test_usage_of_a_model_in_a_file_is_its_time_and_memory(execution: Execution, line: str) -> None:
    assert usage_line(a_run(execution=execution)) == line


def test_only_the_reference_executor_needs_a_word() -> None:
    assert execution_line(Execution(executor="apple")) is None
    assert execution_line(Execution(executor="reference")) == "runs in the reference executor (NumPy)"
    assert execution_line(Execution(executor="reference", reason="Core ML needs macOS")) == (
        "runs in the reference executor (NumPy): Core ML needs macOS"
    )
