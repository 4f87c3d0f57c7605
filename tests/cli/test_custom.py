"""Services that only the settings describe, through the real command."""

import wave
from pathlib import Path

from command import Mmai
from fakes.openai_media import form
from fakes.wall import CHUNKED, LAST_CHUNK, Wall, chunk, head, refused

KEY = "hf_0123456789"
CLASSIFIER = """\
backends:
  sentiment:
    kind: custom
    endpoint: URL
    api_key: ${HF_TOKEN}
    request:
      path: /models/{model}
      body: {inputs: "{prompt}", parameters: {top_k: "{options.top_k}"}}
    response:
      labels: "[0]"
      error: error
    models: [distilbert-sst2]
"""
WRITER = """\
backends:
  lab:
    kind: custom
    endpoint: URL
    health: /health
    request:
      path: /generate
      body: {prompt: "{prompt}", system: "{system}", max_new_tokens: "{max_tokens}"}
    response:
      stream: ndjson
      text: token
      usage: {input_tokens: usage.in, output_tokens: usage.out}
      done: end
    models: [small]
"""
CLASSES = [[{"label": "NEGATIVE", "score": 0.01}, {"label": "POSITIVE", "score": 0.99}]]
LINES = b'{"token": "Hel"}\n{"token": "lo"}\n{"end": true, "usage": {"in": 3, "out": 2}}\n'


def test_a_classifier_is_a_row_and_no_code(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    wall.answers(200, CLASSES)
    result = mmai("run", "-m", "sentiment:distilbert-sst2", "I love it", env={"HF_TOKEN": KEY})
    assert (result.exit_code, result.stdout, result.stderr) == (0, "0.99   POSITIVE\n0.010  NEGATIVE\n", "")
    seen = wall.journal.requests[0]
    assert (seen.path, seen.json, seen.headers["authorization"]) == (
        "/models/distilbert-sst2",
        {"inputs": "I love it"},
        f"Bearer {KEY}",
    )


def test_its_answer_in_json_has_the_labels(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    wall.answers(200, CLASSES)
    data = mmai("run", "-m", "sentiment:distilbert-sst2", "I love it", "--json").json["data"]
    assert data["labels"][0] == {"name": "POSITIVE", "probability": 0.99}
    assert (data["text"], data["cost_usd"], data["usage"]["input_tokens"]) == ("", 0.0, None)


def test_dry_run_shows_the_exact_request_with_its_key_masked(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    asking = ("run", "--dry-run", "-m", "sentiment:distilbert-sst2", "I love it", "-O", "top_k=2")
    result = mmai(*asking, env={"HF_TOKEN": KEY})
    assert result.stdout == (
        f"POST {wall.url}/models/distilbert-sst2\n"
        "Authorization: ****\n\n"
        '{\n  "inputs": "I love it",\n  "parameters": {\n    "top_k": 2\n  }\n}\n'
    )
    assert KEY not in mmai(*asking, "--json", env={"HF_TOKEN": KEY}).stdout
    assert wall.journal.connections == 0


def test_dry_run_of_a_request_without_a_body_is_its_head(mmai: Mmai) -> None:
    mmai.configure(
        "backends: {lab: {kind: custom, endpoint: 'http://127.0.0.1:9', models: [m], response: {text: '@'}, "
        "request: {method: GET, query: {q: '{prompt}'}}}}"
    )
    assert mmai("run", "--dry-run", "-m", "lab:m", "a b").stdout == "GET http://127.0.0.1:9?q=a%20b\n"


def test_a_stream_arrives_as_text_with_its_usage(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(WRITER.replace("URL", wall.url))
    wall.says(head(200, CHUNKED), *(chunk(bytes([byte])) for byte in LINES), LAST_CHUNK)
    result = mmai("run", "-m", "lab:small", "hi", "-s", "Be brief.", "--max-tokens", "9", "--json")
    assert (result.json["data"]["text"], result.json["data"]["usage"]["output_tokens"]) == ("Hello", 2)
    assert wall.journal.requests[0].json == {"prompt": "hi", "system": "Be brief.", "max_new_tokens": 9}


def test_a_stream_that_is_cut_ends_with_exit_code_9_and_keeps_what_came(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(WRITER.replace("URL", wall.url))
    wall.says(head(200, CHUNKED), chunk(LINES.splitlines(keepends=True)[0]), LAST_CHUNK)
    result = mmai("run", "-m", "lab:small", "hi")
    assert (result.exit_code, result.stdout) == (9, "Hel\n")
    assert "lab at `127.0.0.1" in result.stderr


def test_tuning_without_a_place_is_told_under_v(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(WRITER.replace("URL", wall.url))
    wall.says(head(200, CHUNKED), chunk(LINES), LAST_CHUNK)
    result = mmai("run", "-v", "-m", "lab:small", "hi", "--temperature", "0.2")
    assert "`temperature` was not sent: its `request` in the settings has no place for it\n" in result.stderr


def test_a_recording_is_transcribed_by_a_service_that_takes_it_raw(mmai: Mmai, wall: Wall, tmp_path: Path) -> None:
    mmai.configure(
        f"backends: {{asr: {{kind: custom, endpoint: '{wall.url}', models: [whisper], request: {{body: '{{audio}}'}}, "
        "response: {text: text}}}"
    )
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    wall.answers(200, {"text": "hello there"})
    result = mmai("run", "-m", "asr:whisper", "-f", str(tmp_path / "talk.wav"))
    assert (result.exit_code, result.stdout) == (0, "hello there\n")
    assert wall.journal.requests[0].body == (tmp_path / "talk.wav").read_bytes()


def test_a_recording_is_transcribed_by_a_service_that_takes_a_form(mmai: Mmai, wall: Wall, tmp_path: Path) -> None:
    mmai.configure(
        f"backends: {{asr: {{kind: custom, endpoint: '{wall.url}', models: [whisper], response: {{text: text}},"
        " request: {path: /inference, content_type: multipart/form-data,"
        " body: {file: '{audio}', temperature: '{temperature}', response_format: json}}}}"
    )
    recording = b"ID3" + bytes(50)
    (tmp_path / "talk.mp3").write_bytes(recording)
    wall.answers(200, {"text": " hello there"})
    result = mmai("run", "-f", "talk.mp3", "-t", "0", "-m", "asr:whisper")
    assert (result.exit_code, result.stdout) == (0, " hello there\n")
    fields = form(wall.journal.requests[0])
    assert [(field.filename, field.data) for field in fields["file"]] == [("audio.mp3", recording)]
    assert {name: [each.text for each in fields[name]] for name in ("temperature", "response_format")} == {
        "temperature": ["0.0"],
        "response_format": ["json"],
    }
    shown = mmai("run", "-f", "talk.mp3", "-m", "asr:whisper", "--dry-run").stdout
    assert "Content-Type: multipart/form-data; boundary=mmai\n" in shown
    assert '"file": "53 bytes of audio/mpeg"' in shown


def test_content_without_a_place_is_refused_before_sending(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    result = mmai("run", "-m", "sentiment:distilbert-sst2", "I love it", "-s", "Be brief.")
    assert result.exit_code == 3
    assert "its `request` in the settings has no place for a system prompt" in result.stderr
    assert wall.journal.connections == 0


def test_an_answer_that_does_not_fit_its_paths_names_the_path_and_the_settings(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    wall.answers(200, {"result": "POSITIVE"})
    result = mmai("run", "-m", "sentiment:distilbert-sst2", "I love it")
    assert result.exit_code == 8
    assert result.stderr == (
        f"error: sentiment at `{wall.url[7:]}` did not answer as the settings say: `labels: [0]` leads to nothing in "
        '`{"result": "POSITIVE"}`\nhint: mmai config edit\n'
    )


def test_a_refused_key_names_the_command_that_sets_one(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    wall.answers(401, {"error": f"bad key {KEY}"})
    result = mmai("run", "-m", "sentiment:distilbert-sst2", "I love it", env={"HF_TOKEN": KEY})
    assert (result.exit_code, KEY in result.stderr) == (4, False)
    assert result.stderr.endswith("hint: mmai keys set sentiment\n")


def test_discover_lists_its_models_and_asks_nothing_that_is_not_named(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    data = mmai("discover", "sentiment", "--json").json["data"]
    assert [(model["name"], model["capabilities"]) for model in data["models"]] == [
        ("distilbert-sst2", ["text_classification"])
    ]
    assert [(row["name"], row["state"]) for row in data["providers"]] == [("sentiment", "unknown")]
    assert wall.journal.connections == 0


def test_discover_asks_the_path_of_health(mmai: Mmai, wall: Wall) -> None:
    wall.answers(200, "ok", path="/health")
    mmai.configure(WRITER.replace("URL", wall.url))
    assert mmai("discover", "lab", "--json").json["data"]["providers"][0]["state"] == "healthy"
    assert wall.journal.paths == ["GET /health"]
    with refused() as nowhere:
        mmai.configure(WRITER.replace("URL", nowhere))
        assert mmai("discover", "lab", "--json").json["data"]["providers"][0]["state"] == "unreachable"


def test_models_lists_what_the_settings_do(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    rows = mmai("models", "--provider", "sentiment", "--json").json["data"]["models"]
    assert [row["name"] for row in rows] == ["distilbert-sst2"]
    assert wall.journal.connections == 0


def test_a_classifier_is_never_chosen_to_write(mmai: Mmai, wall: Wall) -> None:
    mmai.configure(CLASSIFIER.replace("URL", wall.url))
    result = mmai("select", "Write a poem about the sea", "--json")
    assert result.exit_code == 3
    assert wall.journal.connections == 0


def test_check_tells_a_path_that_is_not_jmespath_with_file_line_and_key(mmai: Mmai) -> None:
    mmai.configure(CLASSIFIER.replace('"[0]"', '"[0"').replace("URL", "https://lab.example.com"))
    file = mmai.home / "mmai" / "config.yaml"
    result = mmai("config", "check")
    assert result.exit_code == 2
    where = f"({file} line 10, backends.sentiment.response.labels)"
    assert result.stderr == f"error: `[0` is not JMESPath: incomplete expression, at column 3 {where}\nhint: mmai config edit\n"
    assert mmai("config", "check", str(file)).stderr == result.stderr
    assert mmai("run", "--dry-run", "-m", "sentiment:x", "hi").exit_code == 0


def test_check_passes_a_row_that_is_right_and_names_the_key_that_is_not_set(mmai: Mmai) -> None:
    mmai.configure(CLASSIFIER.replace("URL", "https://lab.example.com"))
    result = mmai("config", "check", "--json")
    assert (result.exit_code, "sentiment" in result.json["data"]["providers"]) == (0, True)
    assert result.json["warnings"][0].startswith("`HF_TOKEN` is not set (")
