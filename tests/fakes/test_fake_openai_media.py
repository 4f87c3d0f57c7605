"""The fake that makes images, listens and speaks is honest as far as OpenAI's own SDK is satisfied with it."""

import base64
from collections.abc import Iterator

import pytest
from fakes.openai_media import HEARD, JPEG, MP3, PNG, WEBP, OpenAIMedia, form, usual_models
from openai import BadRequestError, OpenAI, RateLimitError


@pytest.fixture
def server() -> Iterator[OpenAIMedia]:
    with OpenAIMedia(*usual_models(), key="sk-test") as server:
        yield server


@pytest.fixture
def client(server: OpenAIMedia) -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def test_it_draws_in_the_form_and_number_asked_for(client: OpenAI) -> None:
    answer = client.images.generate(model="gpt-image-2", prompt="a cat", n=2, output_format="webp", quality="low")
    assert answer.data is not None
    assert [base64.b64decode(image.b64_json or "") for image in answer.data] == [WEBP, WEBP]
    assert (answer.output_format, answer.quality) == ("webp", "low")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (12, 1056, 1068)


def test_the_retired_model_sends_addresses_unless_told_not_to(client: OpenAI) -> None:
    assert (client.images.generate(model="dall-e-3", prompt="a cat").data or [])[0].url
    whole = client.images.generate(model="dall-e-3", prompt="a cat", response_format="b64_json")
    assert base64.b64decode((whole.data or [])[0].b64_json or "") == PNG


@pytest.mark.parametrize(
    ("model", "field", "value"), [("gpt-image-2", "response_format", "b64_json"), ("dall-e-3", "output_format", "png")]
)
def test_each_refuses_the_others_field(client: OpenAI, model: str, field: str, value: str) -> None:
    with pytest.raises(BadRequestError, match="Unknown parameter") as raised:
        client.images.generate(model=model, prompt="a cat", extra_body={field: value})
    assert raised.value.param == field


def test_it_takes_images_to_start_from(client: OpenAI, server: OpenAIMedia) -> None:
    images = [("a.png", PNG, "image/png"), ("b.jpg", JPEG, "image/jpeg")]
    answer = client.images.edit(model="gpt-image-2", prompt="a hat", image=images)
    assert len(answer.data or []) == 1
    sent = form(server.journal.of("/v1/images/edits")[0])
    assert [(image.filename, image.data) for image in sent["image[]"]] == [("a.png", PNG), ("b.jpg", JPEG)]
    assert sent["prompt"][0].text == "a hat"


def test_it_transcribes_and_counts_as_the_model_is_billed(client: OpenAI) -> None:
    by_time = client.audio.transcriptions.create(model="whisper-1", file=("talk.mp3", MP3))
    assert by_time.text == HEARD
    assert by_time.usage is not None
    assert by_time.usage.type == "duration"
    assert by_time.usage.seconds == 3.0
    by_tokens = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("talk.mp3", MP3)).usage
    assert by_tokens is not None
    assert by_tokens.type == "tokens"
    assert (by_tokens.input_tokens, by_tokens.output_tokens) == (30, 9)


def test_it_transcribes_in_other_forms(client: OpenAI) -> None:
    text = client.audio.transcriptions.create(model="whisper-1", file=("talk.mp3", MP3), response_format="text")
    assert text == f"{HEARD}\n"  # the SDK types it as a value, and gives the text
    longer = client.audio.transcriptions.create(model="whisper-1", file=("talk.mp3", MP3), response_format="verbose_json")
    assert (longer.text, longer.duration) == (HEARD, 3.0)


def test_a_recording_of_no_known_form_is_refused(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="Unrecognized file format"):
        client.audio.transcriptions.create(model="whisper-1", file=("talk", MP3))


def test_it_speaks(client: OpenAI) -> None:
    answer = client.audio.speech.create(model="gpt-4o-mini-tts", input="hello", voice="alloy")
    assert answer.content == MP3
    assert answer.response.headers["content-type"] == "audio/mpeg"
    flac = client.audio.speech.create(model="gpt-4o-mini-tts", input="hello", voice="alloy", response_format="flac")
    assert flac.content.startswith(b"fLaC")


def test_speech_without_words_is_refused(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as raised:
        client.audio.speech.create(model="gpt-4o-mini-tts", input="", voice="alloy")
    assert raised.value.param == "input"


def test_a_scripted_status_reaches_the_client(client: OpenAI, server: OpenAIMedia) -> None:
    server.answers(429, {"error": {"message": "slow down", "type": "requests"}}, headers={"Retry-After": "2"}, times=1)
    with pytest.raises(RateLimitError, match="slow down"):
        client.images.generate(model="gpt-image-2", prompt="a cat")
    assert client.images.generate(model="gpt-image-2", prompt="a cat").data
