"""The records of a stream: what is forgiven, what is counted, and what a stream that ends early comes to."""

import pytest
from msgspec import Struct

from mmai.dialects.records import Records
from mmai.errors import IncompleteAnswer, ProtocolError


class Line(Struct):
    text: str


def records() -> Records[Line]:
    return Records(Line, where="Somebody", unit="lines")


def test_one_piece_that_cannot_be_read_is_skipped_and_counted() -> None:
    reading = records()
    assert list(reading.read([b'{"text":"a"}', b"oops", b'{"text":"b"}'])) == [Line("a"), Line("b")]
    assert reading.skipped == 1


@pytest.mark.parametrize("second", [b"x" * 100, b"\xff", b'{"text":3}', b"[" * 5_000])
def test_the_second_is_an_error_that_shows_how_it_begins(second: bytes) -> None:
    seen = second[:80].decode("utf-8", "replace")
    with pytest.raises(ProtocolError) as raised:
        list(records().read([b"oops", second]))
    assert raised.value.message == f"Somebody sent 2 lines that are not its protocol, the last `{seen}`"


def test_the_records_before_the_error_are_given() -> None:
    reading = records().read([b"oops", b'{"text":"a"}', b"oops"])
    assert next(reading) == Line("a")
    with pytest.raises(ProtocolError):
        next(reading)


def test_a_stream_that_meant_something_is_cut_where_it_ends_early() -> None:
    reading = records()
    list(reading.read([b'{"text":"a"}']))
    error = reading.incomplete("the download", hint="mmai pull x")
    assert isinstance(error, IncompleteAnswer)
    assert (error.message, error.reason) == ("Somebody ended the download before it was whole", "cut")
    assert error.hint == "mmai pull x"


def test_a_stream_that_meant_nothing_is_no_answer() -> None:
    reading = records()
    assert isinstance(reading.incomplete(), ProtocolError)
    assert reading.incomplete().message == "Somebody sent nothing as the answer"
    list(reading.read([b'{"text":"a"}']))
    reading.unknown += 1
    assert isinstance(reading.incomplete(), ProtocolError)
    assert reading.incomplete().message == "Somebody sent something else as the answer"
