"""An embedding, which comes whole."""

from typing import Any

from msgspec import Struct

from mmai.dialects.gemini.errors import decode, told_error
from mmai.dialects.gemini.usage import UsageMetadata, usage
from mmai.errors import ProtocolError
from mmai.values.event import Event, FinishedEvent, VectorEvent
from mmai.values.model import ModelRef


class _Embedding(Struct):
    values: list[float] | None = None


class _Embedded(Struct, rename="camel"):
    embedding: _Embedding | None = None
    usage_metadata: UsageMetadata | None = None
    error: Any = None


def embed_events(body: bytes, ref: ModelRef, *, where: str) -> list[Event]:
    """The events of a whole `embedContent` response.

    Raises:
        MmaiError: it is an error in disguise, or holds no vector.
    """
    answer = decode(body, _Embedded, where=where, what="an embedding")
    if answer.error:
        raise told_error(answer.error, where=where, ref=ref)
    if not answer.embedding or not answer.embedding.values:
        raise ProtocolError(f"{where} sent no vector as an embedding")
    return [VectorEvent(tuple(answer.embedding.values)), FinishedEvent(usage=usage(answer.usage_metadata or UsageMetadata()))]
