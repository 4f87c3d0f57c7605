"""Who writes down what a recording says: a model that spells frame by frame, or an encoder and a decoder."""

from collections.abc import AsyncGenerator
from typing import Protocol

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.frame_scribe import FrameScribe
from mmai.backends.coreml.speech.recording import Samples
from mmai.backends.coreml.speech.window_scribe import WindowScribe


class Scribe(Protocol):
    """One model, ready to hear."""

    sample_rate: int
    """Of what it hears."""

    def transcribe(self, samples: Samples) -> AsyncGenerator[str, None]:
        """The text of one recording as it is written, without a line's end."""
        ...


async def scribe_for(job: Job) -> Scribe:
    """What the model's roles make it; raises as `tasks.transcribe.run` does."""
    return await (WindowScribe.open(job) if has_decoder(job) else FrameScribe.open(job))


def has_decoder(job: Job) -> bool:
    """Whether one part hears and another writes."""
    roles = job.roles
    if roles.decoder is not None:
        return roles.decoder == "encoder_decoder"
    functions = {function.name for function in job.package.functions}
    return bool({"encoder", "decoder"} & roles.parts.keys()) or {"encoder", "decoder"} <= functions
