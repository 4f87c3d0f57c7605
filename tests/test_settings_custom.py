"""A service of its own as a row of the settings: what it becomes, and what a mistake in it reads like."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mmai.errors import ConfigError
from mmai.paths import Paths
from mmai.settings import Settings, check, endpoints, load
from mmai.settings.expressions import jmespath_of
from mmai.settings.listing import listing
from mmai.settings.template import default_config
from mmai.values.endpoint import Endpoint
from mmai.values.model import FREE, ModelCard, Price
from mmai.values.service import Service, ServiceRequest, ServiceResponse
from mmai.values.task import Modality, TaskType

ROW = """\
backends:
  lab:
    kind: custom
    endpoint: https://lab.example.com
    models: [m]
    request:
      path: /v1/{{model}}
      body: {request}
    response: {response}
"""
ASK, TEXT = '{inputs: "{prompt}"}', "{text: out}"


def row(request: str = ASK, response: str = TEXT) -> str:
    return ROW.format(request=request, response=response)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    return Paths.find({"MMAI_HOME": str(tmp_path / "home")})


def loaded(paths: Paths, text: str, *, project: str = "", env: Mapping[str, str] | None = None) -> Settings:
    paths.config.write_text(text)
    folder = paths.config_dir.parent / "project"
    (folder / "mmai.yaml").write_text(project)
    return load(paths, env=env or {}, cwd=folder)


def lab(paths: Paths, text: str, *, project: str = "") -> Endpoint:
    settings = loaded(paths, text, project=project, env={"K": "sk-1"})
    return next(endpoint for endpoint in endpoints(settings, env={}) if endpoint.provider == "lab")


def card(paths: Paths, request: str = ASK, response: str = TEXT) -> ModelCard:
    return lab(paths, row(request, response)).models[0]


def complaint(paths: Paths, text: str) -> str:
    paths.config.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check(paths.config, source="user", paths=paths, env={})
    assert caught.value.hint == "mmai config edit"
    return caught.value.message.replace(str(paths.config), "config.yaml")


def test_a_row_becomes_a_service(paths: Paths) -> None:
    text = """\
backends:
  lab:
    kind: custom
    endpoint: https://lab.example.com/api
    auth: x-api-key
    health: /health
    request:
      method: PUT
      path: /v1/{model}
      query: {version: 2, t: "{temperature}"}
      content_type: application/vnd.lab+json
      body:
        inputs: "{prompt}"
        parameters: {max_new_tokens: "{max_tokens}", sample: false, "n": 1, k: "{options.top_k}", note: "1", all: [1.5, null]}
    response:
      stream: sse
      text: $.choices[0]['the text']
      usage: {input_tokens: usage.in, output_tokens: usage.out}
      error: error
      finish_reason: why
      done: "[DONE]"
"""
    assert lab(paths, text).options["service"] == Service(
        request=ServiceRequest(
            method="PUT",
            path="/v1/{model}",
            query={"version": 2, "t": "{temperature}"},
            content_type="application/vnd.lab+json",
            body={
                "inputs": "{prompt}",
                "parameters": {
                    "max_new_tokens": "{max_tokens}",
                    "sample": False,
                    "n": 1,
                    "k": "{options.top_k}",
                    "note": "1",
                    "all": [1.5, None],
                },
            },
        ),
        response=ServiceResponse(
            stream="sse",
            text='choices[0]."the text"',
            usage={"input_tokens": "usage.in", "output_tokens": "usage.out"},
            error="error",
            finish_reason="why",
            done="[DONE]",
        ),
        auth="x-api-key",
        health="/health",
    )


@pytest.mark.parametrize(
    ("request_", "response", "capabilities", "inputs"),
    [
        (ASK, TEXT, ("text_generation",), (Modality.TEXT,)),
        ('{s: "{schema}", m: "{messages}"}', TEXT, ("text_generation", "json_schema"), (Modality.TEXT,)),
        ('{p: "{prompt}", i: "{image_base64}"}', TEXT, ("text_generation", "vision"), (Modality.TEXT, Modality.IMAGE)),
        ('{p: "{prompt}", a: "{audio_base64}"}', TEXT, ("text_generation", "audio"), (Modality.TEXT, Modality.AUDIO)),
        ('"{audio}"', TEXT, ("speech_transcription",), (Modality.AUDIO,)),
        (ASK, "{labels: out}", ("text_classification",), (Modality.TEXT,)),
        ('"{image}"', "{labels: out}", ("image_classification",), (Modality.IMAGE,)),
        ('"{audio}"', "{labels: out}", ("audio_classification", "audio"), (Modality.AUDIO,)),
        (ASK, "{vector: out}", ("embedding",), (Modality.TEXT,)),
        (ASK, '{image: "@"}', ("image_generation",), (Modality.TEXT,)),
        (ASK, '{audio: "@"}', ("speech_synthesis",), (Modality.TEXT,)),
    ],
)
def test_what_a_model_can_do_follows_from_its_request_and_response(
    paths: Paths, request_: str, response: str, capabilities: tuple[str, ...], inputs: tuple[Modality, ...]
) -> None:
    found = card(paths, request_, response)
    assert (found.capabilities, found.inputs) == (capabilities, inputs)
    assert found.only_tasks is ("text_generation" not in capabilities)


def test_a_model_that_embeds_does_nothing_else(paths: Paths) -> None:
    assert card(paths, ASK, "{vector: out}").tasks == (TaskType.EMBEDDING,)


def test_what_the_settings_say_of_a_model_wins(paths: Paths) -> None:
    text = row('{p: "{prompt}", i: "{image_base64}"}').replace("[m]", "[{name: m, capabilities: [coding]}]")
    found = lab(paths, text).models[0]
    assert (found.capabilities, found.tasks) == (("text_generation",), (TaskType.CODE_GENERATION,))


def test_a_declared_classifier_writes_nothing(paths: Paths) -> None:
    text = row(ASK, "{labels: out}").replace("[m]", "[{name: m, capabilities: [text_classification]}]")
    assert lab(paths, text).models[0].capabilities == ("text_classification",)


def test_a_price_is_free_on_this_machine_and_unknown_elsewhere(paths: Paths) -> None:
    here = row().replace("https://lab.example.com", "http://127.0.0.1:8000")
    assert lab(paths, here).models[0].price == FREE
    assert lab(paths, row()).models[0].price is None
    priced = here.replace("[m]", "[{name: m, cost_per_image: 0.1}]")
    assert lab(paths, priced).models[0].price == Price(image_usd=0.1)


def test_the_example_in_the_default_file_loads(paths: Paths) -> None:
    lines = default_config().splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "# sentiment:")
    paths.config.write_text("\n".join(["backends:", *(line.replace("# ", "", 1) for line in lines[start : start + 10])]))
    backend = check(paths.config, source="user", paths=paths, env={}).backends["sentiment"]
    assert backend.response == ServiceResponse(labels="[0][*].{name: label, probability: score}", error="error")
    assert [model.card.name for model in backend.models] == ["distilbert-sst2"]


def test_show_has_the_row_as_plain_values(paths: Paths) -> None:
    shown = {row.key: row.value for row in listing(loaded(paths, row()))}
    assert shown["backends.lab.request"] == {"path": "/v1/{model}", "body": {"inputs": "{prompt}"}}
    assert shown["backends.lab.response"] == {"text": "out"}


def test_jmespath_is_not_imported_to_read_a_row(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jmespath", None)
    assert lab(paths, row(response='{text: "a["}')).options["service"].response.text == "a["


# Keys


def test_no_key_goes_where_a_project_file_says_how_to_ask(paths: Paths) -> None:
    mine = row() + "    api_key: ${K}\n"
    assert lab(paths, mine).key_rule.configured is not None
    for theirs in ("request: {path: /files, body: '{prompt}'}", "health: /delete", "auth: x-key"):
        rule = lab(paths, mine, project=f"backends: {{lab: {{{theirs}}}}}").key_rule
        assert (rule.configured, rule.environment, rule.stored) == (None, False, False)


@pytest.mark.parametrize("key", ["api_key: sk-1", "key_cmd: pass lab"])
def test_a_project_file_cannot_bring_a_key(paths: Paths, key: str) -> None:
    with pytest.raises(ConfigError, match="is not taken from a project file"):
        loaded(paths, "", project=row() + f"    {key}\n")


def test_a_project_file_cannot_put_a_variable_into_a_body(paths: Paths) -> None:
    with pytest.raises(ConfigError, match="a project file cannot read variables"):
        loaded(paths, "", project=row('{inputs: "{prompt}", x: "${HOME}"}'))


# Mistakes


def test_a_mistake_deep_in_a_body_is_told_with_its_own_line(paths: Paths) -> None:
    text = row('\n        - role: user\n          content:\n            - "{prompt}"\n            - text: "{nope"')
    assert complaint(paths, text) == (
        "`{` stands alone in `{nope`; a brace that is meant is written `{{` "
        "(config.yaml line 12, backends.lab.request.body[0].content[1].text)"
    )


BODY, RESPONSE = "(config.yaml line 8, backends.lab.request.body", "(config.yaml line 9, backends.lab.response"
MISTAKES = {
    row('{inputs: "{promt}"}'): f"`{{promt}}` is not a placeholder; `{{prompt}}` is {BODY}.inputs)",
    row('{p: "{prompt}", list: [1, "{ x"]}'): "`{` stands alone in `{ x`; a brace that is meant is written `{{` "
    f"{BODY}.list[1])",
    row("{inputs: {prompt}}"): f'`{{prompt}}` without quotes is a mapping to YAML; write `"{{prompt}}"` {BODY}.inputs)',
    row("{prompt}"): f'`{{prompt}}` without quotes is a mapping to YAML; write `"{{prompt}}"` {BODY})',
    row('{p: "{prompt}", "{model}": 1}'): f"`{{model}}` stands in a key; placeholders stand in values {BODY}.{{model}})",
    row('{p: "{prompt}", [a]: 1}'): "a key is a word, not a list, a mapping or an alias (config.yaml line 8)",
    row('{a: "{audio}"}'): "`{audio}` can only be the whole body, or a field under `content_type: multipart/form-data`; "
    f"`{{audio_base64}}` is the file as text {BODY}.a)",
    row('{a: {b: "{audio}"}}').replace("path: /v1/{model}", "content_type: multipart/form-data"): "`{audio}` can only be the "
    "whole body, or a field under `content_type: multipart/form-data`; `{audio_base64}` is the file as text "
    f"{BODY}.a.b)",
    row('["{prompt}"]').replace("path: /v1/{model}", "content_type: application/x-www-form-urlencoded"): "a list is no form: "
    f"`content_type: application/x-www-form-urlencoded` takes a mapping of fields {BODY})",
    row(
        '{a: "{temperature}"}'
    ): "nothing of what is asked has a place in it: `{prompt}`, `{messages}`, an image or a recording "
    "(config.yaml line 6, backends.lab.request)",
    row(response='{text: "a["}'): f"`a[` is not JMESPath: incomplete expression, at column 3 {RESPONSE}.text)",
    row(response='{text: "a b"}'): f"`a b` is not JMESPath: unexpected token: b, at column 3 {RESPONSE}.text)",
    row(response='{text: a, usage: {input_tokens: "sum(a[*].n) + 1"}}'): "`sum(a[*].n) + 1` is not JMESPath: unknown token +, "
    f"at column 13 {RESPONSE}.usage.input_tokens)",
    row(response='{text: "first(a)"}'): f"`first(a)` is not JMESPath: it has no function `first` {RESPONSE}.text)",
    row(response="{text: [0]}"): "a list is not a path: one that begins with `[` or `{` needs quotes around it "
    f"{RESPONSE}.text)",
    row(
        response='{text: "$..a"}'
    ): "`$..a` is JSONPath with `..`, which looks at every depth; names, `[0]`, `[0:2]` and `*` are "
    f"taken of it, and all of JMESPath {RESPONSE}.text)",
    row(response='{error: "e"}'): "it does not say where the answer is: one of `text`, `labels`, `vector`, `image`, `audio` "
    f"{RESPONSE})",
    row(response="{text: a, stream: websocket}"): f"`websocket` is not `none` or `sse` or `ndjson` {RESPONSE}.stream)",
    row(response="{text: a, done: b}"): f"`done` ends a stream, and `stream` is `none` {RESPONSE}.done)",
    row(response='{text: a, stream: sse, done: "b["}'): "`b[` is not JMESPath: incomplete expression, at column 3 "
    f"{RESPONSE}.done)",
    row(response="{txt: a}"): f"`txt` is not a key here; `text` is {RESPONSE}.txt)",
    row(
        response="{text: a, usage: {tokens_in: b}}"
    ): "`tokens_in` is not a key here; those are `input_tokens`, `output_tokens`, "
    f"`cached_tokens`, `cache_write_tokens`, `reasoning_tokens`, `audio_tokens` … {RESPONSE}.usage.tokens_in)",
    row().replace(
        "/v1/{model}", "v1"
    ): "`v1` is not a path, which begins with `/` and has no space, `?` or `#`; `query` is for what "
    "follows a `?` (config.yaml line 7, backends.lab.request.path)",
    row().replace("/v1/{model}", "/{prompt}"): "`{prompt}` has no place in a path; `{model}` has, and `query` takes the others "
    "(config.yaml line 7, backends.lab.request.path)",
    row().replace("path: /v1/{model}", "method: GET"): "a GET has no body; `query` is for what it sends "
    "(config.yaml line 8, backends.lab.request.body)",
    row().replace("path: /v1/{model}", "query: {q: [1]}"): "a list is no value of a query, which is text or a number "
    "(config.yaml line 7, backends.lab.request.query)",
    row().replace("path: /v1/{model}", "content_type: json"): "`json` is not a content type, such as `application/json` "
    "(config.yaml line 7, backends.lab.request.content_type)",
    row()
    + "    auth: 'two words'": "`two words` is neither `bearer` nor the name of a header (config.yaml line 10, backends.lab.auth)",
    row().replace("custom", "openai"): "`request` is a key of `custom` backends, and this one is `openai` "
    "(config.yaml line 6, backends.lab.request)",
    row().partition("    response")[0]: "`lab` is a `custom` backend without `response`, which says where its answer is "
    "(config.yaml line 3, backends.lab.response)",
    row().replace(
        "    endpoint: https://lab.example.com\n", ""
    ): "`lab` is a `custom` backend without `endpoint`, which says where it is (config.yaml line 3, backends.lab.endpoints)",
    "backends: {custom: }": "`custom` is a `custom` backend without `endpoint`, which says where it is (backends.custom.endpoints)",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_key(paths: Paths, text: str) -> None:
    assert complaint(paths, text) == MISTAKES[text]


@pytest.mark.parametrize(
    ("jsonpath", "jmespath"),
    [
        ("$", "@"),
        ("$.a.b[0].c", "a.b[0].c"),
        ("$.a[*].b", "a[*].b"),
        ("$[0][-1].x", "[0][-1].x"),
        ("$['a b'].\"c\"", None),
        ("$['a b'][\"c\"]", '"a b".c'),
        ("$.a-b.é", '"a-b"."é"'),
        ("$.a[0:2].*", "a[0:2].*"),
        ("$.a[?(@.b)]", None),
        ("$.a[0,1]", None),
        ("$.a[(@.length-1)]", None),
        ("$a", None),
    ],
)
def test_simple_jsonpath_is_jmespath(jsonpath: str, jmespath: str | None) -> None:
    if jmespath is not None:
        assert jmespath_of(jsonpath) == jmespath
    else:
        with pytest.raises(Exception, match="is JSONPath with"):
            jmespath_of(jsonpath)


def test_a_recording_in_a_form_is_transcribed(paths: Paths) -> None:
    text = row('{file: "{audio}", response_format: json}').replace("path: /v1/{model}", "content_type: multipart/form-data")
    service = lab(paths, text).options["service"]
    assert service.request.body == {"file": "{audio}", "response_format": "json"}
    assert lab(paths, text).models[0].capabilities == ("speech_transcription",)


def test_the_name_of_an_event_may_have_a_hyphen(paths: Paths) -> None:
    paths.config.write_text(row(response="{stream: sse, text: t, done: message-end}"))
    lab = check(paths.config, source="user", paths=paths, env={}).backends["lab"]
    assert lab.response == ServiceResponse(stream="sse", text="t", done="message-end")
