"""Anthropic's list of models, as cards."""

import json
from typing import Any

import pytest
from fakes.anthropic import FakeModel

from mmai.dialects.anthropic import parse_models
from mmai.errors import ProtocolError
from mmai.values.model import ModelCard
from mmai.values.task import Modality

URL = "https://api.anthropic.com"


def parsed(*entries: dict[str, Any], **page: Any) -> tuple[list[ModelCard], str | None]:
    body = json.dumps({"data": entries, "has_more": False, "first_id": None, "last_id": None} | page).encode()
    return parse_models(body, provider="anthropic", url=URL, locality="cloud", where="`box`")


def card(model: FakeModel) -> ModelCard:
    (only,), _ = parsed(model.entry)
    return only


def test_a_card_says_what_the_list_says() -> None:
    assert card(FakeModel("claude-opus-5-5", line="opus")) == ModelCard(
        provider="anthropic",
        name="claude-opus-5-5",
        endpoints=(URL,),
        locality="cloud",
        capabilities=("text_generation", "tools", "vision", "thinking", "json_schema"),
        inputs=(Modality.TEXT, Modality.IMAGE),
        context_tokens=1_000_000,
        max_output_tokens=128_000,
        family="opus",
    )


def test_a_model_that_cannot_is_not_said_to() -> None:
    plain = card(FakeModel("claude-3-haiku", thinking=(), vision=False, schemas=False))
    assert plain.capabilities == ("text_generation", "tools")
    assert plain.inputs == (Modality.TEXT,)


def test_a_list_of_names_alone_leaves_the_rest_open() -> None:
    named = card(FakeModel("claude-opus-4-5", described=False))
    assert (named.capabilities, named.capabilities_guessed) == (("text_generation",), True)
    assert (named.context_tokens, named.max_output_tokens, named.deprecated) == (None, None, None)


def test_limits_of_nothing_are_unknown() -> None:
    assert card(FakeModel("x", 0, 0)).max_output_tokens is None


@pytest.mark.parametrize(
    ("lifecycle", "retires_at", "deprecated"),
    [
        ("active", None, None),
        ("deprecated", "2026-11-30T00:00:00Z", "2026-11-30"),
        ("deprecated", None, "deprecated"),
        ("retired", None, "retired"),
    ],
)
def test_a_model_that_is_about_to_go_says_when(lifecycle: str, retires_at: str | None, deprecated: str | None) -> None:
    assert card(FakeModel("x", lifecycle=lifecycle, retires_at=retires_at)).deprecated == deprecated


@pytest.mark.parametrize(
    ("page", "following"),
    [
        ({"has_more": True, "last_id": "x"}, "x"),
        ({"has_more": False, "last_id": "x"}, None),
        ({"has_more": None}, None),
        ({"has_more": True, "last_id": None}, None),
    ],
)
def test_the_next_page_begins_after_the_last_of_this(page: dict[str, Any], following: str | None) -> None:
    assert parsed(FakeModel("x").entry, **page)[1] == following


def test_an_empty_page_is_the_last_whatever_it_says() -> None:
    assert parsed(has_more=True, last_id="x") == ([], None)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"models": []}', b'{"data": [{}]}'])
def test_what_is_no_list_breaks_the_protocol(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_models(body, provider="anthropic", url=URL, locality="cloud", where="`box`")
