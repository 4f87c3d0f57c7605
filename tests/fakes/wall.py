"""A raw HTTP/1.1 server on loopback, in a thread of its own, that does to a client whatever a script says.

It stands below HTTP libraries so that resets, half answers and silence are possible. Nothing sleeps: a delay is a `Gate` that
the test opens, and what the server saw is waited for in the `Journal`.

    wall.answers(503, {"error": "busy"}, headers={"Retry-After": "2"}, times=1)   # the next request only
    wall.says(head(200, {"Transfer-Encoding": "chunked"}), chunk(b"Hel"), gate, RESET)
"""

import asyncio
import contextlib
import enum
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

WAIT_S = 10.0
"""How long a test waits for what must happen; reaching it is a failure."""


class Fault(enum.Enum):
    """What a server can do to a connection beside writing to it."""

    RESET = "RST: what is still under way is lost"
    CLOSE = "FIN, however much was promised"
    SILENCE = "nothing more, until the client hangs up"


RESET, CLOSE, SILENCE = Fault.RESET, Fault.CLOSE, Fault.SILENCE


class Gate:
    """A place in a script where the server waits for the test."""

    def __init__(self) -> None:
        self._opened: Future[None] = Future()
        self._reached = threading.Event()

    def open(self) -> None:
        """Let the server go on."""
        if not self._opened.done():
            self._opened.set_result(None)

    def wait_reached(self) -> None:
        """Block until the server stands here."""
        assert self._reached.wait(WAIT_S), "the server never came to this gate"

    async def reached(self) -> None:
        """Wait until the server stands here, leaving the test's own loop running."""
        await asyncio.to_thread(self.wait_reached)

    async def passed(self) -> None:
        """The server's side."""
        self._reached.set()
        await asyncio.shield(asyncio.wrap_future(self._opened))


Step = bytes | Gate | Fault
Script = Iterable[Step]


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A response's head."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(status: int = 200, body: object = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A response with its length; what is not bytes or text is sent as JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "text/plain" if isinstance(body, bytes | str) else "application/json"
    return head(status, {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}) + data


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


CHUNKED = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The decoded body; None where it is empty."""
        return json.loads(self.body) if self.body else None

    @property
    def model(self) -> str | None:
        """The model the body names."""
        return self.json.get("model") if isinstance(self.json, dict) else None


@dataclass
class Journal:
    """What the server saw, in order."""

    requests: list[Seen] = field(default_factory=list)
    hangups: list[Seen] = field(default_factory=list)
    """Requests whose client left before their script had ended."""
    connections: int = 0
    open_connections: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def paths(self) -> list[str]:
        """`POST /api/chat` and the like."""
        return [f"{seen.method} {seen.path}" for seen in self.requests]

    def of(self, path: str) -> list[Seen]:
        """The requests for one path."""
        return [seen for seen in self.requests if seen.path == path]

    def wait_requests(self, count: int = 1) -> None:
        """Block until `count` requests have come in all."""
        self._wait(lambda: len(self.requests) >= count, f"{count} requests")

    def wait_hangups(self, count: int = 1) -> None:
        """Block until `count` clients have left early."""
        self._wait(lambda: len(self.hangups) >= count, f"{count} hang-ups")

    def wait_all_closed(self) -> None:
        """Block until no connection is open."""
        self._wait(lambda: self.open_connections == 0, "every connection closed")

    def _wait(self, happened: Any, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(happened, WAIT_S), f"waited in vain for {what}; saw {self.paths}"

    @contextlib.contextmanager
    def entry(self) -> Iterator[None]:
        """Hold the journal while something is written into it."""
        with self._changed:
            yield
            self._changed.notify_all()


@dataclass
class _Rule:
    say: Callable[[Seen], Script]
    fits: Callable[[Seen], bool]
    times: int | None


class Wall:
    """The server. Use as a context manager, or through the `wall` fixture."""

    reads_bodies = True
    """False answers as soon as the head of a request is there."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.journal = Journal()
        self._rules: list[_Rule] = []
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake server", daemon=True)
        self._thread.start()
        self._server = self._call(self._loop.create_server(lambda: _Connection(self), host, port, ssl=tls))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://" + (f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}")

    def says(self, *steps: Step, path: str | None = None, model: str | None = None, times: int | None = None) -> None:
        """Answer with raw steps: to requests for `path` and `model` where given, `times` times, or from now on."""
        self.when(
            lambda seen: path in (None, seen.path) and (model is None or model == seen.model), lambda seen: steps, times=times
        )

    def when(self, fits: Callable[[Seen], bool], say: Callable[[Seen], Script], *, times: int | None = None) -> None:
        """Answer what `fits` with what `say` makes of it.

        Counted rules come first, in the order they were made; then the newest of the others.
        """
        self._rules.append(_Rule(say, fits, times))

    def answers(
        self,
        status: int = 200,
        body: object = b"",
        *,
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer with one whole response."""
        self.says(whole(status, body, headers), path=path, model=model, times=times)

    def default(self, seen: Seen) -> Script:
        """What is said where no rule fits."""
        return [whole(404, f"nothing is scripted for {seen.method} {seen.path}")]

    def script(self, seen: Seen) -> Script:
        """What is said to one request."""
        fitting = [rule for rule in self._rules if rule.times != 0 and rule.fits(seen)]
        counted = [rule for rule in fitting if rule.times is not None]
        if counted:
            counted[0].times = (counted[0].times or 0) - 1
            return counted[0].say(seen)
        return fitting[-1].say(seen) if fitting else self.default(seen)

    def close(self) -> None:
        """Drop every connection and stop. May be called twice."""
        if self._loop.is_closed():
            return
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_S)

    async def _stop(self) -> None:
        self._server.close()
        tasks = [connection.task for connection in self._connections]
        for connection in list(self._connections):
            connection.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport
    task: asyncio.Task[None]

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.buffer = bytearray()
        self.arrived = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        with self.wall.journal.entry():
            self.wall.journal.connections += 1
            self.wall.journal.open_connections += 1
        self.wall._connections.add(self)
        self.task = asyncio.get_running_loop().create_task(self.serve())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.arrived.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.task.cancel()
        self.wall._connections.discard(self)
        with self.wall.journal.entry():
            self.wall.journal.open_connections -= 1

    async def serve(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                seen = await self.request()
                with self.wall.journal.entry():
                    self.wall.journal.requests.append(seen)
                if not await self.play(seen):
                    return

    async def request(self) -> Seen:
        start, *lines = (await self.until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = start.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self.exactly(int(headers.get("content-length", 0))) if self.wall.reads_bodies else b""
        return Seen(method, path, headers, body)

    async def play(self, seen: Seen) -> bool:
        """Whether the connection may take another request."""
        try:
            for step in self.wall.script(seen):
                match step:
                    case bytes():
                        self.transport.write(step)
                        await asyncio.sleep(0)
                        await self.writable.wait()
                    case Gate():
                        await step.passed()
                    case Fault.SILENCE:
                        await asyncio.get_running_loop().create_future()
                    case Fault.CLOSE:
                        self.transport.close()
                        return False
                    case Fault.RESET:
                        linger = struct.pack("ii", 1, 0)
                        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self.transport.abort()
                        return False
        except asyncio.CancelledError:
            with self.wall.journal.entry():
                self.wall.journal.hangups.append(seen)
            raise
        return True

    async def until(self, mark: bytes) -> bytes:
        while (at := self.buffer.find(mark)) < 0:
            await self.more()
        found = bytes(self.buffer[:at])
        del self.buffer[: at + len(mark)]
        return found

    async def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            await self.more()
        found = bytes(self.buffer[:count])
        del self.buffer[:count]
        return found

    async def more(self) -> None:
        self.arrived.clear()
        await self.arrived.wait()


def serve(server: Wall, shown: str) -> None:
    """Serve by hand until interrupted; `shown` is what to point a client at."""
    with server, contextlib.suppress(KeyboardInterrupt):
        print(shown, flush=True)
        threading.Event().wait()


def words(text: str) -> list[str]:
    """A text in the pieces a model would stream: word by word, the space before each."""
    return text.replace(" ", "\0 ").split("\0")


@contextlib.contextmanager
def refused() -> Iterator[str]:
    """The URL of a port that is taken but not listened on, so that nobody else can answer there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
