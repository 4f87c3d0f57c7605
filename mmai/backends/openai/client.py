"""OpenAI's own SDK, for what it does best: images, sound, files and batches. The one place that makes its client.

It is imported when the first such call is made, since that takes half a second. It sends what the endpoint says and nothing
that the SDK finds in the environment, and its exceptions leave as our errors.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from mmai import __version__
from mmai.backends.server import Server
from mmai.backends.wire.exchange import cannot_connect, connect_timed_out, cut, no_answer, redirected, silent
from mmai.dialects.openai import decode, told_error
from mmai.errors import MmaiError, ProtocolError
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelRef
from mmai.values.url import is_loopback

if TYPE_CHECKING:
    from openai import APIConnectionError, AsyncOpenAI


class MaybeError(Struct):
    """A response that some servers fail in though its status is one of success."""

    error: Any = None


Told = TypeVar("Told", bound=MaybeError)

KEPT = ("accept", "connection", "content-length", "content-type", "host", "transfer-encoding", "x-stainless-raw-response")
"""Headers of the SDK's that are sent: the others tell of this machine, or come from variables such as `OPENAI_CUSTOM_HEADERS`.
By the last the SDK itself tells whether its caller wants the response as it came.
"""

BEGAN = "mmai_began"
"""Marks a request whose answer has begun."""


class Sdk:
    """One endpoint as the SDK calls it. Nothing is imported, opened or sent before the first call."""

    def __init__(self, endpoint: Endpoint, server: Server) -> None:
        """`server` is the endpoint's own: its address, its headers and its words for failures."""
        self.where = server.where
        self._server = server
        self._timeouts = endpoint.timeouts
        self._proxied = endpoint.proxied and not is_loopback(server.url)
        self._client: AsyncOpenAI | None = None

    @asynccontextmanager
    async def calling(self, ref: ModelRef | None = None) -> "AsyncIterator[AsyncOpenAI]":
        """The SDK's client for the calls within. It repeats nothing and follows no redirect. `ref` is the model they name.

        Raises:
            AuthError: the server needs a key and there is none; nothing was sent.
            CallError: whatever a call within failed of.
        """
        self._server.demand_key()
        from json import JSONDecodeError  # noqa: PLC0415  which the SDK lets through

        import openai  # noqa: PLC0415  half a second, which no text needs to wait for

        with self._server.discreet():
            try:
                yield self._open()
            except openai.APIStatusError as exc:
                raise self._refusal(exc.status_code, exc.response, ref) from exc
            except openai.APIConnectionError as exc:
                raise self._no_connection(exc) from exc
            except openai.OpenAIError as exc:
                raise ProtocolError(f"{self.where}: {exc}") from exc
            except JSONDecodeError as exc:
                raise ProtocolError(f"{self.where} did not answer in JSON: {exc}") from exc

    def read(self, body: bytes, kind: type[Told], ref: ModelRef, *, what: str) -> Told:
        """A whole response as a value; `what` names it in the error.

        Raises:
            MmaiError: it is an error in disguise, or of another shape.
        """
        with self._server.discreet():
            answer = decode(body, kind, where=self.where, what=what)
            if answer.error:
                raise told_error(answer.error, where=self.where, ref=ref)
            return answer

    async def aclose(self) -> None:
        """Close connections. May be called twice."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _open(self) -> "AsyncOpenAI":
        if self._client is None:
            import openai  # noqa: PLC0415  see `calling`

            self._client = openai.AsyncOpenAI(
                api_key="its place is taken by `_address`",
                base_url=self._server.url,
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(
                    follow_redirects=False,
                    trust_env=self._proxied,
                    verify=_trusted(),
                    timeout=openai.Timeout(None, connect=self._timeouts.connect_s, read=self._timeouts.first_token_s),
                    event_hooks={"request": [self._address], "response": [self._mark]},
                ),
            )
        return self._client

    async def _address(self, request: Any) -> None:
        """Give a request the endpoint's own headers."""
        for name in [name for name in request.headers if name.lower() not in KEPT]:
            del request.headers[name]
        request.headers.update({"accept-encoding": "identity", "user-agent": f"mmai/{__version__}", **self._server.headers})

    async def _mark(self, response: Any) -> None:
        """An answer begins: from here on it may be silent for as long as one that has begun."""
        response.request.extensions[BEGAN] = True
        response.request.extensions.get("timeout", {})["read"] = self._timeouts.stall_s

    def _refusal(self, status: int, response: Any, ref: ModelRef | None) -> MmaiError:
        if 300 <= status < 400:
            return redirected(self.where, status, response.headers.get("location", ""))
        return self._server.refusal(status, response.content, ref=ref, headers=dict(response.headers))

    def _no_connection(self, error: "APIConnectionError") -> MmaiError:
        """What the HTTP library under the SDK tells by the names of its classes, which depend on the version of both."""
        cause = error.__cause__ or error
        kind = type(cause).__name__
        began = BEGAN in error.request.extensions
        match kind:
            case "ConnectTimeout" | "PoolTimeout":
                return connect_timed_out(self.where, self._timeouts.connect_s)
            case "ReadTimeout" | "WriteTimeout":
                return silent(self.where, self._timeouts, began=began)
            case "ConnectError" | "ProxyError":
                return cannot_connect(self.where, cause)
            case _:
                return cut(self.where, cause) if began else no_answer(self.where, cause)


def _trusted() -> ssl.SSLContext:
    """Certificates from `SSL_CERT_FILE` and `SSL_CERT_DIR` where set, as for text."""
    import httpx  # noqa: PLC0415  comes with the SDK, which is not needed for text

    return httpx.create_ssl_context(trust_env=True)
