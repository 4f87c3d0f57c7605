"""A provider's own SDK, for what it does best: images, sound, batches and counting. The one place that makes a client of one.

It is imported when the first such call is made, since that takes half a second or a whole one. It sends what the endpoint says
and nothing that the SDK finds in the environment, and its exceptions leave as our errors. OpenAI's and Anthropic's come from one
generator and have the same parts under the same names.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from mmai import __version__
from mmai.backends.server import Server
from mmai.backends.wire.exchange import cannot_connect, connect_timed_out, cut, no_answer, redirected, silent
from mmai.errors import MmaiError, ProtocolError
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelRef
from mmai.values.url import is_loopback

Client = TypeVar("Client")

KEPT = ("accept", "connection", "content-length", "content-type", "host", "transfer-encoding", "x-stainless-raw-response")
"""Headers of the SDK's that are sent: the others tell of this machine, or come from variables such as `OPENAI_CUSTOM_HEADERS`.
By the last the SDK itself tells whether its caller wants the response as it came.
"""

EVERYWHERE = ("http://", "https://", "all://")
"""Anthropic's SDK takes the proxies of the environment, whatever `trust_env` says, unless it is told of others."""

BEGAN = "mmai_began"
"""Marks a request whose answer has begun."""


class Sdk(Generic[Client]):
    """One endpoint as the SDK calls it. Nothing is imported, opened or sent before the first call."""

    def __init__(self, maker: str, endpoint: Endpoint, server: Server) -> None:
        """`maker` is how the SDK's classes call it: `OpenAI`, `Anthropic`; in small letters, that is the package.

        `server` is the endpoint's own: its address, its headers and its words for failures.
        """
        self._maker = maker
        self.where = server.where
        self._site = server.site
        self._server = server
        self._timeouts = endpoint.timeouts
        self._proxied = endpoint.proxied and not is_loopback(server.url)
        self._client: Any = None

    @asynccontextmanager
    async def calling(self, ref: ModelRef | None = None) -> AsyncIterator[Client]:
        """The SDK's client for the calls within. It repeats nothing and follows no redirect. `ref` is the model they name.

        Raises:
            AuthError: the server needs a key and there is none; nothing was sent.
            CallError: whatever a call within failed of.
        """
        self._server.demand_key()
        from json import JSONDecodeError  # noqa: PLC0415  which the SDK lets through

        sdk: Any = __import__(self._maker.lower())  # which `-X importtime` shows, unlike `import_module`
        with self._server.discreet():
            try:
                yield self._open(sdk)
            except sdk.APIStatusError as exc:
                raise self._refusal(exc.status_code, exc.response, ref) from exc
            except sdk.APIConnectionError as exc:
                raise self._no_connection(exc) from exc
            except getattr(sdk, f"{self._maker}Error") as exc:
                raise ProtocolError(f"{self.where}: {exc}") from exc
            except JSONDecodeError as exc:
                raise ProtocolError(f"{self.where} did not answer in JSON: {exc}") from exc

    async def aclose(self) -> None:
        """Close connections. May be called twice."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _open(self, sdk: Any) -> Client:
        if self._client is None:
            make = getattr(sdk, f"Async{self._maker}")
            self._client = make(
                api_key="its place is taken by `_address`",
                base_url=self._server.url,
                max_retries=0,
                http_client=sdk.DefaultAsyncHttpxClient(
                    follow_redirects=False,
                    trust_env=self._proxied,
                    mounts={} if self._proxied else dict.fromkeys(EVERYWHERE),
                    verify=_trusted(),
                    timeout=sdk.Timeout(None, connect=self._timeouts.connect_s, read=self._timeouts.first_token_s),
                    event_hooks={"request": [self._address], "response": [self._mark]},
                ),
            )
        client: Client = self._client
        return client

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

    def _no_connection(self, error: Any) -> MmaiError:
        """What the HTTP library under the SDK tells by the names of its classes, which depend on the version of both."""
        cause = error.__cause__ or error
        kind = type(cause).__name__
        began = BEGAN in error.request.extensions
        match kind:
            case "ConnectTimeout" | "PoolTimeout":
                return connect_timed_out(self._site, self._timeouts.connect_s)
            case "ReadTimeout" | "WriteTimeout":
                return silent(self._site, self._timeouts, began=began)
            case "ConnectError" | "ProxyError":
                return cannot_connect(self._site, cause)
            case _:
                return cut(self._site, cause) if began else no_answer(self._site, cause)


def _trusted() -> ssl.SSLContext:
    """Certificates from `SSL_CERT_FILE` and `SSL_CERT_DIR` where set, as for text."""
    import httpx  # noqa: PLC0415  comes with the SDK, which is not needed for text

    return httpx.create_ssl_context(trust_env=True)
