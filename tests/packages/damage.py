"""Files replaced thousands of times, by damaged ones."""

from pathlib import Path


def replaced(path: Path, content: bytes | bytearray) -> Path:
    """The file with other bytes. It is made anew: one that is cut off first is written to the disk by ext4, in a millisecond."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path
