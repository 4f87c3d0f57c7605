"""Schemas as users write them, and answers held against them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.schema import check, read_schema
from mmai.errors import SchemaMismatch, UsageError

PERSON = read_schema("name, age int")


def test_fields_between_commas_become_an_object_with_every_field_required() -> None:
    assert PERSON == {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }


def test_fields_on_lines_carry_descriptions_with_commas_in_them() -> None:
    schema = read_schema("name: first, then last\nheight float: in metres\n")
    assert schema["properties"] == {
        "name": {"type": "string", "description": "first, then last"},
        "height": {"type": "number", "description": "in metres"},
    }


@pytest.mark.parametrize("written", ["tags list?", "tags? list", "tags [str]?"])
def test_a_question_mark_behind_name_or_type_makes_a_field_optional(written: str) -> None:
    schema = read_schema(f"name, {written}")
    assert schema["required"] == ["name"]
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}


def test_a_type_in_brackets_is_a_list_of_it() -> None:
    assert read_schema("scores [float], done bool")["properties"] == {
        "scores": {"type": "array", "items": {"type": "number"}},
        "done": {"type": "boolean"},
    }


def test_json_is_taken_as_it_stands() -> None:
    assert read_schema(' {"type": "array", "items": {"type": "integer"}}') == {"type": "array", "items": {"type": "integer"}}


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "person.json"
    file.write_text(json.dumps(PERSON), encoding="utf-8")
    assert read_schema(str(file)) == PERSON


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "the schema is empty"),
        (" , ", "`,` names no field"),
        ("name, age number", "`age` is of type `number`"),
        ("full name str", "`full name str` is not a field"),
        ("name, 2nd", "`2nd` is not a field"),
        ("a, b, a", "names `a` twice"),
        ('{"type": "strng"}', "'strng' is not valid"),
        ('{"type": "object"', "the schema is not JSON: Expecting ',' delimiter at line 1, column 18"),
        ('{"pattern": "("}', "'(' is not a 'regex' at `$.pattern`"),
        ("missing.json", "cannot read the schema `missing.json`: No such file"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_piece(written: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_schema(written)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[1, 2]", "is not a JSON schema, which is an object"),
        (b"\xff\xfe{", "is not a text file in UTF-8"),
        (b"{]", "line 1, column 2"),
    ],
)
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_schema(str(file))
    assert says in caught.value.message
    assert str(file) in caught.value.message


def test_a_schema_elsewhere_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError) as caught:
        read_schema('{"properties": {"a": {"$ref": "https://127.0.0.1:9/a.json"}}}')
    assert "refers to `https://127.0.0.1:9/a.json`" in caught.value.message


def test_a_reference_to_its_own_id_is_its_own() -> None:
    schema = read_schema(
        '{"$id": "https://example.org/a", "$ref": "https://example.org/a#/$defs/n", "$defs": {"n": {"type": "integer"}}}'
    )
    assert check("3", schema) == 3


def test_checking_never_fetches_a_reference() -> None:
    with pytest.raises(UsageError) as caught:
        check("1", {"$ref": "http://127.0.0.1:9/a.json"})
    assert "none is fetched" in caught.value.message


def test_a_schema_that_only_refers_to_itself_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        check("1", {"$ref": "#"})
    assert caught.value.message == "the schema refers to itself without end"


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "Ada", "age": 36}',
        '```json\n{"name": "Ada", "age": 36}\n```',
        'Here it is:\n\n~~~\n{"name": "Ada", "age": 36}\n~~~\nEnjoy!',
    ],
)
def test_an_answer_is_decoded_bare_or_from_its_fence(answer: str) -> None:
    assert check(answer, PERSON) == {"name": "Ada", "age": 36}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ('{"name": "Ada", "age": "36"}', "at `$.age`: '36' is not of type 'integer'"),
        ('{"name": "Ada"}', "at `$`: 'age' is a required property"),
        ('{"name": "Ada", "age": NaN}', "`NaN` is no JSON number"),
        ('{"name": "Ada", "ag', "the answer is not JSON"),
        ("```json\n{]\n```", "the code block of the answer is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("", "the answer is not JSON"),
    ],
)
def test_a_mismatch_names_the_path_or_the_reason(answer: str, says: str) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        check(answer, PERSON)
    assert says in caught.value.message
    assert len(caught.value.message) < 400


def test_the_draft_a_schema_names_decides() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}
    with pytest.raises(SchemaMismatch):
        check("3", draft_4)


@given(st.text(max_size=60))
def test_any_text_is_a_schema_or_a_usage_error(text: str) -> None:
    try:
        assert isinstance(read_schema(text), dict)
    except UsageError as error:
        assert error.message


NAMES = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
TYPES = {"str": "x", "int": 1, "float": 0.5, "bool": True, "list": ["x"], "[int]": [1]}


@given(st.dictionaries(NAMES, st.sampled_from(sorted(TYPES)), min_size=1, max_size=6))
def test_an_object_of_the_fields_types_always_fits(fields: dict[str, str]) -> None:
    schema = read_schema(", ".join(f"{name} {kind}" for name, kind in fields.items()))
    value = {name: TYPES[kind] for name, kind in fields.items()}
    assert check(json.dumps(value), schema) == value
