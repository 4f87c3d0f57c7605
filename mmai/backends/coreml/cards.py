"""Models in files as cards, and which requests they take."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.coreml.axis import last_axis
from mmai.backends.coreml.library import Found
from mmai.values.endpoint import Endpoint
from mmai.values.model import FREE, ModelCard
from mmai.values.package import Package, RoleTask
from mmai.values.request import AudioPart, ImagePart, Request, TensorPart, TextPart
from mmai.values.task import Modality, TaskType

KEPT_LABELS = 10
"""Of the classes of a model, on its card; its files have them all."""
KEPT_CHARACTERS = 200
"""Of one of its author's notes, on its card."""
NAMED_INPUTS = 3
"""At most, in one sentence."""


class Purpose(Struct, frozen=True):
    """What a model of one task is to the rest of mmai."""

    capability: str
    tasks: tuple[TaskType, ...]
    input: Modality
    needs: str
    """What a refusal says it reads."""


PURPOSES: dict[RoleTask, Purpose] = {
    "image_classification": Purpose("image_classification", (TaskType.IMAGE_CLASSIFICATION,), Modality.IMAGE, "a picture"),
    "image_embedding": Purpose("embedding", (TaskType.EMBEDDING,), Modality.IMAGE, "a picture"),
    # Whose classes they are nobody knows, so it is never chosen for a text; it runs when it is named.
    "text_classification": Purpose("text_classification", (), Modality.TEXT, "a text"),
    "text_embedding": Purpose("embedding", (TaskType.EMBEDDING,), Modality.TEXT, "a text"),
    "speech_transcription": Purpose("speech_transcription", (TaskType.SPEECH_TRANSCRIPTION,), Modality.AUDIO, "a recording"),
    "tensors": Purpose("tensors", (), Modality.TENSOR, "tensors"),
}

PARTS = {Modality.IMAGE: ImagePart, Modality.AUDIO: AudioPart, Modality.TEXT: TextPart}


def card_of(found: Found, *, endpoint: Endpoint) -> ModelCard:
    """The card of a model that was found."""
    card = ModelCard(
        provider=endpoint.provider,
        name=found.name,
        locality=endpoint.locality,
        price=FREE,
        capabilities=(),
        only_tasks=True,
        inputs=(),
        problem=found.problem,
    )
    return card if found.package is None else _described(card, found.package)


def _described(card: ModelCard, package: Package) -> ModelCard:
    purpose = PURPOSES[package.roles.task]
    return replace(
        card,
        capabilities=(purpose.capability,),
        tasks=purpose.tasks,
        inputs=(purpose.input,),
        context_tokens=_context(package),
        size_bytes=_size(package),
        parameter_count=None if package.roles.parts else package.parameter_count,
        quantization=_precision(package),
        package=_brief(package),
    )


def _context(package: Package) -> int | None:
    """The most tokens a text may have, of a model that says so."""
    name = package.roles.inputs.get("token_ids")
    arrays = [feature.array for feature in package.main.inputs if feature.name == name and feature.array is not None]
    if not arrays or not package.roles.task.startswith("text_"):
        return None
    (tokens,) = arrays
    return last_axis(tokens).longest


def _size(package: Package) -> int | None:
    """Of everything that is loaded: of a bundle, all of its packages."""
    parts = [Path(path) for path in package.roles.parts.values()]
    files = [file for part in parts for file in (part.rglob("*") if part.is_dir() else (part,)) if file.is_file()]
    found = sum(file.stat().st_size for file in files) if files else (package.spec_bytes or 0) + (package.weight_bytes or 0)
    return found or None


def accepts(model: ModelCard, request: Request) -> str | None:
    """Why a model in a file cannot take a request, in a sentence, or None."""
    kinds = {type(part) for message in request.messages for part in message.parts}
    if request.tools:
        return f"`{model.ref}` calls no tools"
    if request.schema is not None:
        return f"`{model.ref}` writes no JSON of your own"
    if TensorPart in kinds:
        return None
    purpose = PURPOSES[model.package.roles.task if model.package else "tensors"]
    if purpose.input is Modality.TENSOR:
        return (
            f"nothing says what `{model.ref}` is for, so it takes tensors: `mmai run -m {model.ref} {_inputs(model.package)}`"
        )
    if request.task is not None and purpose.tasks and request.task not in purpose.tasks:
        return f"`{model.ref}` does {purpose.tasks[0].value}, not {request.task.value}"
    if PARTS[purpose.input] not in kinds:
        return f"`{model.ref}` reads {purpose.needs}, and none was given"
    others = kinds - {PARTS[purpose.input], TextPart}
    return f"`{model.ref}` reads {purpose.needs} and nothing else" if others else None


def _inputs(package: Package | None) -> str:
    """How what it takes is handed in."""
    needed = [feature for feature in package.main.inputs if not feature.optional] if package else []
    kinds = [f"--input {feature.name}=FILE.{'png' if feature.kind == 'image' else 'npy'}" for feature in needed]
    return " ".join(kinds) if 0 < len(kinds) <= NAMED_INPUTS else "--input NAME=FILE.npy"


def _precision(package: Package) -> str | None:
    """The element type of most of its operations that compute with fractions."""
    floats = {name: count for name, count in package.precision.items() if "float" in name}
    return max(floats, key=lambda name: floats[name], default=None)


def _brief(package: Package) -> Package:
    """As it is kept: the registry is read at every start."""
    notes = {
        key: value if len(value) <= KEPT_CHARACTERS else value[:KEPT_CHARACTERS] + "…"
        for key, value in package.metadata.items()
    }
    roles = replace(package.roles, labels=package.roles.labels[:KEPT_LABELS], vocabulary=package.roles.vocabulary[:KEPT_LABELS])
    return replace(package, labels=package.labels[:KEPT_LABELS], metadata=notes, roles=roles)
