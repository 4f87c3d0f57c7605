"""What a request asks for: task, difficulty, needs and size. Nothing is sent or remembered; the classifier is read once."""

from mmai.selection.classifier import shipped
from mmai.selection.complexity import Rows, complexity, drivers
from mmai.selection.domains import domain
from mmai.selection.features import features
from mmai.selection.grams import bins, grams
from mmai.selection.language import language
from mmai.selection.lengths import output_tokens
from mmai.selection.requirements import output_requirements
from mmai.selection.tasks import task_probabilities
from mmai.selection.tokens import USUAL, tokens_by_family
from mmai.values.request import AudioPart, ImagePart, Request
from mmai.values.task import LONG_CONTEXT, Constraints, Modality, TaskAnalysis, TaskType

_CAPABILITY = {
    TaskType.EMBEDDING: "embedding",
    TaskType.IMAGE_GENERATION: "image_generation",
    TaskType.SPEECH_SYNTHESIS: "speech_synthesis",
}


UNLIMITED = Constraints()

LONG_CONTEXT_TOKENS = 32_000
"""Beyond the windows many local models are served with."""


def analyze(request: Request, *, constraints: Constraints = UNLIMITED, task: TaskType | None = None) -> TaskAnalysis:
    """Read the last user turn, its attachments and the options. Deterministic.

    `task`, or else the request's own, is taken as certain. `constraints` are carried along and never read from the wording.
    """
    images, recordings = _attachments(request)
    seen = features(last_user_text(request))
    classifier = shipped()
    rows = Rows(tuple(grams(seen)), bins(seen))
    reading = classifier.read(*rows)
    known = task or request.task
    likely: dict[str, float] = (
        {known: 1.0} if known else task_probabilities(seen, reading, classifier.header, images=images, recordings=recordings)
    )
    best = TaskType(next(iter(likely)))
    output = output_requirements(seen, request, best)
    by_family = tokens_by_family(request)
    tokens = by_family[USUAL]
    return TaskAnalysis(
        task_type=best,
        task_probabilities=likely,
        complexity=complexity(reading.complexity, seen, likely, output, tokens),
        complexity_drivers=drivers(seen, likely, output, tokens, classifier=classifier, rows=rows),
        domain=domain(seen, reading.fields),
        required_capabilities=_required(
            request, best, certain=known is not None, images=images, recordings=recordings, tokens=tokens
        ),
        modality=Modality.IMAGE if images else Modality.AUDIO if recordings else Modality.TEXT,
        output=output,
        context_tokens=tokens,
        output_tokens=output_tokens(likely, output, request, context_tokens=tokens),
        tokens_by_family=by_family,
        language=language(seen),
        constraints=constraints,
    )


def last_user_text(request: Request) -> str:
    """What the analysis reads: the text of the latest turn of the user's."""
    return next((message.text for message in reversed(request.messages) if message.role == "user"), "")


def _attachments(request: Request) -> tuple[int, int]:
    parts = [part for message in request.messages for part in message.parts]
    return sum(isinstance(part, ImagePart) for part in parts), sum(isinstance(part, AudioPart) for part in parts)


def _required(request: Request, task: TaskType, *, certain: bool, images: int, recordings: int, tokens: int) -> tuple[str, ...]:
    """What attachments and options ask for, and what a task that somebody named does even before its attachments are there."""
    needs = {
        _CAPABILITY.get(task, "text_generation"): True,
        # An image that is made from others is looked at by whoever makes it, and one that is embedded by whoever takes it.
        "vision": (images and task not in (TaskType.IMAGE_GENERATION, TaskType.EMBEDDING))
        or (certain and task in (TaskType.IMAGE_CLASSIFICATION, TaskType.IMAGE_UNDERSTANDING)),
        "audio": recordings or (certain and task is TaskType.SPEECH_TRANSCRIPTION),
        "json_schema": request.schema is not None,
        "tools": request.tools,
        LONG_CONTEXT: tokens >= LONG_CONTEXT_TOKENS,
    }
    return tuple(name for name, needed in needs.items() if needed)
