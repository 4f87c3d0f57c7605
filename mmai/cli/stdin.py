"""Standard input of a command that may have been given a prompt as well. Never hangs in silence, never drops a byte."""

import os
import select
import stat
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

from mmai.errors import UsageError

HINT_AFTER_S = 2.0
CHUNK_BYTES = 1 << 20
MAX_BYTES = 64 << 20


def piped() -> BinaryIO | None:
    """Standard input if something feeds it: a pipe, a file or a socket. A terminal, `/dev/null` or a closed one feed nothing."""
    try:
        stream = sys.stdin.buffer
        mode = os.fstat(stream.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return None
    return stream if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode) else None


def read_piped(stream: BinaryIO, *, give_up_s: float, say: Callable[[str], None]) -> bytes:
    """All of a piped standard input.

    A pipe that stays silent is mentioned after 2 s and given up after `give_up_s`; one that has sent something may take its
    time to the end.

    Raises:
        UsageError: not a byte came within `give_up_s`, or more than 64 MiB did.
    """
    _await_first_byte(stream.fileno(), give_up_s=give_up_s, say=say)
    chunks: list[bytes] = []
    size = 0
    while chunk := os.read(stream.fileno(), CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise UsageError(f"standard input is larger than {MAX_BYTES >> 20} MiB")
    return b"".join(chunks)


def _await_first_byte(descriptor: int, *, give_up_s: float, say: Callable[[str], None]) -> None:
    if sys.platform == "win32":  # select() takes only sockets there
        return
    until = time.monotonic() + give_up_s
    if select.select([descriptor], [], [], min(HINT_AFTER_S, give_up_s))[0]:
        return
    if give_up_s > HINT_AFTER_S:
        say(f"waiting for standard input for up to {give_up_s:g} s (-I ignores it)")
        if select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
            return
    raise UsageError(
        f"standard input is open, and nothing came in {give_up_s:g} s",
        hint="mmai run -I ignores it, --stdin-timeout S waits longer",
    )
