"""Pictures of every mode and format come out as people see them, and what is none is refused by name."""

import io
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from mmai.backends.coreml import pictures
from mmai.backends.coreml.pictures import decode
from mmai.errors import UsageError
from mmai.values.request import ImagePart

ORANGE = (250, 120, 20)


def encoded(image: Image.Image, form: str = "PNG", **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **how)
    return file.getvalue()


def pixel(data: bytes) -> tuple[int, ...]:
    """The upper left one."""
    found = decode(ImagePart(data, "image/png", "a.png"))
    assert found.mode == "RGB"
    return tuple(np.asarray(found)[0, 0].tolist())


def flat(mode: str, color: object, size: tuple[int, int] = (4, 4)) -> Image.Image:
    return Image.new(mode, size, color)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_usual_format_is_read(form: str) -> None:
    found = pixel(encoded(flat("RGB", ORANGE), form))

    assert np.abs(np.subtract(found, ORANGE)).max() <= 4


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        (flat("1", 1), (255, 255, 255)),
        (flat("1", 0), (0, 0, 0)),
        (flat("L", 77), (77, 77, 77)),
        (flat("RGB", ORANGE).quantize(4), ORANGE),
        (flat("RGBA", (*ORANGE, 255)), ORANGE),
        (flat("LA", (77, 255)), (77, 77, 77)),
        (flat("I;16", 0xFFFF), (255, 255, 255)),
        (flat("I;16", 0x8080), (128, 128, 128)),
        (flat("I;16", 200), (1, 1, 1)),
    ],
    ids=["bit-white", "bit-black", "gray", "palette", "rgba", "la", "gray16-white", "gray16-middle", "gray16-dark"],
)
def test_modes_of_png(image: Image.Image, seen: tuple[int, ...]) -> None:
    assert pixel(encoded(image)) == seen


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        (flat("F", 0.5), (128, 128, 128)),
        (flat("F", 51.0), (51, 51, 51)),
        (flat("F", float("nan")), (0, 0, 0)),
        (flat("I", 51), (51, 51, 51)),
        (flat("I", 65_535), (255, 255, 255)),
        (flat("I", -7), (0, 0, 0)),
        (flat("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
        (flat("LAB", (255, 128, 128)), (255, 255, 255)),
    ],
    ids=["fractions", "floats", "nan", "int", "int-white", "negative", "cmyk", "lab"],
)
def test_modes_of_tiff(image: Image.Image, seen: tuple[int, ...]) -> None:
    assert np.abs(np.subtract(pixel(encoded(image, "TIFF")), seen)).max() <= 1


def test_ycbcr_of_a_jpeg_is_turned_into_rgb() -> None:
    assert np.abs(np.subtract(pixel(encoded(flat("RGB", ORANGE).convert("YCbCr"), "JPEG")), ORANGE)).max() <= 4


@pytest.mark.parametrize(
    "image",
    [
        flat("RGBA", (0, 0, 0, 0)),
        flat("LA", (0, 0)),
        flat("RGBA", (0, 0, 0, 0)).convert("PA"),
    ],
    ids=["rgba", "la", "pa"],
)
def test_what_is_transparent_is_white(image: Image.Image) -> None:
    assert pixel(encoded(image, "TIFF" if image.mode == "PA" else "PNG")) == (255, 255, 255)


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    assert pixel(encoded(flat("RGBA", (0, 0, 0, 128)))) == (127, 127, 127)


def test_a_palette_with_a_transparent_color_shows_white_there() -> None:
    image = flat("P", 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((3, 3), 1)

    assert pixel(encoded(image, transparency=0)) == (255, 255, 255)


def test_a_color_key_of_an_rgb_png_shows_white_there() -> None:
    assert pixel(encoded(flat("RGB", ORANGE), transparency=ORANGE)) == (255, 255, 255)


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [flat("RGB", color) for color in (ORANGE, (0, 0, 255))]

    assert pixel(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])) == ORANGE


@pytest.mark.parametrize(("orientation", "corner"), [(1, "red"), (3, "blue"), (6, "red"), (8, "blue")])
def test_a_picture_is_turned_as_its_exif_data_says(orientation: int, corner: str) -> None:
    image = flat("RGB", (255, 0, 0), (6, 2))
    image.paste((0, 0, 255), (3, 0, 6, 2))
    exif = Image.Exif()
    exif[0x0112] = orientation

    found = decode(ImagePart(encoded(image, "PNG", exif=exif), "image/png", "a.png"))

    assert found.size == ((2, 6) if orientation in (6, 8) else (6, 2))
    assert found.getpixel((0, 0)) == {"red": (255, 0, 0), "blue": (0, 0, 255)}[corner]


def test_damaged_exif_data_leaves_the_picture_as_it_is() -> None:
    data = encoded(flat("RGB", ORANGE), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")

    assert np.abs(np.subtract(pixel(data), ORANGE)).max() <= 4


def refused(data: bytes) -> str:
    with pytest.raises(UsageError) as refusal:
        decode(ImagePart(data, "image/png", "a.png"))
    return refusal.value.message


def test_an_empty_file_is_refused_by_name() -> None:
    assert refused(b"") == "`a.png` is empty"


def test_what_is_no_picture_is_refused_by_name() -> None:
    assert refused(b"hello") == "`a.png` is no picture of a format that is read here"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_picture_is_refused_by_name(form: str) -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    data = encoded(noise, form)

    assert refused(data[: len(data) // 2]).startswith("`a.png` ")


def a_png_of(width: int, height: int) -> bytes:
    """It says so, and has no such pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (1 << 30, 1 << 30)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    assert "`a.png` " in refused(a_png_of(*size))


def test_a_large_picture_within_the_limit_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        assert pixel(encoded(flat("RGB", ORANGE))) == ORANGE

    assert caught == []


def test_the_limit_is_the_files_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 15)

    assert refused(encoded(flat("RGB", ORANGE))).startswith("`a.png` has 4 x 4 pixels, more than")


PLAIN = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


@pytest.mark.parametrize("forms", [PLAIN, ("TIFF",)], ids=["plain", "tiff"])
def test_damaged_files_are_pictures_or_refusals_and_nothing_is_said(
    forms: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    damage = random.Random(7)
    originals = [encoded(Image.effect_noise((24, 24), 90).convert("RGB"), form) for form in forms]
    read = 0
    for _ in range(500):
        data = bytearray(damage.choice(originals))
        for _ in range(damage.randint(1, 6)):
            data[damage.randrange(len(data))] = damage.randrange(256)
        try:
            read += decode(ImagePart(bytes(data), "image/png", "a.png")).mode == "RGB"
        except UsageError as error:
            assert error.message.startswith("`a.png` ")
            assert "BytesIO" not in error.message

    assert 0 < read < 500
    if forms == PLAIN:  # libtiff writes to standard error itself, and Pillow offers no way to have it keep still
        assert capfd.readouterr().err == ""
