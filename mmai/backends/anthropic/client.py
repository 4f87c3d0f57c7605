"""Anthropic's own SDK at one endpoint: message batches, and counting tokens."""

from typing import TYPE_CHECKING

from mmai.backends import sdk
from mmai.backends.server import Server
from mmai.values.endpoint import Endpoint

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic  # noqa: F401  the type of the client, by its name


class Sdk(sdk.Sdk["AsyncAnthropic"]):
    """See `mmai.backends.sdk`."""

    def __init__(self, endpoint: Endpoint, server: Server) -> None:
        super().__init__("Anthropic", endpoint, server)
