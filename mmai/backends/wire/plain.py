"""HTTP/1.1 without TLS or proxy, by h11 over asyncio: what a local server needs, at 45 ms less start-up than httpx."""

import asyncio
from collections.abc import Mapping

import h11

from mmai.backends.wire.exchange import cannot_connect, connect_timed_out, cut, no_answer, not_http
from mmai.errors import CannotConnect
from mmai.values.url import Address

MAX_HEAD_BYTES = 64 * 1024
MAX_UNREAD_BYTES = 256 * 1024
"""What may wait to be read before the server is made to wait."""
SECOND_ADDRESS_DELAY_S = 0.25
"""How long one address of a host is waited for before the next is tried beside it (RFC 8305)."""


class Plain:
    """Connections to one server, kept for the next request while the server keeps them."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._where = f"`{address.authority}`"
        self._idle: list[_Connection] = []

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, connect_s: float
    ) -> "PlainExchange":
        """See `Transport.send`. A kept connection that dies before it says anything is replaced, once."""
        target = url.removeprefix(f"{self._address.scheme}://{self._address.authority}") or "/"
        fields = [("Host", self._address.authority), *headers.items(), ("Content-Length", str(len(body)))]
        request = h11.Request(method=method, target=target, headers=fields)
        if kept := self._kept():
            try:
                return await self._ask(kept, request, body)
            except CannotConnect:
                if kept.heard:
                    raise
        return await self._ask(await self._connect(connect_s), request, body)

    async def aclose(self) -> None:
        """See `Transport.aclose`."""
        while self._idle:
            self._idle.pop().abort()
        await asyncio.sleep(0)

    def keep(self, connection: "_Connection") -> None:
        """Take back a connection whose answer is whole, if it can serve another."""
        if connection.renew():
            self._idle.append(connection)

    async def _ask(self, connection: "_Connection", request: h11.Request, body: bytes) -> "PlainExchange":
        try:
            connection.write(request, body)
            while isinstance(head := await connection.next_event(), h11.InformationalResponse):
                pass
        except h11.RemoteProtocolError as exc:
            connection.abort()
            raise no_answer(self._where, connection.error) if connection.ended else not_http(self._where, exc) from exc
        except OSError as exc:
            connection.abort()
            raise no_answer(self._where, exc) from exc
        except BaseException:
            connection.abort()
            raise
        assert isinstance(head, h11.Response)
        return PlainExchange(self, connection, head, self._where)

    def _kept(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet:
                return connection
            connection.abort()
        return None

    async def _connect(self, connect_s: float) -> "_Connection":
        loop = asyncio.get_running_loop()
        host, port = self._address.host, self._address.port
        opening = loop.create_task(loop.create_connection(_Connection, host, port, happy_eyeballs_delay=SECOND_ADDRESS_DELAY_S))
        try:
            # It is left and not cancelled: asyncio would lose a socket that has just connected, which nobody closes until it is
            # garbage (3.11.7 with `happy_eyeballs_delay`: 33 of 47 calls that were cancelled while connecting).
            async with asyncio.timeout(connect_s):
                _, connection = await asyncio.shield(opening)
        except TimeoutError as exc:
            opening.add_done_callback(_drop)
            raise connect_timed_out(self._where, connect_s) from exc
        except OSError as exc:
            raise cannot_connect(self._where, exc) from exc
        except asyncio.CancelledError:
            opening.add_done_callback(_drop)
            raise
        return connection


def _drop(opening: "asyncio.Task[tuple[asyncio.Transport, _Connection]]") -> None:
    """Close a connection nobody waits for any more, when there is one."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].abort()


class PlainExchange:
    """See `Exchange`."""

    def __init__(self, home: Plain, connection: "_Connection", head: h11.Response, where: str) -> None:
        self.status = head.status_code
        self.headers: dict[str, str] = {}
        for raw_name, raw_value in head.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._home = home
        self._connection: _Connection | None = connection
        self._where = where

    async def receive(self) -> bytes:
        """See `Exchange.receive`."""
        connection = self._connection
        if connection is None:
            return b""
        try:
            while isinstance(event := await connection.next_event(), h11.Data):
                if event.data:
                    return bytes(event.data)
        except h11.RemoteProtocolError as exc:
            raise cut(self._where, connection.error) if connection.ended else not_http(self._where, exc) from exc
        except OSError as exc:
            raise cut(self._where, exc) from exc
        self._connection = None
        self._home.keep(connection)
        return b""

    async def aclose(self) -> None:
        """See `Exchange.aclose`."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None


class _Connection(asyncio.Protocol):
    """A socket and the state of its HTTP.

    Not asyncio's streams: those forget what was received when a write fails, and with it an answer that came early.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._unread = bytearray()
        self._news = asyncio.Event()
        self.ended = False
        self.error: Exception | None = None
        """Why it ended, where that was not in order."""
        self.heard = False
        """Something came since the last request."""

    @property
    def is_quiet(self) -> bool:
        """Open, with nothing to read: fit for a request."""
        return not self.ended and not self._unread and not self.transport.is_closing()

    def write(self, request: h11.Request, body: bytes) -> None:
        """Hand a request to the socket without waiting for it to be sent, so that an early answer is heard."""
        self.heard = False
        parts = [self._http.send(request), self._http.send(h11.Data(data=body)), self._http.send(h11.EndOfMessage())]
        self.transport.write(b"".join(part for part in parts if part))

    async def next_event(self) -> object:
        """The next event of the answer.

        Raises:
            h11.RemoteProtocolError: it is not HTTP, or (`ended`) the connection was closed too early.
            OSError: the connection was lost.
        """
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._read())
        return event

    def renew(self) -> bool:
        """Whether it stands at the start again; closed where not."""
        whole = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if whole and self.is_quiet and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            return True
        self.abort()
        return False

    def abort(self) -> None:
        """Drop the connection at once."""
        self.transport.abort()

    async def _read(self) -> bytes:
        """What came, at least a byte; empty when the server closed in order."""
        while not self._unread:
            if self.error:
                raise self.error
            if self.ended:
                return b""
            self._news.clear()
            await self._news.wait()
        data = bytes(self._unread)
        self._unread.clear()
        self.transport.resume_reading()
        return data

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self._unread += data
        if len(self._unread) > MAX_UNREAD_BYTES:
            self.transport.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        self.ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.error = exc
        self._news.set()
