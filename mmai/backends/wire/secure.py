"""HTTP over TLS and through proxies, by httpx."""

from collections.abc import Mapping

import httpx

from mmai.backends.wire.exchange import cannot_connect, connect_timed_out, cut, no_answer, not_http, opening

ENDED = ("disconnected", "closed connection")
"""Words by which httpx tells a connection that ended from bytes that are not HTTP; it has one class for both."""


class Secure:
    """An httpx client that follows nothing and repeats nothing.

    Certificates come from `SSL_CERT_FILE` and `SSL_CERT_DIR` where set; proxies from the environment where `proxied`.
    """

    def __init__(self, where: str, *, proxied: bool) -> None:
        """Nothing is sent yet.

        Raises:
            ConfigError: the certificates or the proxy cannot be used.
        """
        self._where = f"{where} through a proxy" if proxied else where
        with opening():
            direct = None if proxied else httpx.AsyncHTTPTransport(trust_env=True)
            self._client = httpx.AsyncClient(transport=direct, trust_env=True, follow_redirects=False)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, connect_s: float
    ) -> "SecureExchange":
        """See `Transport.send`."""
        timeout = httpx.Timeout(None, connect=connect_s)
        request = self._client.build_request(method, url, headers=dict(headers), content=body, timeout=timeout)
        try:
            return SecureExchange(await self._client.send(request, stream=True), self._where)
        except httpx.ConnectTimeout as exc:
            raise connect_timed_out(self._where, connect_s) from exc
        except (httpx.ConnectError, httpx.ProxyError) as exc:
            raise cannot_connect(self._where, exc) from exc
        except (httpx.ReadError, httpx.WriteError) as exc:
            raise no_answer(self._where, exc) from exc
        except httpx.TransportError as exc:
            raise no_answer(self._where, exc) if _ended(exc) else not_http(self._where, exc) from exc

    async def aclose(self) -> None:
        """See `Transport.aclose`."""
        await self._client.aclose()


class SecureExchange:
    """See `Exchange`."""

    def __init__(self, response: httpx.Response, where: str) -> None:
        self.status = response.status_code
        self.headers = dict(response.headers)
        self._response = response
        self._chunks = response.aiter_raw()
        self._where = where

    async def receive(self) -> bytes:
        """See `Exchange.receive`."""
        try:
            return await anext(self._chunks, b"")
        except httpx.TransportError as exc:
            over = isinstance(exc, httpx.ReadError) or _ended(exc)
            raise cut(self._where, exc) if over else not_http(self._where, exc) from exc

    async def aclose(self) -> None:
        """See `Exchange.aclose`."""
        await self._response.aclose()


def _ended(exc: httpx.TransportError) -> bool:
    return any(words in str(exc) for words in ENDED)
