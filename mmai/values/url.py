"""Addresses of servers: the forms people write them in, and whether they are this machine.

Read by hand, since `urllib.parse` and `ipaddress` would add 8 ms to every start.
"""

from mmai.errors import UsageError

OLLAMA_PORT = 11434
SCHEME_PORTS = {"http": 80, "https": 443}


def ollama_endpoint(text: str) -> str:
    """The base URL that `OLLAMA_HOST` names: `scheme://host:port[/path]`, no trailing slash, the port always there.

    Takes what Ollama's own programs take: `host`, `host:port`, `:port`, URLs with a path, IPv6 with and without brackets, spaces
    and quotes around it, and nothing at all. A port that is none falls back to the default of its scheme. `0.0.0.0` and `::`
    mean every address to a server and become the loopback address here. A user name or password in front is dropped, as the
    Python client drops it.

    Raises:
        UsageError: another scheme than http or https, or white space within.

    Source: ollama `envconfig/config.go`, `Host` and `ConnectableHost`. Where it differs from the Python client, a missing host
    is loopback as there, and the rest (bare IPv6, bad ports, `ollama.com` over https) is as here.
    """
    address = text.strip().strip("\"'").strip()
    if any(c.isspace() or not c.isprintable() for c in address):
        raise UsageError(f"`{address}` is not the address of a server, which is `host:port` or `http://host:port`")
    scheme, separator, rest = address.rpartition("://")
    scheme = scheme.lower()
    if not separator:
        scheme, default_port = ("https", 443) if rest.lower() == "ollama.com" else ("http", OLLAMA_PORT)
    elif scheme in SCHEME_PORTS:
        default_port = SCHEME_PORTS[scheme]
    else:
        raise UsageError(f"`{address}` cannot be reached: http and https are the schemes mmai speaks")
    authority, _, path = rest.partition("/")
    host, port = _split_port(authority.rpartition("@")[2])
    suffix = f"/{path.strip('/')}" if path.strip("/") else ""
    return f"{scheme}://{_connectable(host)}:{_port(port, default_port)}{suffix}"


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine by its name or number; nothing is looked up."""
    host, _ = _split_port(url.rpartition("://")[2].partition("/")[0].rpartition("@")[2])
    host = host.lower()
    if ":" in host:
        return host.lstrip("0:") == "1"
    return host == "localhost" or (host.startswith("127.") and host.replace(".", "").isdigit())


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
        return f"[{host.lower() if host.strip('0:') else '::1'}]"
    return "127.0.0.1" if host in ("", "0.0.0.0") else host.lower()  # noqa: S104 it is replaced, not bound
