"""What Google says of its models, and what their names say beyond that, as cards."""

from msgspec import Struct

from mmai.dialects.gemini.errors import decode
from mmai.values.model import Locality, ModelCard
from mmai.values.task import Modality

PREFIX = "models/"
GENERATES, EMBEDS = "generateContent", "embedContent"
CHAT = ("text_generation", "vision", "audio", "tools", "json_schema")
MARKS: tuple[tuple[str, tuple[str, ...], tuple[Modality, ...]], ...] = (
    ("embedding", ("embedding",), (Modality.TEXT,)),
    ("-image", ("image_generation", "vision"), (Modality.TEXT, Modality.IMAGE)),
    ("banana", ("image_generation", "vision"), (Modality.TEXT, Modality.IMAGE)),
    ("-tts", ("speech_synthesis",), (Modality.TEXT,)),
    ("-transcribe", ("speech_transcription",), (Modality.TEXT, Modality.AUDIO)),
    ("gemma", ("text_generation",), (Modality.TEXT,)),
    ("", CHAT, (Modality.TEXT, Modality.IMAGE, Modality.AUDIO)),
)
"""What a name holds, what such models can do, and what goes into them; the first that fits."""


class _Listed(Struct, rename="camel"):
    """An entry of `GET /v1beta/models`. What else it says (`version`, sampling defaults) is no business of a card."""

    name: str
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    supported_generation_methods: list[str] | None = None
    thinking: bool = False


class _Page(Struct, rename="camel"):
    models: list[_Listed] | None = None
    next_page_token: str | None = None


def parse_models(body: bytes, *, provider: str, url: str, locality: Locality, where: str) -> tuple[list[ModelCard], str | None]:
    """One page of `GET /v1beta/models` as cards, and the token of the next.

    Models that are asked in neither of the ways spoken here are left out: Imagen and Veo (`predict`) and those that only talk
    live (`bidiGenerateContent`). Google counts what goes in and what comes out apart; `context_tokens` is the limit of what goes
    in, so that whatever fits by the card fits in truth, and a long answer may find more room than it says.
    """
    page = decode(body, _Page, where=where, what="its list of models")
    cards = [_card(listed, provider, url, locality) for listed in page.models or () if _is_spoken(listed)]
    return cards, page.next_page_token or None


def assumed(name: str, *, provider: str, locality: Locality) -> ModelCard:
    """The card of a model by its name alone."""
    capabilities, inputs = _marked(name)
    return ModelCard(
        provider=provider,
        name=short_name(name),
        locality=locality,
        capabilities=capabilities,
        capabilities_guessed=True,
        inputs=inputs,
    )


def short_name(name: str) -> str:
    """`gemini-2.5-flash` of `models/gemini-2.5-flash`; tuned models keep their `tunedModels/`."""
    return name.removeprefix(PREFIX)


def full_name(name: str) -> str:
    """`models/gemini-2.5-flash`, however it is given; tuned models have a collection of their own."""
    return name if "/" in name else PREFIX + name


def _card(listed: _Listed, provider: str, url: str, locality: Locality) -> ModelCard:
    embeds = GENERATES not in (listed.supported_generation_methods or ())
    capabilities, inputs = (("embedding",), (Modality.TEXT,)) if embeds else _marked(listed.name)
    return ModelCard(
        provider=provider,
        name=short_name(listed.name),
        endpoints=(url,),
        locality=locality,
        capabilities=(*capabilities, "thinking") if listed.thinking else capabilities,
        # Google tells of embedding and thinking; of images, sound and tools it tells nothing.
        capabilities_guessed=not embeds,
        inputs=inputs,
        context_tokens=listed.input_token_limit or None,
        max_output_tokens=None if embeds else listed.output_token_limit or None,
    )


def _is_spoken(listed: _Listed) -> bool:
    methods = listed.supported_generation_methods or ()
    return GENERATES in methods or EMBEDS in methods


def _marked(name: str) -> tuple[tuple[str, ...], tuple[Modality, ...]]:
    return next((capabilities, inputs) for mark, capabilities, inputs in MARKS if mark in name)
