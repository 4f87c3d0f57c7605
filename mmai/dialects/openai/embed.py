"""An embedding, which comes whole."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mmai.dialects.openai.errors import decode, plain, told_error
from mmai.dialects.openai.usage import Counts
from mmai.errors import ProtocolError
from mmai.values.event import Event, FinishedEvent, Usage, VectorEvent
from mmai.values.model import ModelRef


class _Row(Struct):
    embedding: list[float]


class _Embedded(Struct):
    data: list[_Row] | None = None
    model: str | None = None
    usage: Counts | None = None
    error: Any = None


def embed_events(body: bytes, ref: ModelRef, *, where: str, mask: Callable[[bytes], bytes] = plain) -> list[Event]:
    """The events of a whole `POST /embeddings` response for one text; `mask` takes credentials out of what a failure says.

    Raises:
        MmaiError: it is an error in disguise, or holds no vector.
    """
    answer = decode(body, _Embedded, where=where, what="an embedding", mask=mask)
    if answer.error:
        raise told_error(answer.error, where=where, ref=ref, mask=mask)
    if not answer.data or not answer.data[0].embedding:
        raise ProtocolError(f"{where} sent no vector as an embedding")
    return [
        VectorEvent(tuple(answer.data[0].embedding)),
        FinishedEvent(
            usage=answer.usage.usage() if answer.usage else Usage(),
            resolved_model=answer.model if answer.model != ref.name else None,
        ),
    ]
