import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.dialects.sse import Frame, Frames
from mmai.errors import ProtocolError


def frames_of(*pieces: bytes) -> list[Frame]:
    frames = Frames()
    return [frame for piece in pieces for frame in frames.feed(piece)] + frames.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    return [data[a:b] for a, b in zip([0, *sorted(places)], [*sorted(places), len(data)], strict=True)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_three_ways(end: bytes) -> None:
    assert frames_of(end.join([b"event: greeting", b"data: hi", b"", b"data: you", b"", b""])) == [
        Frame("greeting", b"hi"),
        Frame(None, b"you"),
    ]


def test_a_line_end_split_over_two_packets_is_one() -> None:
    assert frames_of(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [Frame(None, b"a\nb")]


def test_a_lone_carriage_return_at_the_end_of_a_packet_waits_for_what_follows() -> None:
    frames = Frames()
    assert frames.feed(b"data: a\r\r") == []
    assert frames.feed(b"data: b\r\r\n") == [Frame(None, b"a"), Frame(None, b"b")]


def test_a_byte_order_mark_is_dropped_at_the_start_alone() -> None:
    mark = b"\xef\xbb\xbf"
    assert frames_of(mark[:2], mark[2:] + b"data: a\n\n") == [Frame(None, b"a")]
    assert frames_of(b"data: a\n\n" + mark + b"data: b\n\n") == [Frame(None, b"a")]


def test_lines_of_data_are_joined() -> None:
    assert frames_of(b"data: a\ndata:\ndata: b\n\n") == [Frame(None, b"a\n\nb")]


def test_one_space_after_the_colon_is_no_part_of_the_value() -> None:
    assert frames_of(b"data:a\n\ndata: a\n\ndata:  a\n\n") == [Frame(None, b"a"), Frame(None, b"a"), Frame(None, b" a")]


def test_comments_ids_and_waiting_times_mean_nothing() -> None:
    frames = Frames()
    assert frames.feed(b": keep-alive\n\nid: 7\nretry: 10\n: OPENROUTER PROCESSING\ndata: a\n\n") == [Frame(None, b"a")]
    assert frames.strays == b""


def test_an_event_without_data_is_none_and_its_type_is_forgotten() -> None:
    assert frames_of(b"event: ping\n\ndata: a\n\n") == [Frame(None, b"a")]


def test_a_field_without_a_colon_has_no_value() -> None:
    assert frames_of(b"data\n\n") == [Frame(None, b"")]


def test_the_last_event_needs_no_blank_line() -> None:
    assert frames_of(b"data: a\n\ndata: b") == [Frame(None, b"a"), Frame(None, b"b")]
    assert frames_of(b"data: a\r") == [Frame(None, b"a")]


def test_lines_outside_of_every_event_are_kept() -> None:
    frames = Frames()
    frames.feed(b'{"error": {\n"code": 500}}\n')
    assert frames.strays == b'{"error": {\n"code": 500}}\n'


def test_a_mebibyte_of_data_is_one_event() -> None:
    data = b"x" * (1 << 20)
    stream = b"data: " + data + b"\n\n"
    assert frames_of(*(stream[at : at + 4096] for at in range(0, len(stream), 4096))) == [Frame(None, data)]


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 200, b"data: 1234567890\n" * 20, b"stray line\n" * 20])
def test_what_grows_without_an_end_is_an_error(stream: bytes) -> None:
    frames = Frames(max_event_bytes=100)
    with pytest.raises(ProtocolError, match="no provider sends"):
        frames.feed(stream)


texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
kinds = st.none() | texts.map(lambda text: text.strip()).filter(bool)


@given(
    st.lists(st.tuples(kinds, st.lists(texts, min_size=1, max_size=3)), max_size=5),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.data(),
)
def test_any_cutting_of_a_stream_gives_the_same_events(
    events: list[tuple[str | None, list[str]]], end: bytes, data: st.DataObject
) -> None:
    stream = b""
    for kind, lines in events:
        fields = [f"event: {kind}"] if kind else []
        stream += end.join(line.encode() for line in (*fields, *(f"data: {line}" for line in lines), "", ""))
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    assert frames_of(*cut(stream, places)) == [Frame(kind, "\n".join(lines).encode()) for kind, lines in events]


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=8))
def test_whatever_comes_any_cutting_gives_the_same(stream: bytes, places: list[int]) -> None:
    assert frames_of(*cut(stream, [min(place, len(stream)) for place in places])) == frames_of(stream)
