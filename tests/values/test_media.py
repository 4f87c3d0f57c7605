"""Types of images and sounds."""

import pytest

from mmai.values.media import SUFFIXES, sniffed, suffix_of, usual


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI ", None),
        (b"FORM\x00\x00\x00\x00AIFF", "audio/aiff"),
        (b"FORM\x00\x00\x00\x00AIFC", "audio/aiff"),
        (b"FORM follows function", None),
        (b"caff\x00\x01\x00\x00desc", "audio/x-caf"),
        (b"caffeine", None),
        (b"ID3\x04", "audio/mpeg"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypheic", None),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"II*\x00\x08\x00", "image/tiff"),
        (b"MM\x00*\x00\x08", "image/tiff"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "image/bmp"),
        (b"BMW makes cars, and more of them", None),
        (b"\xff\xf1\x50", "audio/aac"),
        (b"OggS", "audio/ogg"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_a_type_is_told_by_the_first_bytes(data: bytes, media_type: str | None) -> None:
    assert sniffed(data) == media_type


def test_a_type_has_one_name() -> None:
    assert [usual(name) for name in ("audio/x-wav", "Audio/L16;rate=24000", "image/jpg", "image/png")] == [
        "audio/wav",
        "audio/pcm",
        "image/jpeg",
        "image/png",
    ]


def test_a_suffix_says_the_type_it_was_made_from() -> None:
    assert all(SUFFIXES[suffix_of(media_type)] == media_type for media_type in SUFFIXES.values())
    assert suffix_of("application/x-thing") == ".bin"
