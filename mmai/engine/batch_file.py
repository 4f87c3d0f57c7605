"""The prompts of a batch, as they stand in a file of JSON lines. Pure."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct, json
from msgspec.structs import replace

from mmai.errors import UsageError
from mmai.values.batch import BatchLine, BatchRow
from mmai.values.request import Message, Request, TextPart

OWN_FIELDS = frozenset(("index", "key", "attempts", "text", "vector", "model", "finish_reason", "usage", "cost_usd", "error"))
"""Fields of an answer: what is carried through cannot be called so."""

HINT = """each line is {"prompt": "…"}, with `id`, `system` and fields of your own where you like, or a JSON string"""


class BatchPrompt(Struct, frozen=True, kw_only=True):
    """One line of the file."""

    line: BatchLine
    prompt: str
    system: str | None = None
    """Its own instructions, in place of those for all."""


class PromptFields(Struct, kw_only=True):
    """The fields of a line that mean something here."""

    prompt: str
    id: str | int | None = None
    system: str | None = None


def read_prompts(data: bytes, *, source: str) -> tuple[BatchPrompt, ...]:
    """Every line that is not blank, in order. `source` is what messages call the file.

    Raises:
        UsageError: there is no prompt, a line is not one (its number is named), or two have the same `id`.
    """
    prompts: list[BatchPrompt] = []
    numbers: dict[str, int] = {}
    for number, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not text.strip():
            continue
        prompt = prompt_of(read_value(text, number, source=source), number, source=source)
        if prompt.line.id is not None and (first := numbers.setdefault(str(prompt.line.id), number)) != number:
            raise UsageError(f"line {number} of `{source}` has the same id as line {first}: `{prompt.line.id}`")
        prompts.append(prompt)
    if not prompts:
        raise UsageError(f"there are no prompts in `{source}`", hint=HINT)
    return tuple(prompts)


def read_fields(text: bytes, number: int, *, source: str) -> PromptFields:
    """One line that is not blank.

    Raises:
        UsageError: it is no prompt.
    """
    return _fields(read_value(text, number, source=source), number, source)


def rows(prompts: Sequence[BatchPrompt], template: Request, *, system: str | None = None) -> Iterator[BatchRow]:
    """A request for each prompt: `template` with its messages. `system` stands above those that have none of their own."""
    for each in prompts:
        yield BatchRow(each.line.name, request_of(each, template, system=system))


def request_of(prompt: BatchPrompt, template: Request, *, system: str | None = None) -> Request:
    """The request of one prompt, as `rows` makes it."""
    instructions = system if prompt.system is None else prompt.system
    above = (Message("system", (TextPart(instructions),)),) if instructions else ()
    return replace(template, messages=(*above, Message("user", (TextPart(prompt.prompt),))))


def content_key(lines: Sequence[BatchLine], sent: Sequence[BatchRow], *, to: Sequence[str | None]) -> str:
    """The hash of what is sent, what is carried, and to whom (provider, endpoint, model)."""
    digest = sha256(json.encode(list(to)))
    for line, row in zip(lines, sent, strict=True):
        digest.update(json.encode((line, row.request)))
    return digest.hexdigest()


def prompt_of(value: dict[str, Any], number: int, *, source: str) -> BatchPrompt:
    """The prompt that a line's fields make.

    Raises:
        UsageError: they make none, or one of them has the name of what every answer has.
    """
    fields = _fields(value, number, source)
    carried = {name: item for name, item in value.items() if name not in PromptFields.__struct_fields__}
    if taken := sorted(OWN_FIELDS & carried.keys()):
        raise UsageError(
            f"line {number} of `{source}` has a field `{taken[0]}`, which every answer has of its own; call it something else"
        )
    content = sha256(json.encode((fields.id, fields.system, fields.prompt))).hexdigest()[:12]
    line = BatchLine(name=f"line-{number}-{content}", number=number, id=fields.id, carried=carried)
    return BatchPrompt(line=line, prompt=fields.prompt, system=fields.system)


def _fields(value: dict[str, Any], number: int, source: str) -> PromptFields:
    try:
        fields = msgspec.convert(value, PromptFields)
    except msgspec.ValidationError as exc:
        raise UsageError(f"line {number} of `{source}` cannot be taken: {_lower(str(exc))}", hint=HINT) from exc
    if not fields.prompt.strip():
        raise UsageError(f"line {number} of `{source}` has an empty prompt")
    return fields


def read_value(text: bytes, number: int, *, source: str) -> dict[str, Any]:
    """The fields of one line that is not blank.

    Raises:
        UsageError: it is no JSON, or neither an object nor a string.
    """
    try:
        value = json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"line {number} of `{source}` is not JSON: {_lower(str(exc).removeprefix('JSON is malformed: '))}", hint=HINT
        ) from exc
    if isinstance(value, str):
        return {"prompt": value}
    if not isinstance(value, dict):
        raise UsageError(f"line {number} of `{source}` is neither an object nor a string", hint=HINT)
    return value


def _lower(reason: str) -> str:
    return reason[:1].lower() + reason[1:]
