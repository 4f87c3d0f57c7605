"""What a transport promises, and the words every transport uses for what goes wrong."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from mmai.errors import CannotConnect, ConfigError, IncompleteAnswer, ProtocolError, ProviderError, TimedOut
from mmai.values.endpoint import Timeouts

UNTRUSTED = "certificate not trusted"


class Exchange(Protocol):
    """One request that was sent, and its answer from the head on."""

    @property
    def status(self) -> int:
        """200 to 599."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; a repeated one is joined with `, `."""
        ...

    async def receive(self) -> bytes:
        """More of the body as it arrives; empty at its end.

        Raises:
            IncompleteAnswer: the connection ended before the body did.
            ProtocolError: what came is not HTTP.
        """
        ...

    async def aclose(self) -> None:
        """Give the connection back; where the body is not at its end, drop it at once, which cancels the call upstream."""
        ...


class Transport(Protocol):
    """A way to send requests, with its connections."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, connect_s: float) -> Exchange:
        """Send, and return when the head of the answer is there. No deadline but that for connecting.

        Raises:
            CannotConnect: no connection, or it ended before the head was whole.
            TimedOut: in phase `connect`.
            ProtocolError: what came is not HTTP.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def cannot_connect(where: str, exc: BaseException) -> CannotConnect:
    """No connection came about."""
    reason = _reason(exc)
    hint = "SSL_CERT_FILE=authority.pem names whom to trust" if reason.startswith(UNTRUSTED) else None
    return CannotConnect(f"cannot connect to {where}: {reason}", hint=hint)


@contextmanager
def opening() -> Iterator[None]:
    """Around the making of a client for TLS and proxies, which reads what the environment names and sends nothing.

    Raises:
        ConfigError: certificates that cannot be read, or a proxy that cannot be used.
    """
    try:
        yield
    except OSError as exc:
        named = exc.reason.replace("_", " ").lower() if isinstance(exc, ssl.SSLError) and exc.reason else exc.strerror
        message = f"the certificates that `SSL_CERT_FILE` names cannot be read: {named or exc}"
        raise ConfigError(message, hint="unset SSL_CERT_FILE") from exc
    except ImportError as exc:
        message = "the environment names a SOCKS proxy, and the package that speaks to one is not installed"
        raise ConfigError(message, hint="pip install 'httpx[socks]'") from exc
    except Exception as exc:  # a ValueError or a class of the library's own; its text may hold the proxy's password
        raise ConfigError(
            "the proxy that the environment names has no address mmai can use", hint="env | grep -i _proxy"
        ) from exc


def no_answer(where: str, exc: BaseException | None) -> CannotConnect:
    """The connection ended before the head of an answer was whole."""
    return CannotConnect(f"{where} {_ended(exc)} before it answered")


def cut(where: str, exc: BaseException | None) -> IncompleteAnswer:
    """The connection ended within a body."""
    return IncompleteAnswer(f"{where} {_ended(exc)} before its answer was whole", reason="cut")


def not_http(where: str, exc: BaseException) -> ProtocolError:
    """What came is not HTTP/1.1."""
    return ProtocolError(f"{where} does not answer in HTTP: {exc}")


def connect_timed_out(where: str, connect_s: float) -> TimedOut:
    """Nobody took the connection."""
    return TimedOut(f"{where} did not take a connection within {connect_s:g} s", phase="connect")


def silent(where: str, timeouts: Timeouts, *, began: bool) -> TimedOut:
    """Nothing of an answer came in time, or nothing more."""
    if began:
        return TimedOut(f"{where} stopped answering for {timeouts.stall_s:g} s", phase="stall")
    return TimedOut(f"{where} did not begin to answer within {timeouts.first_token_s:g} s", phase="first_token")


def redirected(where: str, status: int, location: str) -> ProviderError:
    """The answer points elsewhere: a key, and what it pays for, goes only where it was meant to."""
    host = location.partition("://")[2].partition("/")[0].rpartition("@")[2] or location
    return ProviderError(f"{where} answered {status} and points to `{host}`, where mmai does not follow", status=status)


def _ended(exc: BaseException | None) -> str:
    reset = any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in _chain(exc))
    return "reset the connection" if reset else "closed the connection"


def _reason(exc: BaseException) -> str:
    causes = list(_chain(exc))
    # A host with several addresses fails with one error that holds the others only as text.
    if any(isinstance(cause, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(cause) for cause in causes):
        return "connection refused"
    for cause in causes:
        match cause:
            case socket.gaierror():
                return "no such host"
            case ssl.SSLCertVerificationError():
                return f"{UNTRUSTED}: {cause.verify_message}"
            case ssl.SSLError():
                return f"no TLS: {cause.reason or cause}"
            case OSError(errno=int(number)) if number > 0:
                return os.strerror(number).lower()
    return str(exc) or type(exc).__name__


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
