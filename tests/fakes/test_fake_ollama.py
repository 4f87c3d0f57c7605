"""The fake is honest as far as Ollama's own Python client is satisfied with it."""

from collections.abc import Iterator

import pytest
from fakes.ollama import FakeOllama, Layer
from fakes.wall import Gate
from ollama import Client, ResponseError


@pytest.fixture
def client(ollama: FakeOllama) -> Iterator[Client]:
    client = Client(ollama.url)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def test_it_lists_and_shows_its_models(client: Client) -> None:
    listed = client.list().models
    assert [model.model for model in listed] == ["llama3.2:3b", "qwen3:8b", "gemma3:4b", "nomic-embed-text:latest"]
    assert listed[0].size == 2_019_393_189
    shown = client.show("gemma3:4b")
    assert shown.capabilities == ["completion", "vision"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["gemma3.context_length"] == 131_072


def test_it_streams_a_chat(client: Client, ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo", thinking=("hm",), tool_calls=[("now", {"zone": "UTC"})], usage=(3, 2))
    parts = list(client.chat("qwen3:8b", [{"role": "user", "content": "hi"}], stream=True))
    assert "".join(part.message.content or "" for part in parts) == "Hello"
    assert parts[0].message.thinking == "hm"
    assert parts[-2].message.tool_calls is not None
    assert parts[-2].message.tool_calls[0].function.arguments == {"zone": "UTC"}
    assert (parts[-1].done, parts[-1].done_reason, parts[-1].prompt_eval_count, parts[-1].eval_count) == (True, "stop", 3, 2)
    assert ollama.journal.of("/api/chat")[0].json["messages"] == [{"role": "user", "content": "hi"}]


def test_it_answers_whole_when_streaming_is_off(client: Client, ollama: FakeOllama) -> None:
    ollama.streams("Hel", "lo")
    assert client.generate("llama3.2:3b", "hi").response == "Hello"
    assert client.chat("llama3.2:3b", [{"role": "user", "content": "hi"}]).message.content == "Hello"


def test_it_embeds(client: Client) -> None:
    assert client.embed("nomic-embed-text", ["a", "b"]).embeddings == [[0.25, -0.5, 1.0], [0.25, -0.5, 1.0]]


def test_a_model_comes_into_memory_and_leaves_it(client: Client) -> None:
    assert client.generate("llama3.2:3b").done_reason == "load"
    assert [model.model for model in client.ps().models] == ["llama3.2:3b"]
    assert client.generate("llama3.2:3b", keep_alive=0).done_reason == "unload"
    assert client.ps().models == []


def test_a_cancelled_pull_goes_on_where_it_stopped(client: Client, ollama: FakeOllama) -> None:
    gate = ollama.library.pauses[3] = Gate()
    ollama.library.models["tiny:1b"] = (Layer("sha256:" + "ab" * 32, 400), Layer("sha256:" + "cd" * 32, 4))
    pulling = client.pull("tiny:1b", stream=True)
    assert [next(pulling).completed for _ in range(3)] == [None, None, 100]
    pulling.close()  # type: ignore[attr-defined]  # a generator, typed as an iterator
    ollama.journal.wait_hangups()
    gate.open()
    del ollama.library.pauses[3]
    lines = [(line.status, line.completed) for line in client.pull("tiny:1b", stream=True)]
    assert lines[2] == ("pulling abababababab", 200)
    assert lines[-1] == ("success", None)
    assert "tiny:1b" in ollama.models


def test_a_deleted_model_is_gone(client: Client) -> None:
    assert client.delete("qwen3:8b").status == "success"
    assert "qwen3:8b" not in [model.model for model in client.list().models]


def test_an_unknown_model_is_404_everywhere(client: Client) -> None:
    for call in (
        lambda: client.show("nope"),
        lambda: client.chat("nope", [{"role": "user", "content": "hi"}]),
        lambda: list(client.chat("nope", [{"role": "user", "content": "hi"}], stream=True)),
        lambda: client.embed("nope", "a"),
        lambda: client.delete("nope"),
    ):
        with pytest.raises(ResponseError) as raised:
            call()
        assert raised.value.status_code == 404
        assert raised.value.error == "model 'nope' not found"
    with pytest.raises(ResponseError, match="file does not exist"):
        list(client.pull("nope", stream=True))


def test_a_scripted_status_hits_inference_alone(client: Client, ollama: FakeOllama) -> None:
    ollama.answers(503, {"error": "server busy"}, times=1)
    with pytest.raises(ResponseError, match="server busy"):
        client.generate("llama3.2:3b", "hi")
    assert client.generate("llama3.2:3b", "hi").response == "Hello there"
    assert len(client.list().models) == 4


def test_an_error_line_after_text_reaches_the_client(client: Client, ollama: FakeOllama) -> None:
    ollama.streams("Hel", b'{"error":"boom"}\n', done=False)
    with pytest.raises(ResponseError, match="boom"):
        list(client.generate("llama3.2:3b", "hi", stream=True))
