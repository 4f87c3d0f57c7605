"""The fake is honest as far as OpenAI's own Python client is satisfied with it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.openai import FakeOpenAI, event, fault
from fakes.wall import RESET
from openai import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
CLOCK: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}},
}
STRICT: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def a_client(server: FakeOpenAI, key: str = "sk-test") -> OpenAI:
    return OpenAI(base_url=server.base_url, api_key=key, max_retries=0)


@pytest.fixture
def client(openai: FakeOpenAI) -> Iterator[OpenAI]:
    with a_client(openai) as client:
        yield client


def test_it_lists_its_models(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.add("gpt-4", facts={"shutdown_date": "2026-12-01"})
    listed = list(client.models.list())
    assert [model.id for model in listed] == ["gpt-4.1-mini", "gpt-5.6-luna", "text-embedding-3-small", "gpt-4"]
    assert [model.shutdown_date for model in listed] == [None, None, None, "2026-12-01"]
    assert client.models.retrieve("gpt-4").id == "gpt-4"


def test_it_streams_a_chat_with_its_usage_in_a_last_chunk_without_choices(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", "lo", usage=(3, 2), cached_tokens=1)
    chunks = list(
        client.chat.completions.create(model="gpt-4.1-mini", messages=HI, stream=True, stream_options={"include_usage": True})
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens) == (3, 2, 1)


def test_usage_is_streamed_only_to_whoever_asks_for_it(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4.1-mini", messages=HI, stream=True))
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert all(chunk.choices for chunk in chunks)


def test_it_answers_whole_when_streaming_is_off(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", "lo", resolved="gpt-4.1-mini-2025-04-14")
    whole = client.chat.completions.create(model="gpt-4.1-mini", messages=HI)
    assert (whole.choices[0].message.content, whole.model) == ("Hello", "gpt-4.1-mini-2025-04-14")


@pytest.mark.parametrize("streamed", [True, False])
def test_it_calls_tools(client: OpenAI, openai: FakeOpenAI, streamed: bool) -> None:
    openai.streams(tool_calls=[("now", {"zone": "UTC"}), ("now", {"zone": "CET"})])
    if streamed:
        with client.chat.completions.stream(model="gpt-4.1-mini", messages=HI, tools=[CLOCK]) as stream:
            choice: Any = stream.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(model="gpt-4.1-mini", messages=HI, tools=[CLOCK]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == [
        ("call_0", "now", {"zone": "UTC"}),
        ("call_1", "now", {"zone": "CET"}),
    ]


def test_it_refuses(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams(refusal="No.", finish_reason="content_filter")
    choice = client.chat.completions.create(model="gpt-4.1-mini", messages=HI).choices[0]
    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == (None, "No.", "content_filter")


def test_a_strict_schema_must_be_closed(client: OpenAI, openai: FakeOpenAI) -> None:
    def ask(schema: dict[str, Any]) -> str | None:
        wanted: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
        answer = client.chat.completions.create(model="gpt-4.1-mini", messages=HI, response_format=wanted)
        return answer.choices[0].message.content

    assert ask(STRICT) == "Hello there"
    with pytest.raises(BadRequestError, match="additionalProperties"):
        ask({"type": "object", "properties": {"n": {}}})


def test_it_streams_a_response(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", "lo", thinking=("hm",), tool_calls=[("now", {"zone": "UTC"})], usage=(3, 9), reasoning_tokens=4)
    with client.responses.stream(model="gpt-5.6-luna", input="hi") as stream:
        kinds = [happened.type for happened in stream]
        response = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_text.delta") == 2
    assert response.output_text == "Hello"
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens_details.reasoning_tokens) == (3, 4)


def test_it_gives_a_whole_response_and_says_why_it_is_incomplete(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", "lo", times=1)
    assert client.responses.create(model="gpt-5.6-luna", input="hi").output_text == "Hello"
    openai.streams("Hel", finish_reason="length")
    response = client.responses.create(model="gpt-5.6-luna", input="hi")
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_it_embeds(client: OpenAI) -> None:
    answer = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float")
    assert [row.embedding for row in answer.data] == [[0.25, -0.5, 1.0], [0.25, -0.5, 1.0]]
    assert answer.usage.prompt_tokens == 8


def test_a_wrong_key_is_401_everywhere_and_the_right_one_is_not() -> None:
    with FakeOpenAI(key="sk-right") as server:
        with pytest.raises(AuthenticationError) as raised, a_client(server, "sk-wrong") as stranger:
            stranger.models.list()
        assert (raised.value.status_code, raised.value.code) == (401, "invalid_api_key")
        with a_client(server, "sk-right") as client:
            assert list(client.models.list()) == []


def test_an_unknown_model_is_404(client: OpenAI) -> None:
    for call in (
        lambda: client.chat.completions.create(model="nope", messages=HI),
        lambda: client.chat.completions.create(model="nope", messages=HI, stream=True),
        lambda: client.responses.create(model="nope", input="hi"),
        lambda: client.embeddings.create(model="nope", input="hi"),
        lambda: client.models.retrieve("nope"),
    ):
        with pytest.raises(NotFoundError) as raised:
            call()
        assert raised.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, RateLimitError, "rate_limit_exceeded"),
        (429, RateLimitError, "insufficient_quota"),
        (400, BadRequestError, "context_length_exceeded"),
        (500, InternalServerError, "server_error"),
    ],
)
def test_a_scripted_failure_hits_inference_alone(
    client: OpenAI, openai: FakeOpenAI, status: int, kind: type[APIError], code: str
) -> None:
    openai.answers(status, fault("so it is", code=code), headers={"Retry-After": "2"}, times=1)
    with pytest.raises(kind, match="so it is") as raised:
        client.chat.completions.create(model="gpt-4.1-mini", messages=HI)
    assert raised.value.code == code
    assert client.chat.completions.create(model="gpt-4.1-mini", messages=HI).choices[0].message.content == "Hello there"
    assert len(list(client.models.list())) == 3


def test_a_model_that_reasons_takes_other_options(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as raised:
        client.chat.completions.create(model="gpt-5.6-luna", messages=HI, max_tokens=9)
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", "max_tokens")
    with pytest.raises(BadRequestError) as raised:
        client.chat.completions.create(model="gpt-5.6-luna", messages=HI, temperature=0.2)
    assert (raised.value.code, raised.value.param) == ("unsupported_value", "temperature")
    assert client.chat.completions.create(model="gpt-5.6-luna", messages=HI, max_completion_tokens=9).choices


def test_a_model_may_answer_responses_alone(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.add("gpt-6-pro", chats=False)
    with pytest.raises(NotFoundError, match="only supported in v1/responses"):
        client.chat.completions.create(model="gpt-6-pro", messages=HI)
    assert client.responses.create(model="gpt-6-pro", input="hi").output_text == "Hello there"


def test_an_error_within_a_stream_reaches_the_client(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", event(fault("boom", kind="server_error")), done=False)
    with pytest.raises(APIError, match="boom"):
        list(client.chat.completions.create(model="gpt-4.1-mini", messages=HI, stream=True))


def test_a_cut_stream_reaches_the_client(client: OpenAI, openai: FakeOpenAI) -> None:
    openai.streams("Hel", RESET)
    with pytest.raises((APIConnectionError, OSError, Exception), match=r"(?i)connection|reset|peer|read"):
        list(client.chat.completions.create(model="gpt-4.1-mini", messages=HI, stream=True))
