"""OpenAI's own SDK at one endpoint: images, sound, files and batches."""

from typing import TYPE_CHECKING

from mmai.backends import sdk
from mmai.backends.sdk import decoded
from mmai.backends.server import Server
from mmai.values.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI  # noqa: F401  the type of the client, by its name

__all__ = ["Sdk", "decoded"]


class Sdk(sdk.Sdk["AsyncOpenAI"]):
    """See `mmai.backends.sdk`."""

    def __init__(self, endpoint: Endpoint, server: Server) -> None:
        super().__init__("OpenAI", endpoint, server)
