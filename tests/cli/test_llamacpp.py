"""A real llama.cpp server through the real command: found, chosen, streamed from, cut."""

import json
from collections.abc import Iterator

import pytest
from command import PATIENCE_S, Mmai
from fakes.gguf import ANSWER, CYCLE, NAME
from fakes.llamacpp import LlamaServer

pytest.importorskip("xllamacpp", reason="llama.cpp is not built for this system")

REF = f"llamacpp:{NAME}"
RUN = ("run", "-m", REF)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with LlamaServer(tmp_path_factory.mktemp("llamacpp")) as server:
        yield server


@pytest.fixture
def llama(mmai: Mmai, shared: LlamaServer) -> Mmai:
    """The command, with the server in its settings."""
    return configured(mmai, shared)


def configured(mmai: Mmai, server: LlamaServer) -> Mmai:
    mmai.configure(f"backends:\n  llamacpp:\n    endpoint: {server.url}\n")
    return mmai


def test_it_streams_to_the_end(llama: Mmai) -> None:
    assert llama(*RUN, "hi") == (0, f"{ANSWER}\n", "")


def test_the_server_counts_and_the_price_is_nothing(llama: Mmai) -> None:
    data = llama(*RUN, "hi", "--json").json["data"]
    assert (data["text"], data["finish_reason"], data["model"]) == (ANSWER, "stop", REF)
    # Each word is a token, and so is the end; the prompt is a space and two letters.
    assert (data["usage"]["input_tokens"], data["usage"]["output_tokens"]) == (3, len(ANSWER.split()) + 1)
    assert data["usage"].get("estimated", False) is False
    assert data["cost_usd"] == 0


def test_a_token_limit_reaches_it_and_ends_with_nine(llama: Mmai) -> None:
    result = llama(*RUN, "--max-tokens", "3", "hi")
    assert (result.exit_code, result.stdout) == (9, " ".join(ANSWER.split()[:3]) + "\n")


def test_a_conversation_arrives_with_its_system_prompt(llama: Mmai) -> None:
    # The last word it knows is what it goes on from.
    assert llama(*RUN, "-s", "Be brief", "there was one").stdout == " word after another\n"


def test_discovery_lists_it_as_of_this_machine(llama: Mmai, shared: LlamaServer) -> None:
    data = llama("discover", "--json").json["data"]
    row = next(row for row in data["providers"] if row["name"] == "llamacpp")
    assert (row["state"], row["endpoint"]) == ("healthy", shared.url)
    model = next(model for model in llama("models", "--json").json["data"]["models"] if model["name"] == NAME)
    assert (model["provider"], model["locality"]) == ("llamacpp", "local")
    assert NAME in llama("models").stdout


def test_it_may_be_chosen(llama: Mmai) -> None:
    result = llama("select", "--local-only", "--provider", "llamacpp", "why is the sky blue?", "--json")
    assert result.json["data"]["choice"] == REF
    assert llama("run", "--local-only", "--provider", "llamacpp", "hi").stdout == f"{ANSWER}\n"


def test_it_embeds_where_the_settings_say_that_it_can(mmai: Mmai, shared: LlamaServer) -> None:
    model = {"name": NAME, "capabilities": ["embedding"]}
    mmai.configure(json.dumps({"backends": {"llamacpp": {"endpoint": shared.url, "models": [model]}}}))
    result = mmai(*RUN, "Once upon")
    assert result.exit_code == 0, result.stderr
    assert [round(number, 3) for number in json.loads(result.stdout) if number] == [0.707, 0.707]


def test_a_prompt_beyond_its_context_is_named(mmai: Mmai, tmp_path_factory: pytest.TempPathFactory) -> None:
    with LlamaServer(tmp_path_factory.mktemp("small"), context_tokens=256) as small:
        result = configured(mmai, small)(*RUN, "x" * 1_000, "--json")
    assert (result.exit_code, result.json["error"]["code"]) == (8, "context_length_exceeded")
    assert "256" in result.json["error"]["message"]


def test_a_wrong_key_is_refused_and_the_right_one_let_in(mmai: Mmai, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = "sk-llama-0123456789"
    with LlamaServer(tmp_path_factory.mktemp("locked"), key=key) as locked:
        command = configured(mmai, locked)
        result = command(*RUN, "hi")
        assert result.exit_code == 4
        assert result.stderr.endswith("hint: mmai keys set llamacpp\n")
        command("keys", "set", "llamacpp", stdin=key.encode())
        assert command(*RUN, "hi").stdout == f"{ANSWER}\n"


def test_killed_in_the_middle_it_leaves_what_came(mmai: Mmai, tmp_path_factory: pytest.TempPathFactory) -> None:
    with LlamaServer(tmp_path_factory.mktemp("killed")) as server:
        process = configured(mmai, server).start(*RUN, "go on")
        assert process.stdout is not None
        text = process.stdout.read(20)
        server.kill()
        # Not communicate(): it reads past the buffer.
        text += process.stdout.read()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 9
    assert set(text.decode().split()) == {word.strip() for word in CYCLE}
    assert stderr.startswith(b"error: `127.0.0.1:")


def test_gone_it_is_said_how_to_start_it(mmai: Mmai, tmp_path_factory: pytest.TempPathFactory) -> None:
    with LlamaServer(tmp_path_factory.mktemp("gone")) as server:
        command = configured(mmai, server)
    result = command(*RUN, "hi")
    assert result.exit_code == 7
    assert "hint: llama-server" in result.stderr
