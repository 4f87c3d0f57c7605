"""The fake is honest as far as Google's own Python client is satisfied with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.google import FakeGoogle, error, error_info, event, quota_failure, retry_info, usual_models
from google import genai
from google.genai import types
from google.genai.errors import APIError, ClientError, ServerError

MODEL = "gemini-2.5-flash"


def a_client(server: FakeGoogle, key: str = "a-key-of-some-length") -> genai.Client:
    """The real one, which asks once."""
    once = types.HttpOptions(base_url=server.url, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=key, http_options=once)


@pytest.fixture
def client(google: FakeGoogle) -> Iterator[genai.Client]:
    with a_client(google) as client:
        yield client


def test_it_lists_its_models_page_by_page(client: genai.Client, google: FakeGoogle) -> None:
    google.page_size = 3
    listed = list(client.models.list())
    assert [model.name for model in listed] == list(google.models)
    assert listed[0].input_token_limit == 1_048_576
    assert listed[0].supported_actions == ["generateContent", "countTokens"]
    assert len(google.journal.requests) == 3


def test_it_shows_one_model(client: genai.Client) -> None:
    shown = client.models.get(model=MODEL)
    assert (shown.name, shown.output_token_limit, shown.thinking) == (f"models/{MODEL}", 65_536, True)


def test_it_streams_an_answer(client: genai.Client, google: FakeGoogle) -> None:
    google.streams("Hel", "lo", thinking=("hm",), tool_calls=[("now", {"zone": "UTC"})], usage=(3, 2))
    parts = list(client.models.generate_content_stream(model=MODEL, contents="hi"))
    spoken = [part for answer in parts for part in answer.candidates[0].content.parts]  # type: ignore[index,union-attr]
    assert [part.text for part in spoken if part.text and not part.thought] == ["Hel", "lo"]
    assert [part.text for part in spoken if part.thought] == ["hm"]
    calls = [(part.function_call, part.thought_signature) for part in spoken if part.function_call]
    assert [(call.name, call.args, call.id, seal) for call, seal in calls] == [
        ("now", {"zone": "UTC"}, "call-now", b"signature")
    ]
    assert parts[-1].candidates[0].finish_reason == types.FinishReason.STOP  # type: ignore[index]
    assert parts[-1].usage_metadata is not None
    assert (parts[-1].usage_metadata.prompt_token_count, parts[-1].usage_metadata.candidates_token_count) == (3, 2)
    assert parts[-1].model_version == MODEL
    assert google.asked("streamGenerateContent")[0].json["contents"] == [{"parts": [{"text": "hi"}], "role": "user"}]


def test_it_answers_whole(client: genai.Client, google: FakeGoogle) -> None:
    google.streams("Hel", "lo", media=[("image/png", b"\x89PNG")])
    answer = client.models.generate_content(model=MODEL, contents="hi")
    assert answer.candidates is not None
    parts = answer.candidates[0].content.parts  # type: ignore[union-attr]
    assert [part.text for part in parts or ()] == ["Hel", "lo", None]
    assert (parts or [])[2].inline_data == types.Blob(data=b"\x89PNG", mime_type="image/png")


def test_it_takes_what_a_client_may_ask_for(client: genai.Client, google: FakeGoogle) -> None:
    config = types.GenerateContentConfig(system_instruction="be brief", temperature=0.5, response_mime_type="application/json")
    assert client.models.generate_content(model=MODEL, contents="hi", config=config).text == "Hello there"
    asked = google.asked()[0].json
    assert asked["systemInstruction"]["parts"] == [{"text": "be brief"}]
    assert asked["generationConfig"] == {"temperature": 0.5, "responseMimeType": "application/json"}


def test_it_embeds_and_counts(client: genai.Client) -> None:
    texts: list[Any] = ["a", "b"]  # newer versions take fewer kinds of lists than they say
    answer = client.models.embed_content(model="gemini-embedding-001", contents=texts)
    assert [entry.values for entry in answer.embeddings or ()] == [[0.25, -0.5, 1.0]] * 2
    assert client.models.count_tokens(model=MODEL, contents="hi").total_tokens == 26


def test_a_wrong_key_is_refused() -> None:
    with FakeGoogle(*usual_models(), key="the-right-key") as server:
        with a_client(server, "another-key") as client, pytest.raises(ClientError) as raised:
            client.models.generate_content(model=MODEL, contents="hi")
        assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
        assert raised.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
        with a_client(server, "the-right-key") as client:
            assert client.models.generate_content(model=MODEL, contents="hi").text == "Hello there"


def test_an_unknown_model_is_404_everywhere(client: genai.Client) -> None:
    for call in (
        lambda: client.models.get(model="nope"),
        lambda: client.models.generate_content(model="nope", contents="hi"),
        lambda: list(client.models.generate_content_stream(model="nope", contents="hi")),
        lambda: client.models.embed_content(model="nope", contents="hi"),
        lambda: client.models.generate_content(model="gemini-embedding-001", contents="hi"),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("code", "kind"), [(400, ClientError), (403, ClientError), (429, ClientError), (500, ServerError), (503, ServerError)]
)
def test_a_scripted_status_hits_inference_alone(
    client: genai.Client, google: FakeGoogle, code: int, kind: type[APIError]
) -> None:
    google.answers(code, error(code, "not now", retry_info("17s"), quota_failure("PerDay", "50"), error_info("WHY")), times=1)
    with pytest.raises(kind, match="not now"):
        list(client.models.generate_content_stream(model=MODEL, contents="hi"))
    assert client.models.generate_content(model=MODEL, contents="hi").text == "Hello there"
    assert len(list(client.models.list())) == 7


@pytest.mark.parametrize("framed", [True, False])
def test_an_error_after_text_reaches_the_client(client: genai.Client, google: FakeGoogle, framed: bool) -> None:
    busy = error(503, "The model is overloaded. Please try again later.")
    # Google writes it without the frame of an event, over several lines; others in between frame it.
    google.streams("Hel", event(busy) if framed else b'{\n "error": {"code": 503, "message": "overloaded"}\n}\n', done=False)
    with pytest.raises(APIError, match="overloaded"):
        list(client.models.generate_content_stream(model=MODEL, contents="hi"))
