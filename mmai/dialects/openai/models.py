"""What `GET /models` says, as cards. OpenAI itself gives names; what others add is read by `listed.py`.

Source: OpenAI API reference, "List models".
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE
from mmai.dialects.openai.errors import decode
from mmai.dialects.openai.listed import Described, Listed, Meta
from mmai.dialects.openai.names import capabilities_of, capability_of, is_usable
from mmai.values.model import FREE, Locality, ModelCard
from mmai.values.task import Modality

INPUTS = {"vision": Modality.IMAGE, "audio": Modality.AUDIO}
UNUSABLE_TYPES = ("moderation", "rerank", "video")


class _Named(Struct):
    id: str


class _List(Struct):
    data: list[msgspec.Raw]
    models: list[Described] | None = None


def parse_models(body: bytes, *, provider: str, url: str, locality: Locality, where: str) -> list[ModelCard]:
    """The models of `GET /models` that can be used here, in the server's order, each name once.

    Raises:
        ProtocolError: it is no such list.
    """
    # Together sends the list alone.
    whole = b'{"data":%b}' % body if body.lstrip().startswith(b"[") else body
    answer = decode(whole, _List, where=where, what="its list of models")
    described = {name: entry for entry in answer.models or () for name in (entry.name, entry.model) if name}
    cards: dict[str, ModelCard] = {}
    for entry in answer.data:
        listed = _read(entry, where=where)
        if listed.active is not False and listed.type not in UNUSABLE_TYPES and (provider != "openai" or is_usable(listed.id)):
            cards.setdefault(listed.id, _card(listed, described, provider=provider, url=url, locality=locality))
    return list(cards.values())


def _read(entry: msgspec.Raw, *, where: str) -> Listed:
    """An entry; where a fact in it has a form nobody knows, its name alone."""
    try:
        return msgspec.json.decode(entry, type=Listed)
    except UNREADABLE:
        return Listed(decode(bytes(entry), _Named, where=where, what="its list of models").id)


def assumed(name: str, *, provider: str, locality: Locality) -> ModelCard:
    """The card of a model nobody has listed."""
    return ModelCard(
        provider=provider,
        name=name,
        locality=locality,
        capabilities=capabilities_of(name, provider),
        capabilities_guessed=True,
        price=FREE if locality == "local" else None,
    )


def _card(listed: Listed, described: Mapping[str, Described], *, provider: str, url: str, locality: Locality) -> ModelCard:
    told, served = listed.told, described.get(listed.id)
    capabilities = told or (served.told if served else ()) or capabilities_of(listed.id, provider)
    meta = listed.meta or Meta()
    return ModelCard(
        provider=provider,
        name=listed.id,
        endpoints=(url,),
        locality=locality,
        capabilities=capabilities,
        # A name that speaks of one thing is as good as told.
        capabilities_guessed=not told and capability_of(listed.id) is None,
        inputs=(Modality.TEXT, *(modality for name, modality in INPUTS.items() if name in capabilities)),
        context_tokens=listed.context,
        max_output_tokens=listed.longest,
        size_bytes=meta.size,
        parameter_count=meta.n_params,
        price=FREE if locality == "local" else listed.price,
        deprecated=listed.retired,
    )
