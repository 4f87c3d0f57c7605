"""Whole responses: values, and what is said in place of one."""

import pytest
from msgspec import Struct

from mmai.dialects.body import Decoder, error_of, one_line, words
from mmai.errors import ProtocolError

DEEP = b"[" * 5_000
"""Deeper than the parser goes."""


class Named(Struct):
    name: str


decode = Decoder(lambda body: words(error_of(body, page="a page")))


def refused(body: bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as raised:
        decode(body, Named, where="Somebody", what="a name")
    return raised.value


def test_a_response_of_the_shape_asked_for_is_a_value() -> None:
    assert decode(b'{"name": "x", "more": 1}', Named, where="Somebody", what="a name") == Named("x")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the response is empty"),
        (b"<html>hi</html>", "a page"),
        (b"down for\n  repairs", "down for repairs"),
        (b'{"error": {"message": "busy"}}', "busy"),
        (b'[{"error": "busy"}]', "busy"),
        (b'{"name": 3}', '{"name":3}'),
    ],
)
def test_any_other_response_is_an_error_that_says_what_came(body: bytes, said: str) -> None:
    error = refused(body)
    assert error.message == f"Somebody did not send a name: {said}"
    assert error.body == (said if body else None)


def test_a_response_too_deep_to_read_is_an_error_like_any_other() -> None:
    assert refused(DEEP).message == f"Somebody did not send a name: {'[' * 200}"


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are() -> None:
    assert one_line(b"caf\xe9 \xff", page="a page") == "caf� �"


def test_a_long_response_is_cut() -> None:
    assert one_line(b"x" * 9_000, page="a page") == "x" * 2_000
