"""`mmai preload`, and a memory budget: who is loaded, and who leaves for it."""

import pytest
from command import Mmai
from fakes.ollama import FakeOllama
from fakes.wall import Gate

LLAMA, QWEN, GEMMA = "ollama:llama3.2:3b", "ollama:qwen3:8b", "ollama:gemma3:4b"
"""2.5, 6.5 and 4.2 GB in memory."""


def budget(mmai: Mmai, size: str) -> None:
    mmai.configure(f"resources: {{memory_budget: {size}}}")


def test_models_are_loaded_before_they_are_asked(on: Mmai, ollama: FakeOllama) -> None:
    result = on("preload", LLAMA, GEMMA, "--keep-alive", "30m", "--json")
    rows = result.json["data"]["models"]
    assert [(row["model"], row["state"], row["size_bytes"]) for row in rows] == [
        (LLAMA, "loaded", 2_524_241_486),
        (GEMMA, "loaded", 4_173_502_255),
    ]
    assert set(ollama.loaded) == {"llama3.2:3b", "gemma3:4b"}
    assert {seen.json["keep_alive"] for seen in ollama.journal.of("/api/generate")} == {"30m"}
    assert "was there" in on("preload", LLAMA).stdout


def test_a_task_is_the_model_that_would_take_it(on: Mmai, ollama: FakeOllama) -> None:
    on("discover")
    row = on("preload", "embedding", "--json").json["data"]["models"][0]
    assert (row["model"], row["state"]) == ("ollama:nomic-embed-text:latest", "loaded")


def test_without_names_those_used_most_are_loaded_while_they_fit(on: Mmai, ollama: FakeOllama) -> None:
    assert "no local model was used" in on("preload").stderr
    for ref in (LLAMA, QWEN, QWEN):
        on("run", "-m", ref, "hi")
    ollama.loaded.clear()
    budget(on, "8GB")
    result = on("preload", "--json")
    assert [(row["model"], row["state"]) for row in result.json["data"]["models"]] == [(QWEN, "loaded"), (LLAMA, "no room")]
    assert set(ollama.loaded) == {"qwen3:8b"}
    assert result.exit_code == 0


def test_the_least_valuable_leaves_for_one_that_is_asked_for(on: Mmai, ollama: FakeOllama) -> None:
    budget(on, "10GB")
    on("preload", LLAMA, GEMMA)
    on("run", "-m", GEMMA, "hi")
    result = on("run", "-m", QWEN, "hi")
    assert result.exit_code == 0
    # The smaller one would not be enough, and need not leave beside the larger.
    assert result.stderr == f"{GEMMA} left memory to make room for {QWEN}\n"
    assert set(ollama.loaded) == {"qwen3:8b", "llama3.2:3b"}


def test_nothing_leaves_where_it_would_not_be_enough(on: Mmai, ollama: FakeOllama) -> None:
    budget(on, "5GB")
    on("preload", LLAMA)
    result = on("run", "-m", QWEN, "hi")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "needs 6.3 GB" in result.stderr
    assert "memory budget of 5.0 GB" in result.stderr
    assert set(ollama.loaded) == {"llama3.2:3b"}


def test_what_was_seen_in_memory_counts_more_than_the_file(on: Mmai, ollama: FakeOllama) -> None:
    on("discover")
    on("preload", QWEN)
    on("preload", "--unload", QWEN)
    budget(on, "5GB")
    assert "needs 6.5 GB" in on("preload", QWEN).stdout


def test_a_busy_model_and_one_that_is_to_stay_do_not_leave(on: Mmai, ollama: FakeOllama) -> None:
    budget(on, "8GB")
    on("preload", LLAMA, "--keep-alive", "-1")
    kept = on("preload", QWEN)
    assert (kept.exit_code, "do not fit" in kept.stderr or "does not fit" in kept.stderr) == (3, True)
    on("preload", "--unload", LLAMA)
    ollama.for_good.clear()
    gate = Gate()
    ollama.streams("Hel", gate, "lo", model="llama3.2:3b")
    asking = on.start("run", "-m", LLAMA, "hi")
    gate.wait_reached()
    busy = on("preload", QWEN)
    assert (busy.exit_code, "does not fit" in busy.stderr) == (3, True)
    gate.open()
    assert asking.communicate(timeout=30)[0] == b"Hello\n"
    assert on("preload", QWEN).exit_code == 3  # It was used a moment ago.
    assert on("preload", QWEN, "--evict").exit_code == 0


def test_models_leave_when_they_are_told(on: Mmai, ollama: FakeOllama) -> None:
    on("preload", LLAMA)
    row = on("preload", "--unload", LLAMA, "--json").json["data"]["models"][0]
    assert row["state"] == "gone"
    assert not ollama.loaded
    assert on("preload", "--unload").exit_code == 2


def test_nothing_is_loaded_to_see_what_would_be(on: Mmai, ollama: FakeOllama) -> None:
    assert "would be loaded" in on("preload", LLAMA, "--dry-run").stdout
    assert not ollama.loaded


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("builtin:textrank",), "lives inside mmai"),
        (("ollama:nobody:1b",), "nobody:1b"),
        ((LLAMA, "--keep-alive", "soon"), "`--keep-alive soon` is neither"),
    ],
)
def test_what_cannot_be_loaded_is_said(on: Mmai, args: tuple[str, ...], said: str) -> None:
    result = on("preload", *args)
    assert result.exit_code in (2, 3)
    assert said in result.stderr + result.stdout


def test_without_a_budget_a_run_asks_nothing_about_memory(on: Mmai, ollama: FakeOllama) -> None:
    on("run", "-m", LLAMA, "hi")
    assert ollama.journal.paths == ["POST /api/chat"]
    assert ollama.journal.of("/api/chat")[0].json["keep_alive"] == "5m"


def test_the_state_of_memory_and_places_is_told(on: Mmai, ollama: FakeOllama) -> None:
    budget(on, "16GB")
    on("preload", LLAMA)
    ollama.answers(503, {"error": "busy"}, path="/api/chat")
    on("run", "-m", LLAMA, "hi")
    data = on("status", "--json").json["data"]
    assert data["memory"] == {"held_bytes": 2_524_241_486, "budget_bytes": 16_000_000_000}
    assert data["places"][0]["left_alone_s"] > 0
    shown = on("status").stdout
    assert "2.5 GB of 16 GB held" in shown
    assert "left alone" in shown
