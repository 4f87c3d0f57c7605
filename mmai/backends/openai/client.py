"""OpenAI's own SDK at one endpoint: images, sound, files and batches."""

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from msgspec import Struct

from mmai.backends import sdk
from mmai.backends.server import Server
from mmai.dialects.body import SEEN_CHARS
from mmai.dialects.openai import decode, told_error
from mmai.dialects.openai.errors import read_failure
from mmai.errors import ProtocolError
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelRef

if TYPE_CHECKING:
    from openai import AsyncOpenAI  # noqa: F401  the type of the client, by its name


class MaybeError(Struct):
    """A response that some servers fail in though its status is one of success."""

    error: Any = None


Told = TypeVar("Told", bound=MaybeError)


class Sdk(sdk.Sdk["AsyncOpenAI"]):
    """See `mmai.backends.sdk`."""

    def __init__(self, endpoint: Endpoint, server: Server) -> None:
        super().__init__("OpenAI", endpoint, server)

    def read(self, body: bytes, kind: type[Told], ref: ModelRef, *, what: str) -> Told:
        """A whole response as a value; `what` names it in the error.

        Raises:
            MmaiError: it is an error in disguise, or of another shape.
        """
        with self._server.discreet():
            answer = decode(body, kind, where=self.where, what=what)
            if answer.error:
                raise told_error(answer.error, where=self.where, ref=ref)
            return answer

    def refuse(self, body: bytes, *, what: str) -> NoReturn:
        """Raise the error of a whole response that is not `what` it should be.

        Raises:
            ProtocolError: always.
        """
        with self._server.discreet():
            seen = read_failure(body).message[:SEEN_CHARS]
            raise ProtocolError(f"{self.where} did not send {what}: {seen or 'the response is empty'}", body=seen or None)
