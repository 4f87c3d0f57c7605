"""One Ollama server as a place to ask: its address, its key, and its failures as our errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mmai.backends.wire import Reply, Wire
from mmai.clock import Clock
from mmai.dialects.ollama import failure
from mmai.errors import CallError, CannotConnect
from mmai.values.endpoint import Endpoint, Timeouts
from mmai.values.model import ModelRef
from mmai.values.url import is_loopback, ollama_endpoint

SHORTEST_KEY = 8
"""Characters of a word in a header that may be a credential; `Bearer` is none."""


class Server:
    """Requests to one endpoint. Nothing is sent before the first."""

    def __init__(self, endpoint: Endpoint, *, clock: Clock) -> None:
        self.url = endpoint.url or ollama_endpoint("")
        authorization = {"Authorization": f"Bearer {endpoint.key.reveal()}"} if endpoint.key else {}
        headers = authorization | endpoint.headers
        self.masked = dict.fromkeys(headers, "****")
        """The headers beside the usual ones, without what they say: any of them may be a credential."""
        self._credentials = [word.encode() for value in headers.values() for word in value.split() if len(word) >= SHORTEST_KEY]
        self._wire = Wire(self.url, headers=headers, timeouts=endpoint.timeouts, proxied=endpoint.proxied)
        self._clock = clock
        self.where = f"Ollama at {self._wire.where}"
        """The server, as messages name it."""

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, ref: ModelRef | None = None, timeouts: Timeouts | None = None
    ) -> bytes:
        """The whole answer; raises as `open` and its reply do."""
        async with self.open(method, path, body, ref=ref, timeouts=timeouts) as reply:
            return await reply.read()

    @asynccontextmanager
    async def open(
        self, method: str, path: str, body: bytes = b"", *, ref: ModelRef | None = None, timeouts: Timeouts | None = None
    ) -> AsyncIterator[Reply]:
        """See `Wire.open`; the reply's status is one of success. `ref` is the model the request names.

        Raises:
            UnknownModel: the server does not have `ref`.
            CallError: any other failure, a status included.
        """
        try:
            async with self._wire.open(method, path, body, timeouts=timeouts) as reply:
                if not 200 <= reply.status < 300:
                    said, now = await self._said(reply), self._clock.now()
                    raise failure(reply.status, said, where=self.where, ref=ref, headers=reply.headers, now=now)
                yield reply
        except CannotConnect as exc:
            if exc.hint is None and is_loopback(self.url):
                exc.hint = "ollama serve"
            raise

    async def aclose(self) -> None:
        """Close connections. May be called twice."""
        await self._wire.aclose()

    async def _said(self, reply: Reply) -> bytes:
        """The body of a failure, without the key that some servers quote; a failure to read it is the lesser one."""
        try:
            said = await reply.read()
        except CallError:
            return b""
        for credential in self._credentials:
            said = said.replace(credential, b"****")
        return said
