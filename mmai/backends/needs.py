"""What a request needs a model to be able to do, held against what the model's card says. Pure."""

from collections.abc import Collection

from mmai.values.media import STUDIO_SOUNDS, WEB_IMAGES
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Request, TensorPart
from mmai.values.task import TaskType

MADE = {
    TaskType.EMBEDDING: "embedding",
    TaskType.IMAGE_GENERATION: "image_generation",
    TaskType.SPEECH_SYNTHESIS: "speech_synthesis",
}
"""Task to the capability it takes instead of writing text."""

SPECIAL = frozenset(
    (*MADE.values(), "speech_transcription", "image_classification", "text_classification", "audio_classification")
)
"""What a model may be able to do without writing text."""


def refusal(model: ModelCard, request: Request, *, spoken: Collection[str] = SPECIAL) -> str | None:
    """Why the model cannot take the request, in a sentence, or None: see `Backend.can_handle`.

    `spoken` is what the adapter can ask for beside text. A model that can do one thing only does that, whatever the task is
    called: an embedding model embeds.
    """
    handed = [part for message in request.messages for part in message.parts]
    parts = {type(part) for part in handed}
    if unread := [part.media_type for part in handed if isinstance(part, ImagePart) and part.media_type not in WEB_IMAGES]:
        return f"`{model.ref}` reads JPEG, PNG, GIF and WebP, not `{unread[0]}`"
    if unheard := [part.media_type for part in handed if isinstance(part, AudioPart) and part.media_type in STUDIO_SOUNDS]:
        return f"`{model.ref}` hears WAV, MP3, M4A, AAC, FLAC and OGG, not `{unheard[0]}`"
    if TensorPart in parts:
        return f"`{model.ref}` takes text and media, not tensors"
    if request.options.executor is not None:
        return f"`{model.ref}` runs on a server, and has no executor to choose"
    if model.capabilities_guessed:
        return None
    made = MADE.get(request.task) if request.task else None
    writes = "text_generation" in model.capabilities
    needs = {
        "text_generation": not made and SPECIAL.intersection(spoken).isdisjoint(model.capabilities),
        "vision": ImagePart in parts and writes,
        "audio": AudioPart in parts and "speech_transcription" not in model.capabilities,
        **({made: True} if made else {}),
        "tools": bool(request.tools),
        "json_schema": request.schema is not None,
        "thinking": bool(request.options.think),
    }
    lacks = [name for name, needed in needs.items() if needed and name not in model.capabilities]
    return f"`{model.ref}` lacks {', '.join(f'`{name}`' for name in lacks)}" if lacks else None


def makes(model: ModelCard, request: Request, capability: str) -> bool:
    """Whether this request asks the model for what `capability` names rather than for text.

    Because the task says so, and nobody knows that the model cannot; or because the model can do nothing else.
    """
    asked = request.task is not None and MADE.get(request.task) == capability
    asked = asked and (capability in model.capabilities or model.capabilities_guessed)
    return asked or (capability in model.capabilities and "text_generation" not in model.capabilities)
