import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.ndjson import Lines
from mmai.errors import ProtocolError


@given(st.lists(st.binary(max_size=6)))
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    whole, cut = Lines(), Lines()
    data = b"".join(pieces)
    expected = whole.feed(data) + whole.close()
    assert [line for piece in pieces for line in cut.feed(piece)] + cut.close() == expected
    assert expected == [line.strip(b"\r\n \t") for line in data.split(b"\n") if line.strip(b"\r\n \t")]


def test_a_long_line_in_small_pieces_is_whole() -> None:
    lines = Lines()
    piece = b"x" * 65_536
    assert [lines.feed(piece) for _ in range(16)] == [[]] * 16
    assert lines.feed(b"\n") == [b"x" * 1_048_576]


@pytest.mark.parametrize("pieces", [(b"x" * 11,), (b"x" * 6, b"x" * 6), (b"x" * 11 + b"\n",), (b"a\n" + b"x" * 11 + b"\nb\n",)])
def test_a_line_over_the_limit_is_refused(pieces: tuple[bytes, ...]) -> None:
    lines = Lines(max_line_bytes=10)
    with pytest.raises(ProtocolError):
        for piece in pieces:
            lines.feed(piece)
