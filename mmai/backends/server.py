"""A provider's server as a place to ask: its address, its credentials, and its failures as our errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from mmai.backends.wire import Reply, Wire
from mmai.clock import Clock
from mmai.errors import AuthError, CallError, CannotConnect, MmaiError, NoKey, TimedOut
from mmai.values.endpoint import Endpoint, Timeouts, key_variables
from mmai.values.health import Health, HealthState
from mmai.values.model import ModelRef

SHORTEST_KEY = 8
"""Characters of a word in a header that may be a credential; `Bearer` is none."""

SAID_S = 2.0
"""Longest wait for the words of a failure: its status is enough for whoever could answer instead."""


class ReadFailure(Protocol):
    """The error of a whole response outside 200 to 299, by the dialect that understands it.

    `where` names the server, `ref` the model that was asked for, `now` is Unix seconds.
    """

    def __call__(
        self, status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float
    ) -> MmaiError:
        """Read it."""
        ...


class Server:
    """Requests to one endpoint. Nothing is sent before the first."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        name: str,
        url: str,
        credentials: Mapping[str, str],
        failure: ReadFailure,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        unreachable_hint: str | None = None,
    ) -> None:
        """`credentials` are the headers that carry the key; the endpoint's own headers win over them, and over `headers`, which
        are no secret. `name` is what messages call the server, `unreachable_hint` the command that would start it.
        """
        self.url = url
        secret = dict(credentials) | endpoint.headers
        self.masked = dict(headers or {}) | dict.fromkeys(secret, "****")
        """The headers beside the usual ones; of those that may be a credential, not what they say."""
        self.headers = {**(headers or {}), **secret}
        """The same as they are sent."""
        self._secrets = [word for value in secret.values() for word in value.split() if len(word) >= SHORTEST_KEY]
        self._wire = Wire(url, headers=self.headers, timeouts=endpoint.timeouts, proxied=endpoint.proxied)
        self._said_s = min(SAID_S, endpoint.timeouts.stall_s)
        self._rule, self._has_key = endpoint.key_rule, bool(secret)
        self._provider = endpoint.provider
        self._failure = failure
        self._hint = unreachable_hint
        self._clock = clock
        self.site = self._wire.where
        """Its host and port, as messages about the connection name it."""
        self.where = f"{name} at {self.site}"
        """The server, as messages name it."""

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, ref: ModelRef | None = None, timeouts: Timeouts | None = None
    ) -> bytes:
        """The whole answer; raises as `open` and its reply do."""
        async with self.open(method, path, body, ref=ref, timeouts=timeouts) as reply:
            return await reply.read()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        ref: ModelRef | None = None,
        timeouts: Timeouts | None = None,
        content_type: str = "application/json",
    ) -> AsyncIterator[Reply]:
        """See `Wire.open`; the reply's status is one of success. `ref` is the model the request names.

        An error that leaves the block is discreet, whoever raised it.

        Raises:
            AuthError: the server needs a key and there is none; nothing was sent.
            UnknownModel: the server does not have `ref`.
            CallError: any other failure, a status included.
        """
        self.demand_key()
        try:
            with self.discreet():
                async with self._wire.open(method, path, body, timeouts=timeouts, content_type=content_type) as reply:
                    if not 200 <= reply.status < 300:
                        raise self.refusal(reply.status, await self._said(reply), ref=ref, headers=reply.headers)
                    yield reply
        except CannotConnect as exc:
            exc.hint = exc.hint or self._hint
            raise

    @contextmanager
    def discreet(self) -> Iterator[None]:
        """Take the credentials, which some servers quote, out of every error that is raised within."""
        try:
            yield
        except MmaiError as exc:
            exc.message = self._masked(exc.message)
            exc.args = (exc.message,)
            if isinstance(exc, CallError) and exc.body:
                exc.body = self._masked(exc.body)
            raise

    def demand_key(self) -> None:
        """Raise where the server answers nobody without a key, and there is none.

        Raises:
            NoKey: nobody has set one.
            AuthError: one was written in the settings and could not be read.
        """
        if self._rule.required and not self._has_key:
            hint = f"mmai keys set {self._provider}"
            if self._rule.missing:
                raise AuthError(f"no key for `{self._provider}`: {self._rule.missing}", hint=hint)
            variable = key_variables(self._provider)[0]
            raise NoKey(f"no key for `{self._provider}`: `{variable}` is not set, and none is kept", hint=hint)

    def refusal(self, status: int, said: bytes, *, ref: ModelRef | None, headers: Mapping[str, str]) -> MmaiError:
        """The error of a whole response outside 200 to 299; header names in lower case.

        Where the key that was there could not be sent, it says so.
        """
        now = self._clock.now()
        error = self._failure(status, said, where=self.where, ref=ref, headers=headers, now=now)
        if isinstance(error, AuthError) and not self._has_key:
            error.message += f"; {self._rule.missing}" if self._rule.missing else ""
            error.hint = error.hint or f"mmai keys set {self._provider}"
        return error

    async def health(self, question: Awaitable[bytes], *, version: Callable[[bytes], str] | None = None) -> Health:
        """How the server is, by how it takes a `question`; `version` reads what it says it is out of the answer."""
        started = self._clock.monotonic()
        state: HealthState = "healthy"
        named = reason = None
        try:
            answer = await question
            if version:
                with self.discreet():
                    named = version(answer)
        except MmaiError as exc:
            state, reason = _state(exc), exc.message
        latency_ms = (self._clock.monotonic() - started) * 1000
        return Health(state=state, reason=reason, latency_ms=latency_ms, version=named, checked_at=self._clock.now())

    async def aclose(self) -> None:
        """Close connections. May be called twice."""
        await self._wire.aclose()

    async def _said(self, reply: Reply) -> bytes:
        """The body of a failure; a failure to read it is the lesser one."""
        try:
            async with asyncio.timeout(self._said_s):
                return await reply.read()
        except (CallError, TimeoutError):
            return b""

    def _masked(self, text: str) -> str:
        """The text without the credentials, nor the first half of one where somebody cut the text short."""
        for secret in self._secrets:
            at, half = -1, secret[: max(SHORTEST_KEY, len(secret) // 2)]
            while (at := text.find(half, at + 1)) >= 0:
                quoted = next(n for n in range(len(secret), 0, -1) if text.startswith(secret[:n], at))
                text = text[:at] + "****" + text[at + quoted :]
        return text


def _state(error: MmaiError) -> HealthState:
    """What a failed question says of the server's health."""
    match error:
        case CannotConnect() | TimedOut():
            return "unreachable"
        case NoKey():
            return "no_key"
        case AuthError():
            return "unauthorized"
        case _:
            return "failing"
