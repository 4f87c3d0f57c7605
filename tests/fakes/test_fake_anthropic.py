"""The fake is honest as far as Anthropic's own Python client is satisfied with it."""

from collections.abc import Iterator

import anthropic as sdk
import pytest
from anthropic.types import MessageParam, TextBlock, ThinkingBlock, ToolUseBlock
from fakes.anthropic import FakeAnthropic, error_body, error_event, usual_models

HI: list[MessageParam] = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


@pytest.fixture
def client(anthropic: FakeAnthropic) -> Iterator[sdk.Anthropic]:
    with sdk.Anthropic(base_url=anthropic.url, api_key="sk-ant-test", max_retries=0) as client:
        yield client


def test_it_lists_its_models_page_by_page(client: sdk.Anthropic, anthropic: FakeAnthropic) -> None:
    models = list(client.models.list(limit=2))
    assert [model.id for model in models] == [model.id for model in usual_models()]
    assert len(anthropic.journal.requests) == 3
    assert (models[0].max_input_tokens, models[0].max_tokens, models[0].line) == (1_000_000, 128_000, "opus")
    assert models[0].capabilities is not None
    assert models[0].capabilities.image_input.supported
    assert not models[0].capabilities.thinking.types.disabled.supported
    assert models[-1].lifecycle == "deprecated"
    assert client.models.retrieve("claude-haiku-4-5").max_tokens == 64_000


def test_it_streams_a_message(client: sdk.Anthropic, anthropic: FakeAnthropic) -> None:
    anthropic.streams("Hel", "lo", thinking=("hm", "m"), tool_calls=[("now", {"zone": "UTC"})], usage=(3, 2), cache=(5, 7))
    with client.messages.stream(model="claude-opus-5-5", max_tokens=100, messages=HI) as stream:
        assert "".join(stream.text_stream) == "Hello"
        message = stream.get_final_message()
    thought, text, call = message.content
    assert isinstance(thought, ThinkingBlock)
    assert isinstance(text, TextBlock)
    assert isinstance(call, ToolUseBlock)
    assert (thought.thinking, text.text, call.name, call.input) == ("hmm", "Hello", "now", {"zone": "UTC"})
    assert thought.signature
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (3, 2)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5, 7)
    assert message.stop_reason == "tool_use"


def test_it_answers_whole_when_streaming_is_off(client: sdk.Anthropic, anthropic: FakeAnthropic) -> None:
    anthropic.streams("Hel", "lo", thinking=("hm",), tool_calls=[("now", {})], usage=(3, 2))
    message = client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=HI)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 2)


def test_it_counts_tokens(client: sdk.Anthropic, anthropic: FakeAnthropic) -> None:
    anthropic.counted = 14
    assert client.messages.count_tokens(model="claude-opus-5-5", messages=HI, system="be brief").input_tokens == 14


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_one_key_is_let_in_under_either_header(header: str) -> None:
    def listed(key: str) -> int:
        own = {"x-api-key": key, "Authorization": sdk.Omit()} if header == "x-api-key" else {}
        with sdk.Anthropic(base_url=server.url, api_key=key, default_headers=own, max_retries=0) as client:  # type: ignore[arg-type]
            return len(client.models.list().data)

    with FakeAnthropic(*usual_models(), key="sk-ant-right") as server:
        assert listed("sk-ant-right") == 5
        assert header.lower() in server.journal.requests[0].headers
        with pytest.raises(sdk.AuthenticationError, match="invalid x-api-key"):
            listed("sk-ant-wrong")


def test_an_unknown_model_is_404_everywhere(client: sdk.Anthropic) -> None:
    for ask in (
        lambda: client.messages.create(model="nope", max_tokens=1, messages=HI),
        lambda: client.messages.count_tokens(model="nope", messages=HI),
        lambda: client.models.retrieve("nope"),
    ):
        with pytest.raises(sdk.NotFoundError) as raised:
            ask()
        assert raised.value.type == "not_found_error"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"max_tokens": 200_000}, "max_tokens: 200000 > 128000"),
        ({"temperature": 0.5}, "`temperature` is deprecated for this model"),
        ({"thinking": {"type": "disabled"}}, "thinking.type.disabled"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "must be non-empty"),
    ],
)
def test_a_request_the_api_does_not_take_is_400(client: sdk.Anthropic, extra: dict[str, object], words: str) -> None:
    with pytest.raises(sdk.BadRequestError, match=words):
        client.messages.create(model="claude-opus-5-5", max_tokens=10, messages=HI, extra_body=extra)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", sdk.BadRequestError),
        (403, "permission_error", sdk.PermissionDeniedError),
        (429, "rate_limit_error", sdk.RateLimitError),
        (500, "api_error", sdk.InternalServerError),
        (529, "overloaded_error", sdk.InternalServerError),
    ],
)
def test_a_scripted_status_hits_messages_alone(
    client: sdk.Anthropic, anthropic: FakeAnthropic, status: int, kind: str, error: type[sdk.APIStatusError]
) -> None:
    anthropic.answers(status, error_body(kind, "no"), times=1)
    with pytest.raises(error) as raised:
        client.messages.create(model="claude-opus-5-5", max_tokens=10, messages=HI)
    assert (raised.value.status_code, raised.value.type) == (status, kind)
    assert len(client.models.list().data) == 5
    assert client.messages.create(model="claude-opus-5-5", max_tokens=10, messages=HI).usage.output_tokens == 15


def test_an_error_event_after_text_reaches_the_client(client: sdk.Anthropic, anthropic: FakeAnthropic) -> None:
    anthropic.streams("Hel", error_event("overloaded_error"), done=False)
    with (
        pytest.raises(sdk.APIStatusError, match="Overloaded"),
        client.messages.stream(model="claude-opus-5-5", max_tokens=10, messages=HI) as stream,
    ):
        list(stream)
