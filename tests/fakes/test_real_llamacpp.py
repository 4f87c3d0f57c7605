"""llama.cpp itself, as the OpenAI SDK sees it: what our own client of the same protocol is then held against."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from fakes.gguf import ANSWER, NAME, write_model
from fakes.llamacpp import LlamaServer

pytest.importorskip("xllamacpp", reason="llama.cpp is not built for this system")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with LlamaServer(tmp_path_factory.mktemp("llamacpp")) as server:
        yield server


@pytest.fixture
def client(server: LlamaServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


def test_the_model_is_small_and_the_same_at_every_writing(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        write_model(tmp_path / name)
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    assert (tmp_path / "a.gguf").stat().st_size < 1_000_000


def test_it_lists_its_model(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [NAME]


def test_it_streams_the_words_of_its_table(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=NAME, messages=[{"role": "user", "content": "hi"}], stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert "".join(pieces) == ANSWER
    assert len(pieces) > 1
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage is not None
    assert last.usage.completion_tokens == len(ANSWER.split()) + 1


def test_it_goes_on_from_the_last_word(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "go on"}], max_tokens=4)
    assert answer.choices[0].message.content == " and on and on"
    assert answer.choices[0].finish_reason == "length"


def test_it_embeds(client: openai.OpenAI) -> None:
    vector = client.embeddings.create(model=NAME, input="Once upon", encoding_format="float").data[0].embedding
    # Two words, each one-hot, averaged and then of length 1.
    assert [round(number, 3) for number in vector if number] == [0.707, 0.707]


def test_a_prompt_beyond_the_context_is_refused(tmp_path: Path) -> None:
    with (
        LlamaServer(tmp_path, context_tokens=256) as small,
        openai.OpenAI(base_url=small.url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="exceeds the available context size"),
    ):
        client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "x" * 1000}])


def test_a_key_is_asked_for(tmp_path: Path) -> None:
    with LlamaServer(tmp_path, key="sk-right-key") as locked:
        with (
            openai.OpenAI(base_url=locked.url, api_key="sk-wrong-key", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "hi"}])
        with openai.OpenAI(base_url=locked.url, api_key="sk-right-key", max_retries=0) as client:
            assert client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "hi"}]).choices


def test_killed_it_is_gone_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    with LlamaServer(tmp_path) as server, openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "go on"}], stream=True)
        next(stream)
        server.kill()
        with pytest.raises(openai.APIConnectionError):
            list(stream)
