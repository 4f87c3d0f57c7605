"""The one room that knows an HTTP library: a request goes out, an answer comes back in chunks, under deadlines.

It never follows a redirect, never repeats a request that may have arrived, and never goes through a proxy to this machine.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Self

from mmai import __version__
from mmai.backends.wire.exchange import Exchange, Transport, redirected, silent
from mmai.backends.wire.plain import Plain
from mmai.errors import CallError, ConfigError, ProtocolError
from mmai.values.endpoint import Timeouts
from mmai.values.url import Address

MAX_BODY_BYTES = 64 * 1024 * 1024
SETTLE_S = 0.1
"""How long the end of an answer nobody reads on is waited for, so that its connection can be kept."""

__all__ = ["Reply", "Transport", "Wire"]


class Reply:
    """An answer: its head, and its body while it arrives."""

    def __init__(self, exchange: Exchange, *, where: str, timeouts: Timeouts, until: float) -> None:
        self.status = exchange.status
        self.headers = exchange.headers
        """Names in lower case."""
        self._exchange = exchange
        self._where = where
        self._timeouts = timeouts
        self._until = until
        self._began = False

    @property
    def is_json(self) -> bool:
        """Whether it says that it is one JSON value, which some servers send though a stream was asked for."""
        return self.headers.get("content-type", "").startswith("application/json")

    def chunks(self) -> AsyncIterator[bytes]:
        """The body in the pieces it arrives in, none of them empty. It can be read once.

        Raises:
            TimedOut: while iterating, in phase `first_token` or `stall`.
            IncompleteAnswer: the connection ended before the body did.
            ProtocolError: what came is not HTTP.
        """
        return self

    async def read(self, limit: int = MAX_BODY_BYTES) -> bytes:
        """The whole body, as `chunks` gives it.

        Raises:
            ProtocolError: it is longer than `limit` bytes.
        """
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                raise ProtocolError(f"{self._where} sent more than {limit} bytes where a short answer was due")
        return bytes(body)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        # A class and no generator, since nothing is left to be closed when a reader stops half-way.
        stall_until = asyncio.get_running_loop().time() + self._timeouts.stall_s
        try:
            async with asyncio.timeout_at(stall_until if self._began else self._until):
                chunk = await self._exchange.receive()
        except TimeoutError as exc:
            raise silent(self._where, self._timeouts, began=self._began) from exc
        self._began = True
        if not chunk:
            raise StopAsyncIteration
        return chunk


class Wire:
    """One server, by its base URL."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        proxied: bool = False,
        transport: Transport | None = None,
    ) -> None:
        """Nothing is sent yet. `headers` go with every request; `proxied` says the environment names a proxy for this host.

        Raises:
            UsageError: `url` is no http or https URL.
            ConfigError: a header cannot be sent.
        """
        for name, value in (headers or {}).items():
            if not (value.isascii() and value.isprintable()):
                raise ConfigError(f"the header `{name}` holds a character that HTTP cannot send, such as a line end")
        self._address = Address.parse(url)
        self.where = f"`{self._address.authority}`"
        """The server, as messages name it."""
        self._headers = {
            "User-Agent": f"mmai/{__version__}",
            "Accept": "*/*",
            # A compressed stream arrives in lumps, and a local one gains nothing.
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        self._timeouts = timeouts or Timeouts()
        self._proxied = proxied and not self._address.is_loopback
        self._transport = transport

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        timeouts: Timeouts | None = None,
        content_type: str = "application/json",
    ) -> AsyncIterator[Reply]:
        """Send a request, with `content_type` if it has a body, and give its answer from the head on, whatever its status below 300 or from 400.

        Leaving by an exception, a cancellation included, drops the connection and so cancels the call upstream.

        Raises:
            CannotConnect: no connection, or it ended before an answer began.
            TimedOut: in phase `connect`, or `first_token`, which counts from here to the first byte of the body.
            ProviderError: a redirect.
            ProtocolError: what came is not HTTP, or compressed.
        """
        limits = timeouts or self._timeouts
        until = asyncio.get_running_loop().time() + limits.first_token_s
        exchange = await self._send(method, path, body, content_type, limits, until)
        try:
            self._check(exchange)
            reply = Reply(exchange, where=self.where, timeouts=limits, until=until)
            yield reply
            with suppress(CallError, TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await reply.read()
        finally:
            await exchange.aclose()

    async def aclose(self) -> None:
        """Close every connection. May be called twice."""
        if self._transport is not None:
            await self._transport.aclose()

    async def _send(self, method: str, path: str, body: bytes, content_type: str, limits: Timeouts, until: float) -> Exchange:
        if self._transport is None:
            self._transport = self._choose()
        headers = self._headers | ({"Content-Type": content_type} if body else {})
        try:
            async with asyncio.timeout_at(until):
                return await self._transport.send(method, f"{self._address}{path}", headers, body, connect_s=limits.connect_s)
        except TimeoutError as exc:
            raise silent(self.where, limits, began=False) from exc

    def _choose(self) -> Transport:
        if self._address.scheme == "http" and not self._proxied:
            return Plain(self._address)
        from mmai.backends.wire.secure import Secure  # noqa: PLC0415  httpx and TLS: 60 ms no local server needs

        return Secure(self.where, proxied=self._proxied)

    def _check(self, exchange: Exchange) -> None:
        if 300 <= exchange.status < 400:
            raise redirected(self.where, exchange.status, exchange.headers.get("location", ""))
        encoding = exchange.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise ProtocolError(f"{self.where} answered in `{encoding}`, which was not asked for")
