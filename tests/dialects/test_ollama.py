import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.ollama import (
    ChatStream,
    PullStream,
    as_card,
    chat_body,
    embed_body,
    embed_events,
    failure,
    load_body,
    needs_show,
    parse_ps,
    parse_show,
    parse_tags,
    parse_version,
)
from mmai.errors import (
    AuthError,
    ContextOverflow,
    IncompleteAnswer,
    InvalidRequest,
    MmaiError,
    ProtocolError,
    ProviderError,
    RateLimited,
    UnknownModel,
)
from mmai.values.event import Event, FinishedEvent, ReasoningEvent, TextEvent, Usage, VectorEvent
from mmai.values.model import FREE, ModelRef
from mmai.values.pull import PullProgress
from mmai.values.request import AudioPart, ImagePart, Message, Options, Request, TextPart, Tool, ToolCall
from mmai.values.task import Modality

REF = ModelRef("ollama", "qwen3:8b")
WHERE = "`box:11434`"
LAST = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 10_706_818_083,
    "load_duration": 6_338_219_291,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 130_079_000,
    "eval_count": 259,
    "eval_duration": 4_232_710_000,
}


def lines(*records: dict[str, Any] | bytes) -> bytes:
    return b"".join(
        record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records
    )


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "qwen3:8b", "message": {"role": "assistant", "content": text, **more}, "done": False}


def events_of(*pieces: bytes) -> list[Event]:
    stream = ChatStream(REF, where=WHERE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + list(stream.close())


def failing(*pieces: bytes) -> tuple[list[Event], MmaiError]:
    """What came before the error, and the error."""
    stream = ChatStream(REF, where=WHERE)
    came: list[Event] = []
    with pytest.raises(MmaiError) as raised:
        for piece in pieces:
            came.extend(stream.feed(piece))
        came.extend(stream.close())
    return came, raised.value


# What is sent


def a_request(*parts: Any, **more: Any) -> Request:
    return Request(messages=(Message("user", parts or (TextPart("hi"),)),), **more)


def test_a_bare_request_leaves_every_default_to_the_model() -> None:
    assert json.loads(chat_body("m", a_request())) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "truncate": False,
    }


def test_options_go_out_under_ollamas_names() -> None:
    options = Options(
        temperature=0.0, max_tokens=7, stop=("END",), seed=3, think="low", keep_alive="10m", extra={"num_ctx": 8192}
    )
    body = json.loads(chat_body("m", a_request(options=options, schema={"type": "object"}), stream=False))
    assert body["options"] == {"temperature": 0.0, "num_predict": 7, "stop": ["END"], "seed": 3, "num_ctx": 8192}
    assert (body["think"], body["keep_alive"], body["format"], body["stream"]) == ("low", "10m", {"type": "object"}, False)


def test_a_prompt_is_cut_only_where_the_user_says_so() -> None:
    assert json.loads(chat_body("m", a_request()))["truncate"] is False
    assert json.loads(chat_body("m", a_request(options=Options(extra={"truncate": True}))))["truncate"] is True


def test_an_embedding_has_the_dimensions_asked_for() -> None:
    assert json.loads(embed_body("m", a_request(options=Options(extra={"dimensions": 64}))))["dimensions"] == 64


def test_images_and_recordings_go_out_as_base64() -> None:
    image, sound = ImagePart(b"\x89PNG\xff", "image/png"), AudioPart(b"RIFF\x00", "audio/wav")
    message = json.loads(chat_body("m", a_request(TextPart("look"), image, sound)))["messages"][0]
    assert message["content"] == "look"
    assert [base64.b64decode(text, validate=True) for text in message["images"]] == [b"\x89PNG\xff", b"RIFF\x00"]


def test_tools_their_calls_and_their_results_go_out() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    turns = (
        Message("user", (TextPart("weather?"),)),
        Message("assistant", (), tool_calls=(ToolCall("weather", {"city": "Oslo"}),)),
        Message("tool", (TextPart("11 degrees"),), tool_name="weather", tool_call_id="c1"),
    )
    body = json.loads(chat_body("m", Request(messages=turns, tools=(Tool("weather", "Looks it up", schema),))))
    function = {"name": "weather", "description": "Looks it up", "parameters": schema}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["messages"][1]["tool_calls"] == [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]
    assert body["messages"][2] == {"role": "tool", "content": "11 degrees", "tool_name": "weather", "tool_call_id": "c1"}


def test_an_embedding_is_asked_of_the_prompt() -> None:
    body = json.loads(embed_body("m", a_request(options=Options(keep_alive=0))))
    assert body == {"model": "m", "input": "hi", "truncate": False, "keep_alive": 0}


def test_loading_and_unloading_ask_nothing() -> None:
    assert json.loads(load_body("m")) == {"model": "m", "stream": False}
    assert json.loads(load_body("m", keep_alive=0)) == {"model": "m", "stream": False, "keep_alive": 0}
    assert json.loads(load_body("m", embeds=True)) == {"model": "m", "input": []}


# What a chat answers


def test_a_chat_becomes_reasoning_text_and_an_end_with_known_timings() -> None:
    events = events_of(lines(said("", thinking="hm"), said("Hel"), said("lo"), said("") | LAST))
    assert events[:3] == [ReasoningEvent("hm"), TextEvent("Hel"), TextEvent("lo")]
    end = events[3]
    assert isinstance(end, FinishedEvent)
    assert (end.reason, end.resolved_model, end.skipped_lines) == ("stop", None, 0)
    assert end.usage == Usage(input_tokens=26, output_tokens=259)
    assert end.server.total_ms == pytest.approx(10706.818083)
    assert end.server.load_ms == pytest.approx(6338.219291)
    assert end.server.prompt_ms == pytest.approx(130.079)
    assert end.server.decode_ms == pytest.approx(4232.71)
    assert end.server.prompt_tokens_per_second == pytest.approx(26 / 0.130079)
    assert end.server.decode_tokens_per_second == pytest.approx(259 / 4.23271)


def test_the_prompt_rate_counts_only_what_was_not_cached() -> None:
    cached = {"prompt_eval_count": 21, "prompt_eval_cached_count": 16, "prompt_eval_duration": 56_452_000}
    end = events_of(lines({"done": True, **cached}))[0]
    assert isinstance(end, FinishedEvent)
    assert end.server.prompt_tokens_per_second == pytest.approx(88.57, abs=0.01)
    assert end.usage == Usage(input_tokens=21, cached_tokens=16)


def test_what_the_server_leaves_out_is_unknown_and_never_zero() -> None:
    assert events_of(lines({"done": True})) == [FinishedEvent()]


def test_a_whole_answer_in_one_line_is_text_and_end() -> None:
    assert events_of(lines(said("Hello") | {"done": True})) == [TextEvent("Hello"), FinishedEvent()]


def test_a_tool_call_is_an_event_and_the_reason_of_the_end() -> None:
    calls = [{"id": "c1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Oslo"}}}]
    assert events_of(lines(said("", tool_calls=calls), {"done": True, "done_reason": "stop"})) == [
        ToolCall("weather", {"city": "Oslo"}, "c1"),
        FinishedEvent(reason="tool_calls"),
    ]


def test_arguments_in_text_are_decoded() -> None:
    calls = [{"function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}]
    assert events_of(lines(said("", tool_calls=calls), {"done": True}))[0] == ToolCall("weather", {"city": "Oslo"})


@pytest.mark.parametrize(
    ("done_reason", "reason"), [("stop", "stop"), ("length", "length"), ("load", "stop"), ("unload", "stop"), (None, "stop")]
)
def test_the_reason_of_the_end_is_told(done_reason: str | None, reason: str) -> None:
    end = events_of(lines({"done": True, "done_reason": done_reason}))[0]
    assert isinstance(end, FinishedEvent)
    assert end.reason == reason


@pytest.mark.parametrize(("named", "resolved"), [("qwen3:8b", None), ("qwen3:8b-fp16", "qwen3:8b-fp16")])
def test_another_model_than_the_one_asked_for_is_named(named: str, resolved: str | None) -> None:
    end = events_of(lines({"done": True, "model": named}))[0]
    assert isinstance(end, FinishedEvent)
    assert end.resolved_model == resolved


def test_what_follows_the_end_is_ignored() -> None:
    assert events_of(lines(said("a"), {"done": True}, said("b"), b"rubbish\n"), b"more rubbish\nagain\n") == [
        TextEvent("a"),
        FinishedEvent(),
    ]


def test_the_last_line_needs_no_line_end() -> None:
    assert events_of(lines(said("a")), b'{"done":true}') == [TextEvent("a"), FinishedEvent()]


def test_one_malformed_line_is_skipped_and_counted() -> None:
    assert events_of(lines(said("a"), b"{nonsense\n", said("b"), {"done": True})) == [
        TextEvent("a"),
        TextEvent("b"),
        FinishedEvent(skipped_lines=1),
    ]


@pytest.mark.parametrize("second", [b"{nonsense\n", b'{"message": 3}\n', b"null\n"])
def test_the_second_malformed_line_is_an_error_after_the_text_before_it(second: bytes) -> None:
    came, error = failing(lines(said("a"), b"oops\n", said("b"), second, said("c")))
    assert came == [TextEvent("a"), TextEvent("b")]
    assert isinstance(error, ProtocolError)
    assert "2 lines" in error.message


def test_an_error_line_is_raised_after_the_text_before_it() -> None:
    came, error = failing(lines(said("a"), {"error": "llama runner process has terminated"}, said("b")))
    assert came == [TextEvent("a")]
    assert type(error) is ProviderError
    assert error.message == f"{WHERE} failed: llama runner process has terminated"


def test_an_error_with_status_200_is_an_error() -> None:
    came, error = failing(b'{"error":"model is broken"}')
    assert came == []
    assert "model is broken" in error.message


def test_a_stream_without_its_end_is_incomplete_and_keeps_its_text() -> None:
    came, error = failing(lines(said("Hel"), said("lo")))
    assert came == [TextEvent("Hel"), TextEvent("lo")]
    assert isinstance(error, IncompleteAnswer)
    assert error.reason == "cut"


@pytest.mark.parametrize("body", [b"", b"\n\n", b"<html>hello</html>", b"<html>\n<body>\n</body>\n"])
def test_nothing_and_web_pages_are_no_answer(body: bytes) -> None:
    came, error = failing(body)
    assert came == []
    assert isinstance(error, ProtocolError)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Texts, and the bytes of a stream that says them cut anywhere, within characters and line ends too."""
    said_texts = draw(st.lists(texts, max_size=5))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
    whole = lines(*(said(text) for text in said_texts), said("") | LAST).replace(b"\n", end)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return said_texts, [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(cut_streams())
def test_any_cutting_of_a_stream_gives_the_same_events(stream: tuple[list[str], list[bytes]]) -> None:
    said_texts, pieces = stream
    events = events_of(*pieces)
    assert events[:-1] == [TextEvent(text) for text in said_texts]
    assert events[-1] == events_of(lines(LAST))[0]


# Whole answers


def test_an_embedding_is_a_vector_and_an_end() -> None:
    body = json.dumps({"model": "qwen3:8b", "embeddings": [[0.5, -1]], "load_duration": 1_000_000, "prompt_eval_count": 8})
    vector, end = embed_events(body.encode(), REF, where=WHERE)
    assert vector == VectorEvent((0.5, -1.0))
    assert isinstance(end, FinishedEvent)
    assert (end.usage.input_tokens, end.usage.output_tokens, end.server.load_ms) == (8, None, 1.0)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"embeddings": []}', b'{"embeddings": [[]]}', b'{"error": "no"}', b"[]"])
def test_what_holds_no_vector_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderError):
        embed_events(body, REF, where=WHERE)


def told(status: int, body: bytes, **headers: str) -> MmaiError:
    return failure(status, body, where=WHERE, ref=REF, headers=headers, now=1000.0)


@pytest.mark.parametrize("text", ["model 'qwen3:8b' not found", 'model "qwen3:8b" not found, try pulling it first'])
def test_a_missing_model_is_unknown_and_the_hint_pulls_it(text: str) -> None:
    error = told(404, json.dumps({"error": text}).encode())
    assert type(error) is UnknownModel
    assert (error.exit_code, error.hint) == (3, "mmai pull ollama:qwen3:8b")


def test_a_missing_page_is_the_providers_failure() -> None:
    error = told(404, b"404 page not found")
    assert type(error) is ProviderError
    assert error.message == f"{WHERE} answered 404 Not Found: 404 page not found"


@pytest.mark.parametrize(
    "text",
    [
        "the input length exceeds the context length",
        "request (302 tokens) exceeds the available context size (256 tokens), try increasing it",
        "the prompt is longer than the context length currently available to the model",
    ],
)
def test_a_prompt_that_does_not_fit_is_told_from_other_bad_requests(text: str) -> None:
    assert type(told(400, json.dumps({"error": text}).encode())) is ContextOverflow
    assert type(told(400, b'{"error":"invalid duration"}')) is InvalidRequest


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthError), (403, AuthError), (429, RateLimited), (500, ProviderError), (503, ProviderError)]
)
def test_a_status_has_its_class(status: int, kind: type[MmaiError]) -> None:
    error = told(status, b'{"error":"so it is"}', **{"retry-after": "2"})
    assert type(error) is kind
    assert isinstance(error, AuthError | RateLimited | ProviderError)
    assert (error.status, error.retry_after_s, error.body) == (status, 2.0, "so it is")


def test_whoever_wants_to_know_who_asks_is_told_by_their_own_command() -> None:
    assert told(401, b'{"error":"unauthorized","signin_url":"https://ollama.com/connect"}').hint == "ollama signin"
    assert told(401, b"who are you").hint == "mmai keys set ollama"


def test_a_web_page_is_not_repeated_in_the_message() -> None:
    assert "web page" in told(502, b"<html><body>nginx</body></html>").message


def pulled(*pieces: bytes) -> list[PullProgress]:
    stream = PullStream(REF, where=WHERE)
    reports = [report for piece in pieces for report in stream.feed(piece)]
    return reports + list(stream.close())


def test_a_download_reports_each_layer_and_ends_with_success() -> None:
    layer = {"status": "pulling abc", "digest": "sha256:abc", "total": 10}
    assert pulled(lines({"status": "pulling manifest"}, layer, layer | {"completed": 4}, {"status": "success"})) == [
        PullProgress(status="pulling manifest"),
        PullProgress(status="pulling abc", digest="sha256:abc", total_bytes=10),
        PullProgress(status="pulling abc", digest="sha256:abc", total_bytes=10, completed_bytes=4),
        PullProgress(status="success"),
    ]


def test_a_download_that_never_says_success_failed() -> None:
    with pytest.raises(IncompleteAnswer) as raised:
        pulled(lines({"status": "pulling manifest"}))
    assert raised.value.hint == "mmai pull ollama:qwen3:8b goes on where it stopped"


def test_a_model_the_library_lacks_is_unknown() -> None:
    with pytest.raises(UnknownModel):
        pulled(lines({"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}))


# What it says of its models

LISTED = {
    "name": "gemma3:4b",
    "size": 3_338_801_804,
    "digest": "a2af",
    "details": {"family": "gemma3", "parameter_size": "4.3B", "quantization_level": "Q4_K_M"},
}
SHOWN = {
    "capabilities": ["completion", "vision"],
    "model_info": {
        "general.architecture": "gemma3",
        "general.parameter_count": 4_299_915_632,
        "gemma3.context_length": 131_072,
    },
}


def a_card(
    listed: dict[str, Any] | None = None, shown: dict[str, Any] | None = None, url: str = "http://127.0.0.1:11434"
) -> Any:
    entry = parse_tags(json.dumps({"models": [listed or LISTED]}).encode(), where=WHERE)[0]
    facts = None if shown is None else parse_show(json.dumps(shown).encode(), where=WHERE)
    return as_card(entry, facts, provider="ollama", url=url, loaded=False)


def test_a_card_holds_what_tags_and_show_say() -> None:
    card = a_card(shown=SHOWN)
    assert str(card.ref) == "ollama:gemma3:4b"
    assert (card.endpoints, card.locality, card.price) == (("http://127.0.0.1:11434",), "local", FREE)
    assert card.capabilities == ("text_generation", "vision", "json_schema")
    assert card.inputs == (Modality.TEXT, Modality.IMAGE)
    assert (card.context_tokens, card.parameter_count, card.size_bytes) == (131_072, 4_299_915_632, 3_338_801_804)
    assert (card.quantization, card.family, card.digest, card.loaded) == ("Q4_K_M", "gemma3", "a2af", False)


def test_a_card_without_show_says_what_tags_know() -> None:
    card = a_card()
    assert (card.context_tokens, card.parameter_count) == (None, 4_300_000_000)
    assert card.capabilities == ("text_generation", "json_schema")


def test_a_newer_servers_list_needs_no_show() -> None:
    full = LISTED | {"capabilities": ["completion", "tools"], "details": {"family": "qwen3", "context_length": 40_960}}
    assert needs_show(parse_tags(json.dumps({"models": [LISTED]}).encode(), where=WHERE)[0])
    assert not needs_show(parse_tags(json.dumps({"models": [full]}).encode(), where=WHERE)[0])
    assert (a_card(full).context_tokens, a_card(full).capabilities) == (40_960, ("text_generation", "tools", "json_schema"))


def test_an_embedding_model_does_not_write() -> None:
    assert a_card(shown={"capabilities": ["embedding"]}).capabilities == ("embedding",)
    assert a_card(LISTED | {"details": {"family": "nomic-bert"}}).capabilities == ("embedding",)


@pytest.mark.parametrize(
    "entry",
    [{"remote_host": "https://ollama.com"}, {"name": "gpt-oss:120b-cloud"}, {"name": "kimi-k2:cloud"}, {"remote_model": "x"}],
)
def test_a_model_that_runs_elsewhere_is_neither_local_nor_free(entry: dict[str, Any]) -> None:
    card = a_card(LISTED | entry)
    assert (card.locality, card.price, card.size_bytes, card.loaded) == ("cloud", None, None, None)


@pytest.mark.parametrize(
    ("url", "locality"),
    [("http://10.0.0.2:11434", "network"), ("http://[::1]:1", "local"), ("https://ollama.com:443", "cloud")],
)
def test_where_a_model_runs_follows_from_the_address(url: str, locality: str) -> None:
    assert a_card(url=url).locality == locality


def test_models_in_memory_carry_their_sizes() -> None:
    body = {"models": [{"name": "a:b", "size": 9, "size_vram": 5, "context_length": 4096, "expires_at": "2026"}]}
    (loaded,) = parse_ps(json.dumps(body).encode(), where=WHERE)
    assert (loaded.name, loaded.size_bytes, loaded.vram_bytes, loaded.context_tokens) == ("a:b", 9, 5, 4096)


def test_a_server_without_models_lists_none() -> None:
    assert parse_tags(b'{"models": null}', where=WHERE) == []
    assert parse_ps(b'{"models": []}', where=WHERE) == []


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"models": 3}', b"\xff", b'{"ok": true}'])
def test_another_server_is_not_taken_for_ollama(body: bytes) -> None:
    for parse in (parse_tags, parse_ps, parse_version):
        with pytest.raises(ProtocolError, match="box:11434"):
            parse(body, where=WHERE)
