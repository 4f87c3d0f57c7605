"""The process that holds one model: it takes orders over a socket of its own until that closes, or it dies trying.

Core ML keeps the interpreter to itself while it loads and predicts, redirects standard output, fills the folder for temporary files
and now and then aborts; so it gets a process that can be killed, and a folder that can be thrown away.
"""

import importlib
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Protocol, cast

from mmai.backends.coreml.apple import frames
from mmai.backends.coreml.apple.frames import Array
from mmai.backends.coreml.apple.messages import Answer, Failed, Order, Reply, Request

GRACE_S = 5
"""What whoever asked has longer to end this process before it ends itself."""


class Engine(Protocol):
    """What does the work. `engine.py` is the one there is; the tests have others, which misbehave."""

    def answer(self, request: Request, arrays: Sequence[Array]) -> tuple[Reply, Sequence[Array]]:
        """Do what is asked. `arrays` are those of the request's values, in order; those of the reply come back with it."""
        ...


def main(descriptor: int, engine: str, temporary: str) -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group of processes; the one in front decides
    os.environ["TMPDIR"] = temporary
    with socket.socket(fileno=descriptor) as line:
        serve(line, cache(lambda: cast(Engine, importlib.import_module(engine).Engine())))


def serve(line: socket.socket, engine: Callable[[], Engine]) -> None:
    """Take orders until the line closes."""
    while (read := _read(line)) is not None:
        order, given = read
        with _ending_after(order.timeout_s + GRACE_S):
            reply, arrays = _answered(engine, order.request, given)
        for piece in frames.frame(Answer(reply=reply, memory_bytes=_peak_bytes()), arrays):
            line.sendall(piece)


@contextmanager
def _ending_after(timeout_s: float) -> Iterator[None]:
    """Whoever asked may have been killed, and nothing else would end a call that hangs: an alarm needs no interpreter."""
    if sys.platform == "win32":
        yield
        return
    signal.alarm(math.ceil(timeout_s))
    try:
        yield
    finally:
        signal.alarm(0)


def _answered(engine: Callable[[], Engine], request: Request, arrays: list[Array]) -> tuple[Reply, Sequence[Array]]:
    """Whatever the framework raises is told, and the process lives on."""
    try:
        return engine().answer(request, arrays)
    except MemoryError:
        return Failed(message="there is not enough memory"), ()
    except Exception as exc:
        return Failed(message=f"{type(exc).__name__}: {exc}"), ()


def _peak_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Windows has none

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Source: man 2 getrusage, of either


def _read(line: socket.socket) -> tuple[Order, list[Array]] | None:
    """The next order and its arrays; None where the line closed."""
    prefix = _exactly(line, frames.PREFIX.size)
    body = prefix and _exactly(line, frames.body_bytes(prefix))
    if not body:
        return None
    order = frames.message_of(body, Order)
    arrays = []
    for value in frames.arrays_of(order):
        data = _exactly(line, frames.array_bytes(value))
        if data is None:
            return None
        arrays.append(frames.array_of(value, data))
    return order, arrays


def _exactly(line: socket.socket, size: int) -> bytearray | None:
    """So many bytes; None where the line closed before."""
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = line.recv_into(rest)
        if not count:
            return None
        rest = rest[count:]
    return data


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
