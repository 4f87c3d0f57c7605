"""What the environment sets: our own `MMAI_*`, and `OLLAMA_HOST` as Ollama itself reads it."""

from collections.abc import Callable, Mapping
from typing import Any

from mmai.errors import ConfigError, UsageError
from mmai.settings.layers import Entry, Layer
from mmai.settings.node import Node, Wrong
from mmai.settings.reference import SECTIONS
from mmai.settings.schema import Origin
from mmai.settings.shapes import address, alone
from mmai.settings.table import Key
from mmai.values.url import ollama_endpoint

VARIABLES = {
    "MMAI_MODEL": ("run", "model"),
    "MMAI_TIMEOUT": ("run", "timeout"),
    "MMAI_STDIN_TIMEOUT": ("run", "stdin_timeout"),
    "MMAI_LOG": ("run", "log"),
    "MMAI_POLICY": ("selection", "policy"),
    "MMAI_OFFLINE": ("selection", "constraints", "local_only"),
    "OLLAMA_HOST": ("backends", "ollama", "endpoints"),
    "OPENAI_BASE_URL": ("backends", "openai", "endpoints"),
    "ANTHROPIC_BASE_URL": ("backends", "anthropic", "endpoints"),
    "GOOGLE_GEMINI_BASE_URL": ("backends", "google", "endpoints"),
}
"""Variable to the key it overrides. One that is empty counts as not set."""


def environment_layer(env: Mapping[str, str]) -> Layer:
    """The overrides that are set.

    Raises:
        ConfigError: naming the variable and what it takes.
    """
    layer: Layer = {}
    for variable, path in VARIABLES.items():
        if env.get(variable, "").strip():
            key = _hosts_key if variable == "OLLAMA_HOST" else _url_key if path[-1] == "endpoints" else _key(path)
            layer[path] = Entry(_read(variable, env[variable], key.read), Origin("environment", variable), key)
    return layer


def ollama_hosts(node: Node) -> tuple[str, ...]:
    """One address, or several with commas between, which is more than Ollama itself takes."""
    text = str(node.value)
    if "@" in text:
        raise Wrong("it holds a user name or password, which addresses may not since they are shown")
    try:
        return tuple(ollama_endpoint(host) for host in text.split(","))
    except UsageError as error:
        raise Wrong(error.message) from error


_hosts_key = Key(ollama_hosts, "where Ollama is reached")
_url_key = Key(alone(address), "base URL")


def _key(path: tuple[str, ...]) -> Key:
    entry: Any = SECTIONS
    for name in path:
        entry = entry[name]
    assert isinstance(entry, Key)
    return entry


def _read(variable: str, text: str, read: Callable[[Node], Any]) -> Any:
    try:
        return read(Node(1, text.strip(), plain=True))
    except Wrong as wrong:
        raise ConfigError(f"variable `{variable}`: {wrong.sentence}", hint=f"unset {variable}") from wrong
