"""What Anthropic says of its models, as cards."""

from msgspec import Struct

from mmai.dialects.anthropic.errors import decode
from mmai.values.model import Locality, ModelCard
from mmai.values.task import Modality


class _Support(Struct, frozen=True):
    supported: bool = False


class _Capabilities(Struct, frozen=True):
    image_input: _Support = _Support()
    structured_outputs: _Support = _Support()
    thinking: _Support = _Support()


class _Listed(Struct):
    """An entry; servers before 2026, and others that speak the protocol, tell the name alone."""

    id: str
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: _Capabilities | None = None
    lifecycle: str = "active"
    retires_at: str | None = None
    line: str | None = None


class _Page(Struct):
    data: list[_Listed]
    has_more: bool | None = None
    last_id: str | None = None


def parse_models(body: bytes, *, provider: str, url: str, locality: Locality, where: str) -> tuple[list[ModelCard], str | None]:
    """The models of one page of `GET /v1/models`, and the `after_id` of the next; None where there is none.

    `url` is the base URL they are called at.

    Raises:
        ProtocolError: it is no list of models.
    """
    page = decode(body, _Page, where=where, what="its list of models")
    cards = [_card(listed, provider=provider, url=url, locality=locality) for listed in page.data]
    return cards, page.last_id if page.has_more and page.data else None


def _card(listed: _Listed, *, provider: str, url: str, locality: Locality) -> ModelCard:
    told = listed.capabilities
    return ModelCard(
        provider=provider,
        name=listed.id,
        endpoints=(url,),
        locality=locality,
        capabilities=_capabilities(told) if told else ("text_generation",),
        capabilities_guessed=told is None,
        inputs=(Modality.TEXT, Modality.IMAGE) if told and told.image_input.supported else (Modality.TEXT,),
        context_tokens=listed.max_input_tokens or None,
        max_output_tokens=listed.max_tokens or None,
        family=listed.line,
        deprecated=_deprecated(listed),
    )


def _capabilities(told: _Capabilities) -> tuple[str, ...]:
    supported = {
        "vision": told.image_input.supported,
        "thinking": told.thinking.supported,
        "json_schema": told.structured_outputs.supported,
    }
    # Tools are no entry of the list, since no model it describes is without.
    return ("text_generation", "tools", *(name for name, can in supported.items() if can))


def _deprecated(listed: _Listed) -> str | None:
    """The day it goes, or that it will."""
    if listed.lifecycle == "active":
        return None
    return listed.retires_at[:10] if listed.retires_at else listed.lifecycle
