"""Addresses of servers: the forms people write them in, and whether they are this machine.

Read by hand, since `urllib.parse` and `ipaddress` would add 8 ms to every start.
"""

from typing import Self

from msgspec import Struct

from mmai.errors import UsageError

OLLAMA_PORT = 11434
SCHEME_PORTS = {"http": 80, "https": 443}
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""Source: RFC 3986, 2.3."""


class Address(Struct, frozen=True):
    """A base URL, taken apart."""

    scheme: str
    """`http` or `https`."""
    host: str
    """In lower case; IPv6 without brackets."""
    port: int
    path: str = ""
    """What every path is put behind: empty, or with a slash in front and none at the end."""

    @classmethod
    def parse(cls, text: str, *, port: int | None = None) -> Self:
        """Read `[scheme://]host[:port][/path]`; `port` is the default where there is no scheme, which then is http.

        A user name or password in front is dropped, and a port that is none is the default of its scheme.

        Raises:
            UsageError: another scheme than http or https, or white space or a non-ASCII character within.
        """
        if not text.isascii() or not text.isprintable() or " " in text:
            raise UsageError(f"`{text}` is not the address of a server, which is `host:port` or `http://host:port`")
        scheme, separator, rest = text.rpartition("://")
        scheme = scheme.lower() if separator else "http"
        if scheme not in SCHEME_PORTS:
            raise UsageError(f"`{text}` cannot be reached: http and https are the schemes mmai speaks")
        authority, _, path = rest.partition("/")
        host, digits = _split_port(authority.rpartition("@")[2])
        default = SCHEME_PORTS[scheme] if separator or port is None else port
        return cls(scheme, host.lower(), _port(digits, default), f"/{path.strip('/')}" if path.strip("/") else "")

    @property
    def authority(self) -> str:
        """`host:port`, the port always there."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name or number; nothing is looked up."""
        if ":" in self.host:
            return self.host.lstrip("0:") == "1"
        return self.host == "localhost" or (self.host.startswith("127.") and self.host.replace(".", "").isdigit())

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def ollama_endpoint(text: str) -> str:
    """The base URL that `OLLAMA_HOST` names: `scheme://host:port[/path]`, no trailing slash, the port always there.

    Takes what Ollama's own programs take: `host`, `host:port`, `:port`, URLs with a path, IPv6 with and without brackets, spaces
    and quotes around it, and nothing at all. `0.0.0.0` and `::` mean every address to a server and become the loopback address.

    Raises:
        UsageError: another scheme than http or https, or white space within.

    Source: ollama `envconfig/config.go`, `Host` and `ConnectableHost`. Where it differs from the Python client, a missing host
    is loopback and a user name is dropped as there; bare IPv6, bad ports and `ollama.com` over https are as here.
    """
    trimmed = text.strip().strip("\"'").strip()
    address = Address.parse("https://ollama.com" if trimmed.lower() == "ollama.com" else trimmed, port=OLLAMA_PORT)
    return str(Address(address.scheme, _connectable(address.host), address.port, address.path))


def is_loopback(url: str) -> bool:
    """Whether a base URL is on this machine."""
    return Address.parse(url).is_loopback


def quoted(text: str, *, also: str = "") -> str:
    """Percent-encoded for a path or a query; the characters of `also` stay as they are."""
    return "".join(chr(byte) if chr(byte) in UNRESERVED or chr(byte) in also else f"%{byte:02X}" for byte in text.encode())


def _split_port(authority: str) -> tuple[str, str]:
    """Host without brackets, and the port's text or nothing."""
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        return host, port.removeprefix(":")
    if authority.count(":") > 1:
        return authority, ""
    host, _, port = authority.partition(":")
    return host, port


def _port(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= 65535 else default


def _connectable(host: str) -> str:
    if ":" in host:
        return host if host.strip("0:") else "::1"
    return "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 it is replaced, not bound
