"""What a user may ask of a decoder with `-O`: a language, a translation, times."""

from msgspec import Struct

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.vocabulary import Specials
from mmai.errors import UsageError


class Wishes(Struct, frozen=True, kw_only=True):
    """All of it."""

    language_id: int | None = None
    """None is whatever is heard."""
    translate: bool = False
    """Into English."""
    timestamps: bool = False
    """A line for every segment, with its times."""


def wishes_of(job: Job, specials: Specials) -> Wishes:
    """What is asked for, held against what the model can do.

    Raises:
        UsageError: it cannot.
    """
    language = job.request.options.extra.get("language")
    wished = Wishes(
        language_id=None if language in (None, "auto") else specials.language(language),
        translate=job.flag("translate"),
        timestamps=job.flag("timestamps"),
    )
    if wished.translate and (specials.translate_id is None or not specials.languages):
        raise UsageError("the model transcribes, and does not translate", hint="mmai run -O translate=false")
    if wished.timestamps and specials.times_from is None:
        raise UsageError("the model tells no times", hint="mmai run -O timestamps=false")
    return wished
