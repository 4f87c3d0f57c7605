"""What the host of a base URL says: whether a proxy of the environment applies to it, and whether it is on one's own network."""

import re
from collections.abc import Mapping

from mmai.values.url import is_loopback

# RFC 1918, RFC 3927; RFC 4193, RFC 4291; names that no public server has.
_PRIVATE = re.compile(
    r"(10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2}|169\.254(\.\d+){2}"
    r"|(f[cd][0-9a-f]{2}|fe80):.*"
    r"|[^.:]+|.*\.(local|lan|internal|home\.arpa))"
)


def host_of(url: str) -> str:
    """The host of a base URL as `Endpoint.url` has it, in lower case; IPv6 without brackets."""
    authority = url.partition("://")[2].partition("/")[0].lower()
    return authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]


def is_private(host: str) -> bool:
    """A host only one's own network knows, by its number or the form of its name."""
    return _PRIVATE.fullmatch(host) is not None


def proxied(url: str, env: Mapping[str, str]) -> bool:
    """Whether the environment names a proxy for `url`. Never for loopback; a `NO_PROXY` in doubt leaves it to the HTTP client."""
    scheme = url.partition("://")[0]
    names = (f"{scheme}_proxy", "all_proxy")
    return not is_loopback(url) and any(_either(env, name) for name in names) and not _spared(url, _either(env, "no_proxy"))


def _either(env: Mapping[str, str], name: str) -> str:
    return (env.get(name) or env.get(name.upper()) or "").strip()


def _spared(url: str, no_proxy: str) -> bool:
    host = host_of(url)
    return any(_covers(entry.strip().lower(), host) for entry in no_proxy.split(","))


def _covers(entry: str, host: str) -> bool:
    name = entry.rpartition("://")[2].lstrip("*").lstrip(".")
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))
