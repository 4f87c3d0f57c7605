"""The adapters, and the one place they are imported from. A new one is a file and a row here."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from mmai.backends.base import Backend
from mmai.errors import ConfigError
from mmai.values.endpoint import Endpoint

ADAPTERS = {
    "anthropic": "mmai.backends.anthropic",
    "builtin": "mmai.backends.builtin",
    "coreml": "mmai.backends.coreml.adapter",  # the package alone is imported by every worker too
    "custom": "mmai.backends.custom",
    "google": "mmai.backends.google",
    "ollama": "mmai.backends.ollama",
    "openai": "mmai.backends.openai",
}
"""Adapter kind to the module whose `open_backend(endpoint)` makes one."""

ENTRY_POINTS = "mmai.backends"
"""Group under which other packages register an `open_backend` of their own, looked up only for kinds that are not ours."""


def load(endpoint: Endpoint) -> Backend:
    """Open the adapter an endpoint asks for. Nothing is sent.

    Raises:
        ConfigError: nothing here or installed speaks this kind.
    """
    module = ADAPTERS.get(endpoint.kind)
    if module is not None:
        return cast(Callable[[Endpoint], Backend], import_module(module).open_backend)(endpoint)
    return _third_party(endpoint.kind)(endpoint)


def _third_party(kind: str) -> Callable[[Endpoint], Backend]:
    from importlib.metadata import entry_points  # 25 ms, and only ever needed here

    for entry in entry_points(group=ENTRY_POINTS, name=kind):
        return cast(Callable[[Endpoint], Backend], entry.load())
    raise ConfigError(
        f"no adapter for `{kind}`: built in are {', '.join(f'`{name}`' for name in ADAPTERS)}",
        hint="pip install a package that registers it under the entry point group `mmai.backends`",
    )
