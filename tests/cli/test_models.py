"""`mmai models`: from the registry alone, and the one command that deletes."""

import csv
import io

import pytest
from command import Mmai
from fakes.ollama import FakeOllama
from screen import Screen


@pytest.fixture
def known(on: Mmai, ollama: FakeOllama) -> Mmai:
    """The command after a discovery, with an empty journal."""
    on("discover")
    ollama.journal.requests.clear()
    return on


def test_nothing_is_known_on_a_fresh_home(mmai: Mmai) -> None:
    result = mmai("models")
    assert result.exit_code == 0
    assert "`mmai discover`" in result.stderr
    assert mmai("models", "--json").json["data"] == {"providers": [], "models": []}


@pytest.mark.parametrize("words", [("models",), ("models", "list"), ("models", "show", "qwen3:8b"), ("models", "--json")])
def test_no_server_is_asked(known: Mmai, ollama: FakeOllama, words: tuple[str, ...]) -> None:
    result = known(*words)
    assert result.exit_code == 0
    assert "qwen3:8b" in result.stdout
    assert ollama.journal.paths == []


@pytest.mark.parametrize("options", [(), ("--json",), ("-o", "csv"), ("--provider", "builtin"), ("--no-color", "-o", "md")])
def test_models_alone_is_models_list(known: Mmai, options: tuple[str, ...]) -> None:
    assert known("models", *options) == known("models", "list", *options)


def test_models_has_its_own_help(mmai: Mmai) -> None:
    for flag in ("-h", "--help"):
        assert "rm " in mmai("models", flag).stdout


def test_the_list_says_what_discover_found(known: Mmai) -> None:
    found = known("discover", "--json").json["data"]
    listed = known("models", "--json").json["data"]
    assert listed["models"] == found["models"]
    assert [provider["state"] for provider in listed["providers"]] == ["healthy", "healthy", *["no_key"] * 3, "healthy"]


def test_the_list_can_be_of_one_provider(known: Mmai) -> None:
    rows = list(csv.DictReader(io.StringIO(known("models", "--provider", "ollama", "-o", "csv").stdout)))
    assert len(rows) == 4
    assert {row["provider"] for row in rows} == {"ollama"}


def test_an_unknown_provider_is_an_error_and_not_an_empty_list(known: Mmai) -> None:
    result = known("models", "list", "--provider", "olama")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "`olama`" in result.stderr
    assert "`ollama`" in result.stderr


def test_a_declared_model_is_listed(on: Mmai) -> None:
    on.configure("backends:\n  ollama:\n    models: [mistral:7b]\n")
    assert [model["model"] for model in on("models", "--json").json["data"]["models"]] == ["ollama:mistral:7b"]
    assert on("models", "show", "mistral:7b", "--json").json["data"]["source"] == "configured"


@pytest.mark.parametrize("name", ["ollama:qwen3:8b", "qwen3:8b", "qwen3"])
def test_show_takes_every_spelling_of_a_name(known: Mmai, name: str) -> None:
    data = known("models", "show", name, "--json").json["data"]
    assert (data["model"], data["context_tokens"], data["quantization"]) == ("ollama:qwen3:8b", 40_960, "Q4_K_M")


def test_show_tells_how_its_runs_went(known: Mmai) -> None:
    for _ in range(3):
        known("run", "-m", "qwen3:8b", "hi")
    profile = known("models", "show", "qwen3:8b", "--json").json["data"]["profile"]
    assert (profile["runs"], profile["failures"]) == (3, 0)
    assert profile["ttft_ms"] > 0


@pytest.mark.parametrize("name", ["nope", "ollama:nope", "ollama:nope:1b"])
def test_show_makes_no_facts_up(known: Mmai, ollama: FakeOllama, name: str) -> None:
    result = known("models", "show", name)
    assert (result.exit_code, result.stdout) == (3, "")
    assert name in result.stderr
    assert "mmai discover" in result.stderr
    assert ollama.journal.paths == []


def test_show_of_a_misspelt_name_offers_the_right_one(known: Mmai) -> None:
    result = known("models", "show", "qwen3:9b")
    assert result.exit_code == 3
    assert "did you mean `ollama:qwen3:8b`" in result.stderr


def test_show_of_an_ambiguous_name_lists_the_full_ones(on: Mmai, ollama: FakeOllama) -> None:
    on.configure(f"backends:\n  near:\n    kind: ollama\n    endpoints: [{ollama.url}]\n")
    on("discover")
    result = on("models", "show", "qwen3:8b")
    assert result.exit_code in (2, 3)
    assert "`near:qwen3:8b` or `ollama:qwen3:8b`" in result.stderr


def test_show_of_an_embedded_model_needs_no_discovery(mmai: Mmai) -> None:
    assert mmai("models", "show", "builtin:textrank", "--json").json["data"]["locality"] == "embedded"


def test_rm_in_a_script_deletes_nothing_unless_told_yes(known: Mmai, ollama: FakeOllama) -> None:
    result = known("models", "rm", "qwen3:8b", stdin=b"y\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mmai models rm --yes ollama:qwen3:8b" in result.stderr
    assert "qwen3:8b" in ollama.models


def test_rm_deletes_from_the_server_and_from_the_registry(known: Mmai, ollama: FakeOllama) -> None:
    result = known("models", "rm", "--yes", "qwen3:8b")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"deleted ollama:qwen3:8b from {ollama.url}\n"
    assert "qwen3:8b" not in ollama.models
    assert "qwen3:8b" not in known("models").stdout
    assert known("models", "rm", "-y", "gemma3:4b", "--json").json["data"] == {"removed": "ollama:gemma3:4b"}


def test_rm_of_what_is_gone_already_says_so_and_mends_the_registry(known: Mmai, ollama: FakeOllama) -> None:
    del ollama.models["qwen3:8b"]
    result = known("models", "rm", "--yes", "qwen3:8b")
    assert result.exit_code == 3
    assert "has no model `qwen3:8b`" in result.stderr
    assert "qwen3:8b" not in known("models").stdout


def test_rm_of_an_unknown_model(known: Mmai, ollama: FakeOllama) -> None:
    assert known("models", "rm", "--yes", "nope").exit_code == 3
    assert "DELETE /api/delete" not in ollama.journal.paths


def test_rm_of_an_embedded_model_is_refused(known: Mmai) -> None:
    result = known("models", "rm", "--yes", "builtin:textrank")
    assert result.exit_code == 2
    assert "`builtin` has no models that can be removed" in result.stderr


def test_rm_from_a_server_that_is_down(mmai: Mmai) -> None:
    result = mmai("models", "rm", "--yes", "ollama:qwen3:8b")
    assert result.exit_code == 7
    assert "connection refused" in result.stderr


def test_rm_asks_on_a_terminal(known: Mmai, ollama: FakeOllama) -> None:
    with Screen(known, "models", "rm", "qwen3:8b") as screen:
        screen.until(f"delete ollama:qwen3:8b from {ollama.url}? [y/N]")
        assert "qwen3:8b" in ollama.models
        screen.press("y\n")
        assert screen.end() == 0
    assert "qwen3:8b" not in ollama.models


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_rm_takes_no_for_an_answer(known: Mmai, ollama: FakeOllama, answer: str) -> None:
    with Screen(known, "models", "rm", "qwen3:8b") as screen:
        screen.until("[y/N]")
        screen.press(answer)
        assert screen.end() == 1
        assert "`ollama:qwen3:8b` was not deleted" in screen.text
    assert "qwen3:8b" in ollama.models


def test_rm_is_left_by_ctrl_c_at_the_question(known: Mmai, ollama: FakeOllama) -> None:
    with Screen(known, "models", "rm", "qwen3:8b") as screen:
        screen.until("[y/N]")
        assert screen.end(pressing="\x03") == 130
    assert "qwen3:8b" in ollama.models


def test_a_model_its_provider_retires_is_marked_in_the_list(mmai: Mmai) -> None:
    mmai.configure("backends:\n  openai:\n    models: [gpt-4-turbo, gpt-5.6-luna]\n")
    rows = {row.split()[0]: row for row in mmai("models", "--provider", "openai").stdout.splitlines()}
    assert "deprecated" in rows["openai:gpt-4-turbo"]
    assert "deprecated" not in rows["openai:gpt-5.6-luna"]
