"""What is refused before anything is sent: a task without its material, and an answer without a place to go."""

from collections.abc import Sequence

from mmai.backends.needs import makes
from mmai.cli.frame import Frame
from mmai.cli.saving import Saving
from mmai.engine.wish import AUTO, Wish
from mmai.errors import UsageError
from mmai.render.image import protocol
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, Part, Request, TextPart
from mmai.values.task import TaskType

MADE = {"image": ("image_generation", "makes images", "image.png"), "audio": ("speech_synthesis", "speaks", "speech.mp3")}
"""Kind of media to the capability that makes it, how a sentence says so, and a file it could go to."""


def made_by(card: ModelCard, request: Request) -> str | None:
    """`image` or `audio` where that is what the request asks the model for."""
    return next((kind for kind, (capability, _, _) in MADE.items() if makes(card, request, capability)), None)


def demand_place(card: ModelCard, request: Request, call: Frame, *, out: Saving | None, to_stdout: bool) -> None:
    """Hold the call to what can be done with its answer.

    Raises:
        UsageError: the answer is no text, and there is nowhere to put it.
    """
    kind = made_by(card, request)
    if kind is None:
        return
    _, makes_it, example = MADE[kind]
    hint = f"mmai run --out {example}"
    if out is not None:
        if out.media_type and not out.media_type.startswith(kind):
            raise UsageError(f"`{card.ref}` {makes_it}, and `{out.path}` is not the name of such a file", hint=hint)
        return
    if call.output != "text":
        raise UsageError(f"`{card.ref}` {makes_it}, which have no place in JSON", hint=hint)
    if call.out.is_tty and not to_stdout and not (kind == "image" and protocol(call.out, env=call.env)):
        raise UsageError(f"`{card.ref}` {makes_it}, which this terminal cannot show", hint=hint)
    if request.options.extra.get("n", 1) != 1:
        raise UsageError("several images cannot share standard output", hint=hint)


def demand_model(wish: Wish, inputs: Sequence[str]) -> None:
    """Inputs by name are those of one model.

    Raises:
        UsageError: none was named.
    """
    if inputs and wish.model == AUTO:
        raise UsageError(
            "`--input` hands in tensors, whose names only one model knows", hint="mmai run -m coreml:NAME --input …"
        )


def demand_material(task: TaskType | None, parts: Sequence[Part]) -> None:
    """Hold a task that was named to what it needs.

    Raises:
        UsageError: it has nothing to work on.
    """
    said = any(isinstance(part, TextPart) and part.text.strip() for part in parts)
    if task is TaskType.SPEECH_TRANSCRIPTION and not any(isinstance(part, AudioPart) for part in parts):
        raise UsageError("there is no recording to transcribe", hint=f"mmai run -f talk.mp3 --task {task}")
    if task is TaskType.SPEECH_SYNTHESIS and not said:
        raise UsageError("there is no text to speak", hint='mmai run "hello" --out hello.mp3')
    if task is TaskType.IMAGE_GENERATION and not said:
        raise UsageError("nothing says what the image is to show", hint='mmai run "a cat" --out cat.png')
