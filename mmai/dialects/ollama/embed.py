"""An embedding, which comes whole."""

from mmai.dialects.ollama.errors import decode, told_error
from mmai.dialects.ollama.metrics import Metrics, finished
from mmai.errors import ProtocolError
from mmai.values.event import Event, VectorEvent
from mmai.values.model import ModelRef


class _Embedded(Metrics):
    embeddings: list[list[float]] | None = None


def embed_events(body: bytes, ref: ModelRef, *, where: str) -> list[Event]:
    """The events of a whole `POST /api/embed` response for one text.

    Raises:
        MmaiError: it is an error in disguise, or holds no vector.
    """
    answer = decode(body, _Embedded, where=where, what="an embedding")
    if answer.error:
        raise told_error(answer.error, where=where, ref=ref)
    if not answer.embeddings or not answer.embeddings[0]:
        raise ProtocolError(f"{where} sent no vector as an embedding")
    return [VectorEvent(tuple(answer.embeddings[0])), finished(answer, ref)]
