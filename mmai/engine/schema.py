"""The JSON an answer must be: read from what a user wrote, and held against what a model wrote."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaRegistry

from mmai.engine.extract import code_block
from mmai.errors import SchemaMismatch, UsageError

DSL_HINT = "mmai run --schema 'name, age int, tags list?: what it is about'"
MAX_SHOWN = 200
"""Characters of an answer or schema that a message quotes."""

_NO_NETWORK: SchemaRegistry = Registry()
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_FIELD = re.compile(
    r"(?P<name>[^\W\d][\w-]*)(?P<optional>\?)?(?:\s+(?P<type>[^\s:?]+)(?P<maybe>\?)?)?\s*(?::\s*(?P<description>.+))?"
)


def read_schema(text_or_path: str) -> dict[str, Any]:
    """A JSON schema from a file, from JSON itself, or from fields such as `name, age int, tags list?`.

    A field is `name type: description`. Types are str (when none is given), int, float, bool, list (of str), and `[int]` and the
    like; a question mark behind the name or type makes the field optional. Fields stand between commas, or each on a line.

    Raises:
        UsageError: the file cannot be read, the JSON or a field cannot be, or the schema is none; the message names the piece.
    """
    text = text_or_path.strip()
    if not text:
        raise UsageError("the schema is empty", hint=DSL_HINT)
    if text.startswith("{"):
        return _valid(_decode(text, "the schema"), "the schema")
    if _is_path(text):
        return _valid(_decode(_read(text), f"`{text}`"), f"`{text}`")
    return _from_fields(text)


def check(text: str, schema: Mapping[str, Any]) -> Any:
    """The decoded JSON of an answer, which may stand in a Markdown fence.

    Raises:
        SchemaMismatch: it is not JSON, or not what the schema asks for; the message names the JSON path.
        UsageError: the schema points at another one that is not part of it.
    """
    value = _answered(text)
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Unresolvable as exc:
        raise UsageError(f"the schema refers to `{exc.ref}`, which is not part of it, and none is fetched") from exc
    except RecursionError as exc:
        raise UsageError("the schema refers to itself without end") from exc
    if error is not None:
        raise SchemaMismatch(f"the answer does not fit the schema at `{error.json_path}`: {_short(error.message)}")
    return value


def _answered(text: str) -> Any:
    bare = text.strip().removeprefix("\ufeff")
    try:
        return _loads(bare)
    except ValueError as exc:
        block = code_block(bare)
        if block is None:
            raise SchemaMismatch(f"the answer is not JSON: {exc}: `{_short(bare)}`") from exc
    try:
        return _loads(block)
    except ValueError as exc:
        raise SchemaMismatch(f"the code block of the answer is not JSON: {exc}: `{_short(block)}`") from exc


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is no JSON number")


def _is_path(text: str) -> bool:
    if "\n" in text:
        return False
    return text.endswith(".json") or (" " not in text and ("/" in text or "\\" in text)) or _exists(text)


def _exists(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise UsageError(f"cannot read the schema `{path}`: {exc.strerror or exc}", hint=DSL_HINT) from exc
    except ValueError as exc:
        raise UsageError(f"the schema `{path}` is not a text file in UTF-8") from exc


def _decode(text: str, where: str) -> Any:
    try:
        return _loads(text)
    except json.JSONDecodeError as exc:
        raise UsageError(f"{where} is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}") from exc
    except ValueError as exc:
        raise UsageError(f"{where} is not JSON: {exc}") from exc


def _valid(schema: Any, where: str) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise UsageError(f'{where} is not a JSON schema, which is an object such as `{{"type": "object"}}`', hint=DSL_HINT)
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as exc:
        raise UsageError(f"{where} is not a JSON schema: {_short(exc.message)} at `{exc.json_path}`") from exc
    except RecursionError as exc:
        raise UsageError(f"{where} is nested too deeply") from exc
    _refuse_remote(schema, where)
    return schema


def _refuse_remote(schema: dict[str, Any], where: str) -> None:
    """A schema elsewhere is never fetched, so say so before anything is paid for."""
    known = {value.rstrip("#") for key, value in _texts(schema) if key == "$id"}
    for key, value in _texts(schema):
        if key == "$ref" and "://" in value and value.partition("#")[0] not in known:
            raise UsageError(f"{where} refers to `{value}`, and no schema is fetched from elsewhere: copy it into `$defs`")


def _texts(node: Any) -> Iterator[tuple[str, str]]:
    """Every key of an object, at any depth, whose value is a string."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str):
                yield key, value
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _texts(child)


def _from_fields(text: str) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for piece in filter(None, (piece.strip().rstrip(",") for piece in re.split(r"\n" if "\n" in text else ",", text))):
        field = _FIELD.fullmatch(piece)
        if field is None:
            raise UsageError(f"`{_short(piece)}` is not a field, which is `name type: description`", hint=DSL_HINT)
        name = field["name"]
        if name in properties:
            raise UsageError(f"the schema names `{name}` twice")
        properties[name] = _type(field["type"] or "str", name)
        if field["description"]:
            properties[name]["description"] = field["description"].strip()
        if not (field["optional"] or field["maybe"]):
            required.append(name)
    if not properties:
        raise UsageError(f"`{_short(text)}` names no field", hint=DSL_HINT)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _type(written: str, name: str) -> dict[str, Any]:
    if written in _TYPES:
        return {"type": _TYPES[written]}
    inner = "str" if written == "list" else written[1:-1] if written[0] + written[-1] == "[]" else ""
    if inner in _TYPES:
        return {"type": "array", "items": {"type": _TYPES[inner]}}
    raise UsageError(
        f"`{name}` is of type `{written}`; types are str, int, float, bool, list, and `[int]` and the like", hint=DSL_HINT
    )


def _validator(schema: Mapping[str, Any]) -> Validator:
    return validator_for(schema, default=Draft202012Validator)(schema, registry=_NO_NETWORK)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"
