"""The images and sounds that models take and give: their types, by first bytes and by file suffix."""

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"caff\0\1", "audio/x-caf"),
)
AIFF = (b"AIFF", b"AIFC")
BITMAP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 108, 124))
"""Lengths of the second header of a BMP: its first two bytes alone could begin a text."""
WEB_IMAGES = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif"))
"""What services take; a model on this machine takes any."""
STUDIO_SOUNDS = frozenset(("audio/aiff", "audio/x-caf"))
"""What only a model on this machine takes."""
SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".aac": "audio/aac",
    ".m4a": "audio/mp4",
    ".pcm": "audio/pcm",
}
"""Of file names, in lower case, to the type they promise."""
OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/opus": "audio/ogg",
    "audio/l16": "audio/pcm",
}


def sniffed(data: bytes) -> str | None:
    """The type of an image or sound by its first bytes; None for anything else."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    if data[:4] == b"FORM" and data[8:12] in AIFF:
        return "audio/aiff"
    if data[4:8] == b"ftyp" and data[8:12] in (b"M4A ", b"M4B "):
        return "audio/mp4"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "image/avif"
    if data[:2] == b"BM" and data[6:10] == bytes(4) and data[14:18] in BITMAP_HEADERS:
        return "image/bmp"
    return next((kind for magic, kind in MAGIC if data.startswith(magic)), None)


def usual(media_type: str) -> str:
    """A type as it is usually written, without parameters: `audio/x-wav; rate=24000` is `audio/wav`."""
    bare = media_type.partition(";")[0].strip().lower()
    return OTHER_NAMES.get(bare, bare)


def suffix_of(media_type: str) -> str:
    """The suffix a file of this type gets: `.png`; `.bin` for a type not known here."""
    return next((suffix for suffix, kind in SUFFIXES.items() if kind == usual(media_type)), ".bin")
