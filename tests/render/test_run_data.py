"""A run as JSON, and answers that are not text."""

import json

from msgspec import structs

from mmai.render.envelope import envelope
from mmai.render.run import labels_text, run_data, vector_text
from mmai.values.event import Label, Usage
from mmai.values.execution import Execution
from mmai.values.record import Attempt, RunRecord, Timings

RECORD = RunRecord(
    id="01",
    started_at=1.0,
    status="ok",
    prompt="hi",
    text="Hello",
    model="ollama:qwen3:8b",
    task="conversation",
    finish_reason="stop",
    usage=Usage(input_tokens=3),
    timings=Timings(ttft_ms=12.5),
    attempts=(
        Attempt(model="a:b", endpoint="http://x", failure="provider", status=503, ms=4.0),
        Attempt(model="ollama:qwen3:8b", ms=9.0),
    ),
)


def test_every_promised_key_is_there_known_or_not() -> None:
    data = json.loads(envelope("run", run_data(RECORD)))["data"]
    assert {key: data[key] for key in ("text", "model", "task", "finish_reason", "cost_usd")} == {
        "text": "Hello", "model": "ollama:qwen3:8b", "task": "conversation", "finish_reason": "stop", "cost_usd": None,
    }  # fmt: skip
    assert data["usage"] == {
        "input_tokens": 3, "output_tokens": None, "cached_tokens": None, "cache_write_tokens": None, "reasoning_tokens": None,
        "audio_tokens": None, "images": None, "audio_s": None, "estimated": False,
    }  # fmt: skip
    assert data["timings"] == {"startup_ms": None, "ttft_ms": 12.5, "total_ms": None}
    assert data["attempts"] == [
        {"model": "a:b", "endpoint": "http://x", "credential": 0, "class": "provider", "message": None, "status": 503,
         "ms": 4.0, "cost_usd": None},
        {"model": "ollama:qwen3:8b", "endpoint": None, "credential": 0, "class": None, "message": None, "status": None,
         "ms": 9.0, "cost_usd": None},
    ]  # fmt: skip
    assert "labels" not in data


def test_labels_and_vectors_stand_beside_the_text() -> None:
    data = json.loads(envelope("run", run_data(RECORD, extras={"labels": (Label("cat", 0.9),)})))["data"]
    assert data["labels"] == [{"name": "cat", "probability": 0.9}]


def test_labels_are_a_line_each() -> None:
    assert labels_text([Label("a", 0.00226), Label("b", 4e-6), Label("c", 0.0)]) == ("0.0023   a\n4.0e-06  b\n0.00     c\n")
    assert labels_text([Label("tabby\x1b[2J cat", 0.914), Label("dog")]) == "0.91  tabby cat\n-     dog\n"
    assert labels_text([]) == ""


def test_a_vector_is_one_line_of_json() -> None:
    assert vector_text([0.5, -1.0]) == "[0.5,-1.0]\n"


def test_labels_and_vectors_of_several_files_stand_behind_their_names() -> None:
    assert labels_text([Label("cat", 0.9)], of="a\x1b[2J.png") == "a.png: 0.90  cat\n"
    assert vector_text([0.5], of="a.png") == "a.png: [0.5]\n"


def test_how_a_model_in_a_file_was_run_is_told_whole() -> None:
    ran = structs.replace(RECORD, execution=Execution(executor="reference", reason="Core ML needs macOS", load_ms=3.5))
    data = json.loads(envelope("run", run_data(ran)))["data"]

    assert (data["execution"]["executor"], data["execution"]["load_ms"]) == ("reference", 3.5)
    assert data["execution"]["compile_ms"] is None
    assert run_data(RECORD)["execution"] is None
