"""From a request to what a service of its own is sent: templates, and what has no place in one."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from builders import a_recording, a_request, an_image
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.custom.asking import call, dropped, misfit
from mmai.backends.custom.filling import LEFT_OUT, filled
from mmai.errors import UsageError
from mmai.values.placeholders import pieces, places
from mmai.values.request import Message, Request, TextPart
from mmai.values.service import ServiceRequest

SCHEMA = {"type": "object"}
PLAIN_TEXT = st.text().filter(lambda text: not {"{", "}"} & set(text))
NO_SURROGATES = st.characters(exclude_categories=["Cs"])
PLAIN_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def sent(body: Any, request: Request, **fields: Any) -> Any:
    return json.loads(call(ServiceRequest(body=body, **fields), "m", request).body)


@given(PLAIN_JSON)
def test_a_template_without_places_is_sent_as_it_stands(template: Any) -> None:
    assert filled(template, {"prompt": "x"}) == template


@given(st.text())
def test_doubled_braces_are_braces(text: str) -> None:
    assert filled(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.text(min_size=1))
def test_a_prompt_arrives_as_it_is_whatever_is_in_it(prompt: str) -> None:
    assert filled({"inputs": "{prompt}", "text": "<|{prompt}|>"}, {"prompt": prompt}) == {
        "inputs": prompt,
        "text": f"<|{prompt}|>",
    }


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_prompt_arrives_as_it_is_over_the_wire(prompt: str) -> None:
    assert sent({"inputs": "{prompt}"}, a_request(prompt)) == {"inputs": prompt}


def test_text_that_is_one_place_takes_the_type_of_its_value() -> None:
    body = {"t": "{temperature}", "n": "{max_tokens}", "stop": "{stop}", "schema": "{schema}", "k": "{options.top_k}"}
    request = a_request(temperature=0.5, max_tokens=7, stop=("a", "b"), extra={"top_k": 40}, schema=SCHEMA)
    assert sent(body, request) == {"t": 0.5, "n": 7, "stop": ["a", "b"], "schema": SCHEMA, "k": 40}


def test_a_value_within_text_is_written_as_json() -> None:
    assert sent({"p": "{prompt} Answer as {schema}, {max_tokens} words."}, a_request("Hi.", max_tokens=9, schema=SCHEMA)) == {
        "p": 'Hi. Answer as {"type":"object"}, 9 words.'
    }


def test_an_option_nobody_set_is_left_out_with_what_held_nothing_else() -> None:
    body = {"inputs": "{prompt}", "parameters": {"t": "{temperature}", "deep": {"k": "{options.k}"}}, "stops": ["{seed}"]}
    assert sent(body, a_request("hi")) == {"inputs": "hi"}


def test_what_was_written_empty_stays_empty_and_what_was_written_null_null() -> None:
    assert sent({"a": {}, "b": [], "c": None, "p": "{prompt}"}, a_request("hi")) == {"a": {}, "b": [], "c": None, "p": "hi"}


def test_an_option_set_to_null_is_sent_as_null() -> None:
    assert sent({"k": "{options.k}"}, a_request(extra={"k": None})) == {"k": None}


def test_an_item_of_a_list_goes_with_its_only_place() -> None:
    body = [{"role": "system", "content": "{system}"}, {"role": "user", "content": "{prompt}", "for": "{model}"}]
    assert sent(body, a_request("hi")) == [{"role": "user", "content": "hi", "for": "m"}]
    assert sent(body, a_request("hi", system="Be brief."))[0] == {"role": "system", "content": "Be brief."}


def test_in_text_beside_others_an_empty_place_is_no_text() -> None:
    assert filled("{system}|{prompt}", {"prompt": "hi"}) == "|hi"
    assert filled("{system}|{seed}", {"prompt": "hi"}) is LEFT_OUT


def test_messages_are_openais_and_leave_the_system_to_a_place_of_its_own() -> None:
    request = a_request("hi", system="Be brief.")
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}
    assert sent({"messages": "{messages}"}, request) == {"messages": [system, user]}
    assert sent({"messages": "{messages}", "system": "{system}"}, request) == {"messages": [user], "system": "Be brief."}


def test_files_go_as_base64_with_their_type() -> None:
    image, recording = an_image(), a_recording()
    body = {"url": "data:{image_type};base64,{image_base64}", "sound": "{audio_base64}"}
    found = sent(body, a_request("see", image, recording))
    assert found["url"] == f"data:image/png;base64,{base64.b64encode(image.data).decode()}"
    assert base64.b64decode(found["sound"]) == recording.data
    assert sent({"p": "{prompt}", **body}, a_request("none")) == {"p": "none"}


def test_a_body_can_be_the_file_itself() -> None:
    asked = call(ServiceRequest(body="{audio}"), "m", a_request("", a_recording()))
    assert (asked.body, asked.content_type, asked.shown) == (a_recording().data, "audio/wav", "64000 bytes of audio/wav")
    own = call(ServiceRequest(body="{image}", content_type="application/octet-stream"), "m", a_request("", an_image()))
    assert (own.body, own.content_type) == (an_image().data, "application/octet-stream")


FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@given(st.dictionaries(st.text(NO_SURROGATES, min_size=1), st.text(NO_SURROGATES), min_size=1))
def test_a_form_is_read_as_it_was_written(fields: dict[str, str]) -> None:
    template = {name: value.replace("{", "{{").replace("}", "}}") for name, value in fields.items()}
    asked = call(ServiceRequest(body=template, content_type=FORM), "m", a_request())
    assert dict(parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True)) == fields
    assert asked.content_type == FORM


def test_a_form_holds_what_has_a_value_and_each_item_of_a_list() -> None:
    body = {"text": "{prompt}", "stop": "{stop}", "t": "{temperature}", "n": 2, "on": True, "none": "{seed}"}
    asked = call(ServiceRequest(body=body, content_type=FORM), "m", a_request("a b&c", stop=("x", "y"), temperature=0.5))
    assert asked.body == b"text=a%20b%26c&stop=x&stop=y&t=0.5&n=2&on=true"
    assert asked.shown == {"text": "a b&c", "stop": ("x", "y"), "t": 0.5, "n": 2, "on": True}


def test_a_form_takes_the_file_itself_beside_other_fields() -> None:
    body = {"file": "{audio}", "response_format": "json", "temperature": "{temperature}", "language": "{options.language}"}
    asked = call(ServiceRequest(body=body, content_type=MULTIPART), "m", a_request("", a_recording(), extra={"language": "de"}))
    assert asked.content_type == "multipart/form-data; boundary=mmai"
    assert asked.body == b"".join(
        (
            b'--mmai\r\nContent-Disposition: form-data; name="file"; filename="audio.wav"\r\nContent-Type: audio/wav\r\n\r\n',
            a_recording().data,
            b'\r\n--mmai\r\nContent-Disposition: form-data; name="response_format"\r\n\r\njson',
            b'\r\n--mmai\r\nContent-Disposition: form-data; name="language"\r\n\r\nde\r\n--mmai--\r\n',
        )
    )
    assert asked.shown == {"file": "64000 bytes of audio/wav", "response_format": "json", "language": "de"}


def test_nothing_in_a_form_is_taken_for_its_boundary() -> None:
    asked = call(ServiceRequest(body={"p": "{prompt}"}, content_type=MULTIPART), "m", a_request("--mmai mmai-0"))
    assert asked.content_type.endswith("; boundary=mmai-1")


def test_plain_text_is_sent_as_it_is() -> None:
    asked = call(ServiceRequest(body="{prompt}", content_type="text/plain"), "m", a_request('say "hi"\n'))
    assert (asked.body, asked.shown) == (b'say "hi"\n', 'say "hi"\n')


def test_path_and_query_are_percent_encoded() -> None:
    asked = ServiceRequest(
        method="GET", path="/models/{model}", query={"text": "{prompt}", "t": "{temperature}", "v": 2, "on": True}
    )
    found = call(asked, "org/name:tag?#ü", a_request("a b&c=é\n"))
    assert (found.method, found.body) == ("GET", b"")
    assert found.path == "/models/org/name:tag%3F%23%C3%BC?text=a%20b%26c%3D%C3%A9%0A&v=2&on=true"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{promt}", "`{promt}` is not a placeholder; `{prompt}` is"),
        ("{options.}", "`{options.}` is not a placeholder"),
        ("{}", "`{}` is not a placeholder; those are `{prompt}`, `{system}`"),
        ("a { b", "`{` stands alone in `a { b`; a brace that is meant is written `{{`"),
        ("a } b", "`}` stands alone in `a } b`; a brace that is meant is written `}}`"),
    ],
)
def test_what_is_no_place_is_named(text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        pieces(text)
    assert caught.value.message.startswith(wrong)


def test_places_are_found_at_any_depth() -> None:
    assert list(places({"a": ["{prompt} {{seed}}", {"b": "{options.x}"}], "c": 1})) == ["prompt", "options.x"]


# What has no place


@pytest.mark.parametrize(
    ("request_", "lacking"),
    [
        (a_request("", a_recording()), "a recording"),
        (a_request("see", an_image()), "an image"),
        (a_request("hi", system="Be brief."), "a system prompt"),
        (a_request("hi", schema=SCHEMA), "a schema"),
    ],
)
def test_content_without_a_place_is_refused_by_name(request_: Request, lacking: str) -> None:
    refusal = misfit(ServiceRequest(body={"inputs": "{prompt}"}), request_)
    assert refusal == f"its `request` in the settings has no place for {lacking}"


def test_a_conversation_needs_messages() -> None:
    turns = tuple(Message(role, (TextPart(role),)) for role in ("user", "assistant", "user"))
    assert "a conversation" in str(misfit(ServiceRequest(body="{prompt}"), Request(messages=turns)))
    assert misfit(ServiceRequest(body="{messages}"), Request(messages=turns)) is None


def test_a_transcriber_takes_a_recording_and_no_text() -> None:
    transcriber = ServiceRequest(body="{audio}")
    assert misfit(transcriber, a_request("", a_recording())) is None
    assert "no place for text" in str(misfit(transcriber, a_request("what is said?", a_recording())))
    assert misfit(transcriber, a_request("")) == "it takes a recording: `-f FILE`"
    assert misfit(ServiceRequest(body="{image}"), a_request("")) == "it takes an image: `-f FILE`"


def test_two_files_are_one_too_many() -> None:
    asked = ServiceRequest(body={"p": "{prompt}", "i": "{image_base64}"})
    assert misfit(asked, a_request("which?", an_image(), an_image())) == "it takes one file a call, not 2"


def test_tuning_without_a_place_is_dropped_by_its_own_name() -> None:
    asked = ServiceRequest(body={"p": "{prompt}", "t": "{temperature}", "k": "{options.top_k}"})
    request = a_request(temperature=0.0, seed=1, stop=("x",), think=False, extra={"top_k": 1, "top_p": 2})
    assert [event.option for event in dropped(asked, request.options)] == ["stop", "seed", "think", "top_p"]
