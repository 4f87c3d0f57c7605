"""`mmai discover`: everything at once, whatever some of it does."""

import csv
import io
import json
import signal
import stat
from collections.abc import Iterator
from typing import Any

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import FakeModel, FakeOllama, usual_models
from fakes.wall import SILENCE, Gate, Wall, whole


@pytest.fixture
def configured(mmai: Mmai, ollama: FakeOllama, wall: Wall, nowhere: str) -> Mmai:
    """Three servers of one provider: a fake Ollama, the wall, and one that refuses."""
    del mmai.env["OLLAMA_HOST"]
    mmai.configure(f"backends:\n  ollama:\n    endpoints: [{wall.url}, {ollama.url}, {nowhere}]\n")
    return mmai


@pytest.fixture
def second() -> Iterator[FakeOllama]:
    """Another Ollama."""
    with FakeOllama(FakeModel("phi4:14b"), FakeModel("llama3.2:3b")) as server:
        yield server


def row(data: dict[str, Any], endpoint: str | None) -> dict[str, Any]:
    [found] = [provider for provider in data["providers"] if provider["endpoint"] == endpoint]
    return dict(found)


def test_the_models_of_every_server_are_listed(mmai: Mmai, ollama: FakeOllama, second: FakeOllama) -> None:
    del mmai.env["OLLAMA_HOST"]
    mmai.configure(f"backends:\n  ollama:\n    endpoints: [{ollama.url}, {second.url}]\n")
    models = {model["model"]: model for model in mmai("discover", "--json").json["data"]["models"]}
    assert models["ollama:qwen3:8b"]["endpoints"] == [ollama.url]
    assert models["ollama:phi4:14b"]["endpoints"] == [second.url]
    assert models["ollama:llama3.2:3b"]["endpoints"] == [ollama.url, second.url]


def test_all_are_asked_at_the_same_time(mmai: Mmai, ollama: FakeOllama, second: FakeOllama) -> None:
    del mmai.env["OLLAMA_HOST"]
    mmai.configure(f"backends:\n  ollama:\n    endpoints: [{ollama.url}, {second.url}]\n")
    gates = {ollama: Gate(), second: Gate()}
    for server, gate in gates.items():
        server.says(gate, whole(200, {"version": "0.33.0"}), path="/api/version")
    process = mmai.start("discover")
    for gate in gates.values():
        gate.wait_reached()
    for gate in gates.values():
        gate.open()
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout.count(b"unreachable")) == (0, 0)


def test_one_that_never_answers_hides_nobody_else(configured: Mmai, wall: Wall) -> None:
    wall.says(SILENCE)
    result = configured("discover", "--json")
    data = result.json["data"]
    assert result.exit_code == 0
    assert "ollama:qwen3:8b" in [model["model"] for model in data["models"]]
    assert (row(data, wall.url)["state"], row(data, wall.url)["models"]) == ("unreachable", None)
    assert "2 s" in row(data, wall.url)["reason"]
    wall.journal.wait_hangups()


def test_one_that_drips_is_given_up_on_as_a_whole(configured: Mmai, wall: Wall) -> None:
    wall.says(b"HTTP/1.1 200 OK\r\n", b"X-Wait: 1\r\n", SILENCE)
    assert row(configured("discover", "--json").json["data"], wall.url)["state"] == "unreachable"


def test_one_that_refuses_is_a_row_with_its_reason(configured: Mmai, wall: Wall, nowhere: str) -> None:
    wall.answers(500)
    refused = row(configured("discover", "--json").json["data"], nowhere)
    assert refused["state"] == "unreachable"
    assert "connection refused" in refused["reason"]


@pytest.mark.parametrize(
    ("status", "body", "state", "reason"),
    [
        (500, {"error": "out of files"}, "failing", "out of files"),
        (502, "<html><body>nginx</body></html>", "failing", "502"),
        (200, "<html><body>hello</body></html>", "failing", "web page"),
        (200, b'{"models": [', "failing", '{"models": ['),
        (200, b"", "failing", "empty"),
        (200, {"version": 3, "models": [{"name": 3}]}, "failing", '"models"'),
        (401, {"error": "who are you?"}, "unauthorized", "who are you?"),
        (404, "404 page not found", "failing", "404"),
    ],
)
def test_one_that_fails_is_a_row_with_its_reason(
    configured: Mmai, wall: Wall, status: int, body: object, state: str, reason: str
) -> None:
    wall.answers(status, body)
    result = configured("discover", "--json")
    found = row(result.json["data"], wall.url)
    assert (result.exit_code, found["state"]) == (0, state)
    assert reason in found["reason"]
    assert "ollama:qwen3:8b" in [model["model"] for model in result.json["data"]["models"]]


def test_a_dead_server_is_shown_to_people_and_spreadsheets_alike(mmai: Mmai, nowhere: str) -> None:
    assert "unreachable: cannot connect to" in mmai("discover").stdout
    last = list(csv.DictReader(io.StringIO(mmai("discover", "-o", "csv").stdout)))[-1]
    assert (last["provider"], last["model"]) == ("ollama", "")
    assert nowhere.removeprefix("http://") in last["health"]


def test_a_server_that_went_away_keeps_its_models(on: Mmai, ollama: FakeOllama) -> None:
    on("discover")
    ollama.answers(500, {"error": "broken"}, path="/api/tags")
    result = on("discover", "--json")
    models = {model["model"]: model for model in result.json["data"]["models"]}
    assert models["ollama:qwen3:8b"]["health"] == "failing"
    assert result.stderr.splitlines()[0] == "nothing new"


def test_what_is_new_changed_and_gone_is_said(on: Mmai, ollama: FakeOllama) -> None:
    assert (
        on("discover", "ollama").stderr
        == "4 new (ollama:gemma3:4b, ollama:llama3.2:3b, ollama:nomic-embed-text:latest, and 1 more)\n"
    )
    assert on("discover", "ollama").stderr == "nothing new\n"
    ollama.add("phi4:14b")
    ollama.add("gemma3:4b", context_tokens=8192, described=True)
    del ollama.models["llama3.2:3b"]
    result = on("discover", "ollama", "--json")
    assert result.stderr == "1 new (ollama:phi4:14b), 1 changed (ollama:gemma3:4b), 1 gone (ollama:llama3.2:3b)\n"
    changes = result.json["data"]["changes"]
    assert (changes["new"], changes["gone"]) == (["ollama:phi4:14b"], ["ollama:llama3.2:3b"])
    assert "context_tokens" in changes["changed"]["ollama:gemma3:4b"]


def test_json_has_every_promised_field(on: Mmai, ollama: FakeOllama) -> None:
    result = on("discover", "--json")
    assert (result.json["version"], result.json["command"], result.json["status"]) == (1, "discover", "ok")
    assert (result.json["warnings"], result.json["error"]) == ([], None)
    data = result.json["data"]
    assert {"name", "endpoint", "state", "reason", "ms"} <= set(data["providers"][0])
    found = row(data, ollama.url)
    assert (found["name"], found["state"], found["reason"], found["models"]) == ("ollama", "healthy", None, 4)
    assert found["ms"] > 0
    [model] = [model for model in data["models"] if model["model"] == "ollama:gemma3:4b"]
    assert (model["context_tokens"], model["size_bytes"], model["locality"]) == (131_072, 3_338_801_804, "local")
    assert "vision" in model["capabilities"]


def test_services_without_a_key_are_a_line_together_and_a_row_alone(on: Mmai) -> None:
    result = on("discover")
    assert "no key for openai, anthropic, google: `mmai keys set openai`" in result.stderr
    assert "openai" not in result.stdout
    alone = on("discover", "openai", "-o", "plain").stdout
    assert "no key for `openai`: `OPENAI_API_KEY` is not set, and none is kept" in alone
    states = {row["name"]: row["state"] for row in on("discover", "--json").json["data"]["providers"]}
    assert states == {
        "builtin": "healthy",
        "ollama": "healthy",
        "coreml": "healthy",
        "openai": "no_key",
        "anthropic": "no_key",
        "google": "no_key",
    }


def test_every_form_lists_the_same_models(on: Mmai) -> None:
    names = [model["model"] for model in on("discover", "--json").json["data"]["models"]]
    lines = on("discover", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["model"] for line in lines] == names
    assert [row["model"] for row in csv.DictReader(io.StringIO(on("discover", "-o", "csv").stdout))] == names
    for form in ("plain", "table"):
        assert [line.split()[0] for line in on("discover", "-o", form).stdout.splitlines()[-8:]] == names
    markdown = on("discover", "-o", "md").stdout.splitlines()
    assert [line.split("|")[1].strip() for line in markdown[-8:]] == names


def test_one_provider_is_asked_when_it_is_named(on: Mmai, ollama: FakeOllama) -> None:
    data = on("discover", "builtin", "--json").json["data"]
    assert {model["provider"] for model in data["models"]} == {"builtin"}
    assert [provider["name"] for provider in data["providers"]] == ["builtin"]
    assert ollama.journal.paths == []


def test_an_unknown_provider_is_named_with_those_there_are(on: Mmai, ollama: FakeOllama) -> None:
    result = on("discover", "olama")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr.splitlines()[0]
        == "error: no provider `olama` is configured: there are `anthropic`, `builtin`, `coreml`, `google`, `ollama`, `openai`"
    )
    assert ollama.journal.paths == []


def test_what_runs_elsewhere_is_told_apart(on: Mmai, ollama: FakeOllama) -> None:
    ollama.add("glm-4.6:cloud", remote_host="https://ollama.com", described=True)
    models = {model["model"]: model["locality"] for model in on("discover", "--json").json["data"]["models"]}
    assert models["ollama:glm-4.6:cloud"] == "cloud"
    assert models["ollama:qwen3:8b"] == "local"
    rows = {row["model"]: row["where"] for row in csv.DictReader(io.StringIO(on("models", "-o", "csv").stdout))}
    assert rows["ollama:glm-4.6:cloud"] == "cloud"
    [shown] = [line for line in on("discover").stdout.splitlines() if "glm-4.6" in line]
    assert " cloud " in shown
    assert "this machine" not in shown


def test_the_registry_is_for_its_owner_alone(on: Mmai) -> None:
    on("discover")
    for name in ("registry.json", "registry.json.bak"):
        assert stat.S_IMODE((on.home / "mmai" / name).stat().st_mode) == 0o600


def test_a_server_with_200_models_is_listed_whole(mmai: Mmai) -> None:
    with FakeOllama(*(FakeModel(f"model-{number}:1b") for number in range(200))) as server:
        mmai.env["OLLAMA_HOST"] = server.url
        data = mmai("discover", "--json").json["data"]
    models = [model for model in data["models"] if model["provider"] == "ollama"]
    assert len(models) == 200
    assert all(model["context_tokens"] == 131_072 for model in models)


def test_quiet_says_nothing(on: Mmai) -> None:
    assert on("discover", "-q").stderr == ""


@pytest.mark.parametrize("interval", ["0", "0.5s", "soon", "-1", ""])
def test_an_interval_that_is_none_is_refused(on: Mmai, ollama: FakeOllama, interval: str) -> None:
    result = on("discover", f"--watch={interval}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"`--watch {interval}`" in result.stderr
    assert ollama.journal.paths == []


def test_watch_says_what_differs_until_interrupted(on: Mmai, ollama: FakeOllama) -> None:
    process = on.start("discover", "ollama", "--watch", "1", "-o", "jsonl")
    assert process.stdout is not None
    assert process.stderr is not None
    first = {json.loads(process.stdout.readline())["model"] for _ in usual_models()}
    assert first == {f"ollama:{name}" for name in ollama.models}
    assert process.stderr.readline().startswith(b"4 new")
    ollama.add("phi4:14b")
    second = {json.loads(process.stdout.readline())["model"] for _ in range(5)}
    assert second - first == {"ollama:phi4:14b"}
    assert process.stderr.readline() == b"1 new (ollama:phi4:14b)\n"
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout) == (130, b"")
    assert stderr == b"error: interrupted\n"


def test_watch_notices_a_server_that_goes_away(on: Mmai, ollama: FakeOllama) -> None:
    process = on.start("discover", "ollama", "--watch", "1", "--json")
    assert process.stdout is not None
    assert row(json.loads(process.stdout.readline())["data"], ollama.url)["state"] == "healthy"
    ollama.answers(500, {"error": "broken"}, path="/api/version")
    ollama.answers(500, {"error": "broken"}, path="/api/tags")
    assert row(json.loads(process.stdout.readline())["data"], ollama.url)["state"] == "failing"
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
