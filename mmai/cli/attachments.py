"""Bytes a user hands in, recognised by what they are and not by what they are called."""

from pathlib import Path

from mmai.errors import UsageError
from mmai.values.media import sniffed
from mmai.values.request import AudioPart, ImagePart, Part, TextPart

MAX_BYTES = 64 << 20

HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")
"""What a phone's pictures begin with. Pillow has no decoder for them."""

BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_attachment(path: Path) -> Part:
    """A file as the part of a message it makes: text, image or audio.

    Raises:
        UsageError: it cannot be read, is empty or larger than 64 MiB, or holds nothing a model takes.
    """
    try:
        if path.is_dir():
            raise UsageError(f"`{path}` is a folder; attach its files one by one", hint=f"mmai run -f {path}/FILE")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"`{path}` is larger than {MAX_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read `{path}`: {exc.strerror or exc}") from exc
    if not data:
        raise UsageError(f"`{path}` is empty")
    return as_part(data, str(path))


def as_part(data: bytes, name: str) -> Part:
    """Bytes as the part of a message they make; `name` is what a refusal calls them.

    Raises:
        UsageError: they are neither UTF-8 or UTF-16 text nor an image or sound that models take.
    """
    kind = sniffed(data)
    if kind is None:
        return TextPart(_text(data, name))
    return ImagePart(data, kind, name) if kind.startswith("image/") else AudioPart(data, kind, name)


def _text(data: bytes, name: str) -> str:
    encoding = next((encoding for bom, encoding in BOMS if data.startswith(bom)), "utf-8")
    if data.startswith(b"%PDF-"):
        raise UsageError(f"{name} is a PDF, which is not read here", hint="pdftotext FILE.pdf - | mmai run PROMPT")
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        raise UsageError(f"{name} is a HEIC picture, which is not read here", hint="heif-convert FILE.heic FILE.jpg")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"{name} is neither text (byte 0x{data[exc.start]:02x} at {exc.start} is not {encoding.upper()}) nor a PNG, JPEG, WebP, "
            "GIF, TIFF, BMP, AVIF, WAV, AIFF, CAF, MP3, M4A, AAC, FLAC or OGG file"
        ) from exc
    if "\0" in text:
        raise UsageError(f"{name} is not text: it has a zero byte at {text.index(chr(0))}")
    return text
