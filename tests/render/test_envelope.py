"""JSON that every program can read, whatever was in the values."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mmai.errors import NoEligibleModel
from mmai.render.envelope import envelope, json_lines, plain
from mmai.values.event import FinishedEvent, TextEvent, Usage
from mmai.values.model import ModelCard, ModelRef, Price
from mmai.values.task import TaskType

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_success_is_one_line_with_everything_in_it() -> None:
    assert envelope("run", {"text": "Hello\n"}, warnings=["slow"]) == snapshot(
        b'{"version":1,"command":"run","status":"ok","data":{"text":"Hello\\n"},"warnings":["slow"],"error":null}\n'
    )


def test_failure_has_the_same_shape() -> None:
    error = NoEligibleModel("no model fits", hint="mmai select --explain")
    assert envelope("select", None, error=error) == snapshot(
        b'{"version":1,"command":"select","status":"error","data":{},"warnings":[],"error":{"code":"no_eligible_model","exit_code":3,"message":"no model fits","hint":"mmai select --explain"}}\n'
    )


def test_a_person_gets_it_indented() -> None:
    assert envelope("paths", {"a": 1}, pretty=True).startswith(b'{\n  "version": 1,\n  "command": "paths"')


@given(JSON_LIKE)
def test_it_always_parses(data: Any) -> None:
    line = envelope("run", data)
    assert json.loads(line, parse_constant=lambda word: AssertionError(word))["version"] == 1
    assert line.count(b"\n") == 1
    assert not any(byte < 32 or byte == 127 for byte in line[:-1])


def test_infinities_and_nan_are_null() -> None:
    assert json_lines([{"a": float("inf"), "b": float("nan")}]) == b'{"a":null,"b":null}\n'


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert json_lines(["a\ud83d", "\ud83d\ude00"]) == '"a\ufffd"\n"😀"\n'.encode()


def test_control_characters_a_terminal_obeys_are_escaped() -> None:
    line = json_lines(["\x1b[2J\x9b2J\x7f"])
    assert line == rb'"\u001b[2J\u009b2J\u007f"' + b"\n"
    assert json.loads(line) == "\x1b[2J\x9b2J\x7f"


def test_references_are_text_wherever_they_stand() -> None:
    assert plain({"from": ModelRef("ollama", "qwen3:8b"), "to": [ModelRef("a", "b")]}) == {
        "from": "ollama:qwen3:8b",
        "to": ["a:b"],
    }


def test_every_field_is_there_though_the_value_leaves_out_defaults() -> None:
    assert plain(Usage(input_tokens=3)) == {
        "input_tokens": 3,
        "output_tokens": None,
        "cached_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "audio_tokens": None,
        "images": None,
        "audio_s": None,
        "estimated": False,
    }
    card = plain(ModelCard(provider="a", name="b", price=Price(1.0), tasks=(TaskType.MATH,)))
    assert card["context_tokens"] is None
    assert card["price"]["output_usd_per_mtok"] is None
    assert card["tasks"] == ["math"]


def test_events_keep_their_tag_one_to_a_line() -> None:
    lines = json_lines([TextEvent("Hel"), FinishedEvent()]).splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["text", "finished"]
