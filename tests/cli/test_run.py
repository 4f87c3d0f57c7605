"""`mmai run` against a server that works."""

import base64
import json
from pathlib import Path

import pytest
from command import Mmai
from fakes.ollama import FakeOllama

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def sent(ollama: FakeOllama) -> dict[str, object]:
    return dict(ollama.journal.of("/api/chat")[-1].json)


def test_the_answer_alone_is_on_stdout(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo")
    result = on("run", "-m", "ollama:llama3.2:3b", "hi")
    assert result == (0, "Hello\n", "")


def test_an_answer_that_ends_in_a_newline_gets_no_second_one(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("a\n", "b\n")
    assert on("run", "-m", "ollama:llama3.2:3b", "hi").stdout == "a\nb\n"


def test_a_named_model_is_asked_and_nothing_is_probed(on: Mmai, ollama: FakeOllama) -> None:
    on("run", "-m", "ollama:llama3.2:3b", "hi")
    assert ollama.journal.paths == ["POST /api/chat"]


def test_stdin_comes_before_the_prompt_with_a_blank_line_between(on: Mmai, ollama: FakeOllama) -> None:
    on("run", "-m", "ollama:llama3.2:3b", "sum", "it", stdin=b"DATA\n")
    assert sent(ollama)["messages"] == [{"role": "user", "content": "DATA\n\nsum it"}]


def test_a_file_stands_between_stdin_and_the_prompt(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("FILE\n")
    on("run", "-m", "ollama:llama3.2:3b", "-f", "notes.txt", "-s", "be brief", "go", stdin=b"DATA")
    assert sent(ollama)["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "DATA\n\nFILE\n\n\ngo"},
    ]


def test_an_image_is_recognised_by_its_content(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(PNG)
    on("discover")
    assert on("run", "-m", "ollama:gemma3:4b", "-a", "picture.txt", "what is this?").exit_code == 0
    assert sent(ollama)["messages"] == [
        {"role": "user", "content": "what is this?", "images": [base64.b64encode(PNG).decode()]}
    ]


def test_an_image_for_a_model_without_eyes_is_refused_before_sending(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(PNG)
    on("discover")
    result = on("run", "-m", "ollama:llama3.2:3b", "-a", "picture.png", "what is this?")
    assert result.exit_code == 3
    assert "llama3.2:3b" in result.stderr
    assert not ollama.journal.of("/api/chat")


def test_tuning_reaches_the_server_under_its_own_names(on: Mmai, ollama: FakeOllama) -> None:
    on(
        *[
            "run",
            "-m",
            "ollama:llama3.2:3b",
            "-t",
            "0.2",
            "--max-tokens",
            "40",
            "--stop",
            "END",
            "--seed",
            "7",
            "-O",
            "num_ctx=8192",
            "-O",
            "keep_alive=10m",
            "hi",
        ]
    )
    body = sent(ollama)
    assert body["options"] == {"temperature": 0.2, "num_predict": 40, "stop": ["END"], "seed": 7, "num_ctx": 8192}
    assert body["keep_alive"] == "10m"


def test_an_automatic_choice_is_named_on_stderr(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("4")
    result = on("run", "what is 2+2?")
    assert (result.exit_code, result.stdout) == (0, "4\n")
    assert "ollama:" in result.stderr


def test_quiet_says_nothing(on: Mmai, ollama: FakeOllama) -> None:
    assert on("run", "-q", "what is 2+2?").stderr == ""


def test_a_bare_name_is_enough_when_only_one_provider_has_it(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("ok")
    assert on("run", "-m", "gemma3:4b", "hi").stdout == "ok\n"


def test_reasoning_goes_to_stderr(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("4", thinking=["two and ", "two"])
    result = on("run", "-m", "ollama:qwen3:8b", "2+2?")
    assert result.stdout == "4\n"
    assert "two and two" in result.stderr


def test_json_has_every_promised_field(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hello", usage=(26, 259))
    result = on("run", "-m", "ollama:llama3.2:3b", "hi", "--json")
    data = result.json["data"]
    assert result.json["status"] == "ok"
    assert (data["text"], data["model"], data["finish_reason"]) == ("Hello", "ollama:llama3.2:3b", "stop")
    assert data["usage"]["input_tokens"] == 26
    assert data["usage"]["output_tokens"] == 259
    assert data["cost_usd"] == 0.0
    assert set(data["timings"]) == {"startup_ms", "ttft_ms", "total_ms"}
    assert [attempt["model"] for attempt in data["attempts"]] == ["ollama:llama3.2:3b"]
    assert {"model", "endpoint", "class", "status", "ms"} <= set(data["attempts"][0])


def test_jsonl_streams_an_object_a_line_and_ends_with_the_whole(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo")
    lines = [json.loads(line) for line in on("run", "-m", "ollama:llama3.2:3b", "hi", "-o", "jsonl").stdout.splitlines()]
    assert [line["text"] for line in lines if line["type"] == "text"] == ["Hel", "lo"]
    assert lines[-1]["type"] == "result"
    assert lines[-1]["text"] == "Hello"


def test_no_stream_prints_the_same(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo")
    assert on("run", "-m", "ollama:llama3.2:3b", "hi", "--no-stream").stdout == "Hello\n"


def test_a_schema_in_short_form_is_sent_and_checked(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams('{"name": "Ada",', ' "age": 36}')
    result = on("run", "-m", "ollama:llama3.2:3b", "--schema", "name, age int", "who?")
    assert json.loads(result.stdout) == {"name": "Ada", "age": 36}
    assert sent(ollama)["format"]["properties"]["age"] == {"type": "integer"}  # type: ignore[index]


def test_an_answer_that_breaks_the_schema_is_not_printed(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams('{"name": "Ada", "age": "old"}')
    result = on("run", "-m", "ollama:llama3.2:3b", "--schema", "name, age int", "who?")
    assert (result.exit_code, result.stdout) == (10, "")
    assert "age" in result.stderr


def test_extract_prints_the_first_code_block(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Here:\n```sh\nls", " -l\n```\nand\n```sh\nrm x\n```\n")
    assert on("run", "-m", "ollama:llama3.2:3b", "-x", "how?").stdout == "ls -l\n"


def test_usage_says_tokens_cost_and_speed(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Hello", usage=(26, 259))
    result = on("run", "-m", "ollama:llama3.2:3b", "-u", "hi")
    assert result.stdout == "Hello\n"
    assert "26" in result.stderr
    assert "259" in result.stderr
    assert "$0" in result.stderr


def test_dry_run_shows_the_request_and_sends_none(on: Mmai, ollama: FakeOllama) -> None:
    result = on("run", "-m", "ollama:llama3.2:3b", "--dry-run", "hi")
    assert result.exit_code == 0
    assert "/api/chat" in result.stdout
    assert '"hi"' in result.stdout
    assert ollama.journal.paths == []


def test_an_embedding_model_gives_a_vector(on: Mmai, ollama: FakeOllama) -> None:
    on("discover")
    result = on("run", "-m", "ollama:nomic-embed-text", "hi")
    assert json.loads(result.stdout) == [0.25, -0.5, 1.0]


def test_the_next_decision_knows_how_the_last_run_went(on: Mmai, ollama: FakeOllama) -> None:
    for _ in range(3):
        on("run", "-m", "ollama:llama3.2:3b", "hi")
    result = on("select", "--json", "--explain", "what is 2+2?")
    reasons = {row["model"]: row for row in result.json["data"]["candidates"]}
    assert reasons["ollama:llama3.2:3b"]["terms"]["reliability"] > reasons["ollama:gemma3:4b"]["terms"]["reliability"]


def test_a_fresh_machine_summarises_with_what_ships(mmai: Mmai, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text(
        "The bridge was opened in 1932 after eight years of work. Its arch carries rail, road and foot traffic across the "
        "harbour. Steel for the arch came from two mills. The arch is painted every five years by a crew of a hundred. "
        "Visitors may climb the arch, and most of them do so at dusk. The toll pays for the paint."
    )
    result = mmai("run", "summarise in two sentences", "-f", "report.txt")
    assert result.exit_code == 0
    assert "arch" in result.stdout
    assert "builtin:textrank" in result.stderr


def test_a_task_nothing_here_can_do_ends_with_the_next_command(mmai: Mmai) -> None:
    result = mmai("run", "write a python function that reverses a list")
    assert result.exit_code == 3
    assert "hint: " in result.stderr
    assert "ollama" in result.stderr


def test_an_ambiguous_or_unknown_model_names_what_there_is(on: Mmai) -> None:
    result = on("run", "-m", "gemma9", "hi")
    assert result.exit_code == 3
    assert "gemma9" in result.stderr
    assert "ollama:gemma3:4b" in result.stderr


def test_a_configured_key_goes_to_its_server_and_nowhere_else(on: Mmai, ollama: FakeOllama) -> None:
    on.configure("backends:\n  ollama:\n    api_key: ${GATE_KEY}\n")
    result = on("run", "-v", "-m", "ollama:llama3.2:3b", "hi", "--dry-run", env={"GATE_KEY": "s3cret-key"})
    shown = on("run", "-v", "-m", "ollama:llama3.2:3b", "hi", env={"GATE_KEY": "s3cret-key"})
    assert ollama.journal.of("/api/chat")[0].headers["authorization"] == "Bearer s3cret-key"
    assert "s3cret" not in result.stdout + result.stderr + shown.stdout + shown.stderr
    assert not [path for path in on.home.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]


@pytest.mark.parametrize(
    ("ref", "way"),
    [
        ("groq:llama", "`GROQ_API_KEY` is not set, and the settings have no `groq:` under `backends`"),
        ("lmstudio:qwen", "the settings have no `lmstudio:` under `backends`"),
    ],
)
def test_a_known_provider_that_is_not_configured_says_what_would_bring_it_in(mmai: Mmai, ref: str, way: str) -> None:
    result = mmai("run", "hi", "-m", ref)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"error: `{ref.partition(':')[0]}` is not configured: {way}\nhint: mmai config edit\n"


def test_an_empty_answer_is_said_to_be_empty(on: Mmai, ollama: FakeOllama) -> None:
    ollama.streams(thinking=("hm",))
    result = on("run", "-m", "ollama:qwen3:8b", "hi")
    assert (result.exit_code, result.stdout.strip()) == (0, "")
    assert "warning: `ollama:qwen3:8b` answered with nothing\n" in result.stderr
