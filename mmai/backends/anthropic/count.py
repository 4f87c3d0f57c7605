"""Counting the tokens of a request, by Anthropic's own SDK."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmai import __version__
from mmai.backends.server import Server
from mmai.backends.wire.exchange import cannot_connect, connect_timed_out
from mmai.errors import MmaiError, ProtocolError, TimedOut
from mmai.values.endpoint import Endpoint, Timeouts
from mmai.values.model import ModelRef
from mmai.values.url import Address, is_loopback

if TYPE_CHECKING:
    import anthropic

EVERYWHERE = ("http://", "https://", "all://")
PLAIN = ("host", "connection", "content-type", "content-length")
"""Headers of the SDK's that are kept."""


async def count_tokens(fields: Mapping[str, Any], ref: ModelRef, *, server: Server, endpoint: Endpoint) -> int:
    """Input tokens of the request whose body is `fields`, sent to the server with its own headers and no others.

    Raises:
        CallError: it could not be asked.
    """
    server.demand_key()
    import anthropic  # noqa: PLC0415  a second of imports, which no run pays for

    async with _client(anthropic, server, endpoint) as client:
        try:
            counted = await client.messages.count_tokens(
                model=fields["model"],
                messages=fields["messages"],
                extra_body={name: value for name, value in fields.items() if name not in ("model", "messages")},
            )
        except anthropic.APIError as exc:
            raise _told(anthropic, exc, ref, server=server, timeouts=endpoint.timeouts) from exc
        except ValueError as exc:
            raise ProtocolError(f"{server.where} did not send a count of tokens: {exc}") from exc
    tokens = getattr(counted, "input_tokens", None)
    if not isinstance(tokens, int):
        raise ProtocolError(f"{server.where} did not send a count of tokens")
    return tokens


def _client(sdk: Any, server: Server, endpoint: Endpoint) -> "anthropic.AsyncAnthropic":
    """A client that repeats nothing, follows nothing, and knows of the environment only a proxy that is meant for this host."""

    async def send_ours(request: Any) -> None:
        # `ANTHROPIC_CUSTOM_HEADERS` and the like are meant for wherever the environment sends calls.
        for name in [name for name in request.headers if name not in PLAIN]:
            del request.headers[name]
        request.headers.update({"User-Agent": f"mmai/{__version__}", "Accept": "application/json", **server.headers})

    timeouts = endpoint.timeouts
    direct = is_loopback(server.url) or not endpoint.proxied
    timeout = sdk.Timeout(timeouts.first_token_s, connect=timeouts.connect_s)
    http = sdk.DefaultAsyncHttpxClient(
        follow_redirects=False,
        timeout=timeout,
        mounts=dict.fromkeys(EVERYWHERE) if direct else {},
        event_hooks={"request": [send_ours]},
    )
    # Without a key of some kind the SDK looks for one itself; the server's headers hold the one that is sent.
    client: anthropic.AsyncAnthropic = sdk.AsyncAnthropic(
        api_key="unused", base_url=server.url, max_retries=0, timeout=timeout, http_client=http
    )
    return client


def _told(sdk: Any, error: "anthropic.APIError", ref: ModelRef, *, server: Server, timeouts: Timeouts) -> MmaiError:
    """The SDK's error as ours."""
    address = f"`{Address.parse(server.url).authority}`"
    match error:
        case sdk.APIResponseValidationError():
            return ProtocolError(f"{server.where} did not send a count of tokens")
        case sdk.APIStatusError():
            reply = error.response
            return server.refusal(reply.status_code, reply.content, ref=ref, headers=dict(reply.headers))
        case sdk.APITimeoutError() if "Connect" in type(error.__cause__).__name__:
            return connect_timed_out(address, timeouts.connect_s)
        case sdk.APITimeoutError():
            return TimedOut(f"{address} did not begin to answer within {timeouts.first_token_s:g} s", phase="first_token")
        case _:
            return cannot_connect(address, error)
