"""The worker as its parent sees it: started, asked within a time, and ended whatever it does."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal, TypeVar

from mmai.backends.coreml.apple import frames
from mmai.backends.coreml.apple.frames import Array, BadFrame
from mmai.backends.coreml.apple.messages import Answer, Failed, Order, Reply, Request

R = TypeVar("R", bound=Reply)

WORKER = "mmai.backends.coreml.apple.worker"

BUFFER_BYTES = 2**20
"""Of the line, in either direction: macOS gives it 8 kB, and features of half a minute of sound are a megabyte."""
TAIL_BYTES = 4096
"""Of what it wrote on standard error, so much is kept."""
CLOSING_S = 1.0
"""For a worker that was let go to end by itself."""
REAPING_S = 5.0
"""For the system to take away what was killed."""


class Lost(Exception):
    """The worker is gone, and so is what it was asked."""

    def __init__(self, how: Literal["slow", "died", "junk", "closed"], *, detail: str = "", code: int | None = None) -> None:
        super().__init__(how)
        self.how = how
        self.detail = detail
        """What was wrong with its answer, or the last line it wrote on standard error."""
        self.code = code
        """As `subprocess` has it: its exit code, or minus the signal that ended it."""

    @property
    def signal(self) -> str | None:
        """The signal that ended it."""
        if self.code is None or self.code >= 0:
            return None
        with suppress(ValueError):
            return signal.Signals(-self.code).name
        return f"signal {-self.code}"


class Worker:
    """One process. It answers one question at a time; its owner sees to that."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._tail = bytearray()
        self._listening = asyncio.create_task(self._listen())
        self.alive = True
        self.memory_bytes: int | None = None
        """Its peak resident size when it last answered."""

    @classmethod
    async def start(cls, engine: str, *, temporary: str) -> "Worker":
        """A new interpreter, never a fork of this one: Core ML does not survive that.

        Args:
            engine: the module that does the work.
            temporary: the folder it is to use for temporary files.

        Raises:
            OSError: the system starts no more processes.
        """
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            with suppress(OSError):  # a system may allow less
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        try:
            with theirs:
                # -P: what lies in the folder the command was typed in is nobody's module.
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", WORKER, str(theirs.fileno()), engine, temporary),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                )
            reader, writer = await asyncio.open_connection(sock=ours, limit=BUFFER_BYTES)
        except BaseException:
            ours.close()
            raise
        return cls(process, reader, writer)

    async def ask(
        self, request: Request, expected: type[R], *, arrays: Sequence[Array] = (), timeout_s: float
    ) -> tuple[R | Failed, list[Array]]:
        """What it answers, and the arrays of that. When it does not, or this is cancelled, it is ended.

        Raises:
            Lost: it took longer than `timeout_s`, died, or wrote what is no answer.
        """
        if not self.alive:
            raise Lost("closed")
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(frames.frame(Order(request=request, timeout_s=timeout_s), arrays))
                return await self._answer(expected)
        except TimeoutError as exc:
            await self.kill()
            raise Lost("slow") from exc
        except BadFrame as exc:
            await self.kill()
            raise Lost("junk", detail=str(exc)) from exc
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise await self._ended() from exc
        except BaseException:
            await self.kill()
            raise

    async def close(self) -> None:
        """Let it end by itself, which it does when the line closes; one that does not is killed. May be called twice."""
        if self.alive:
            self.alive = False
            self._writer.close()
            await self._reaped(CLOSING_S)
        await self.kill()

    async def kill(self) -> None:
        """End it now, and wait until the system has taken it away."""
        self.alive = False
        with suppress(ProcessLookupError):
            self._process.kill()
        self._writer.close()
        await self._reaped(REAPING_S)
        self._listening.cancel()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _reaped(self, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._process.wait()

    async def _ended(self) -> Lost:
        """How it came to its end; one that only closed the line is killed, which is no death of its own."""
        await self._reaped(CLOSING_S)
        code = self._process.returncode
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._listening), CLOSING_S)
        await self.kill()
        return Lost("died", code=code, detail=last_line(self._tail.decode(errors="replace")))

    async def _send(self, pieces: Iterator[bytes | memoryview]) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()

    async def _answer(self, expected: type[R]) -> tuple[R | Failed, list[Array]]:
        prefix = await self._reader.readexactly(frames.PREFIX.size)
        answer = frames.message_of(await self._reader.readexactly(frames.body_bytes(prefix)), Answer)
        announced = frames.arrays_of(answer)
        # Nothing is set aside for what is only announced: the reader's buffer grows with what comes.
        arrays = [frames.array_of(value, await self._reader.readexactly(frames.array_bytes(value))) for value in announced]
        if not isinstance(answer.reply, expected | Failed):
            raise BadFrame(f"it said `{type(answer.reply).__name__}` where `{expected.__name__}` was due")
        self.memory_bytes = answer.memory_bytes
        return answer.reply, arrays

    async def _listen(self) -> None:
        assert self._process.stderr is not None, "it was started with a pipe"
        while data := await self._process.stderr.read(TAIL_BYTES):
            self._tail = (self._tail + data)[-TAIL_BYTES:]


def last_line(text: str) -> str:
    """The last line that says anything, without what no terminal should get, at most 200 characters."""
    lines = ["".join(character for character in line if character.isprintable()).strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line), "")[:200]
