"""`mmai status`: what there is, and what to do when that is not enough."""

from shutil import copytree

from command import Mmai
from fakes.ollama import FakeOllama
from packages.shipped import FOLDER


def test_nothing_reachable_ends_with_the_next_step(mmai: Mmai, nowhere: str) -> None:
    result = mmai("status")
    assert result.exit_code == 0
    assert "next: `ollama serve`" in result.stdout
    data = mmai("status", "--json").json["data"]
    assert "`ollama serve`" in data["next"]
    assert [(each["name"], each["state"]) for each in data["providers"]][:2] == [
        ("builtin", "healthy"),
        ("ollama", "unreachable"),
    ]
    assert data["providers"][1]["endpoint"] == nowhere
    assert data["loaded"] == []


def test_a_server_without_models_is_told_to_pull_one(on: Mmai, ollama: FakeOllama) -> None:
    ollama.models.clear()
    assert "mmai pull ollama:" in on("status", "--json").json["data"]["next"]


def test_a_server_with_models_needs_no_next_step(on: Mmai, ollama: FakeOllama) -> None:
    result = on("status", "--json")
    data = result.json["data"]
    assert (result.json["command"], data["next"]) == ("status", None)
    assert (data["providers"][1]["models"], data["providers"][1]["version"]) == (4, "0.33.0")
    assert "next:" not in on("status").stdout


def test_what_is_in_memory_is_shown(on: Mmai, ollama: FakeOllama) -> None:
    assert on("status", "--json").json["data"]["loaded"] == []
    on("run", "-m", "ollama:qwen3:8b", "hi")
    [loaded] = on("status", "--json").json["data"]["loaded"]
    assert (loaded["model"], loaded["context_tokens"]) == ("ollama:qwen3:8b", 4096)
    assert loaded["size_bytes"] == loaded["vram_bytes"] > 0
    [line] = [line for line in on("status").stdout.splitlines() if line.startswith("model ")]
    assert "qwen3:8b" in line
    assert "loaded" in line
    assert "100% on the accelerator" in line


def test_a_server_that_will_not_say_what_it_holds_is_still_healthy(on: Mmai, ollama: FakeOllama) -> None:
    ollama.answers(500, {"error": "broken"}, path="/api/ps")
    data = on("status", "--json").json["data"]
    assert data["providers"][1]["state"] == "healthy"
    assert data["loaded"] == []


def test_every_task_has_the_model_that_would_take_it(on: Mmai) -> None:
    active = {row["task"]: row["model"] for row in on("status", "--json").json["data"]["active"]}
    assert active["embedding"] == "ollama:nomic-embed-text:latest"
    assert active["image_understanding"] == "ollama:gemma3:4b"
    assert active["speech_transcription"] is None
    assert active["math"] == on("select", "--task", "math", "x").stdout.strip()


def test_without_a_server_the_built_in_models_take_what_they_can(mmai: Mmai) -> None:
    active = {row["task"]: row["model"] for row in mmai("status", "--json").json["data"]["active"]}
    assert active["summarization"] == "builtin:textrank"
    assert active["code_generation"] is None


def test_models_in_files_take_the_tasks_they_are_for(mmai: Mmai) -> None:
    copytree(FOLDER, mmai.home / "mmai" / "models")
    active = {row["task"]: row["model"] for row in mmai("status", "--json").json["data"]["active"]}
    assert active["image_classification"] == "coreml:DominantColor"
    assert active["speech_transcription"] == "coreml:ToneLetters"
