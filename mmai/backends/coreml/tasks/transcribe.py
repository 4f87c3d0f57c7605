"""Speech to text: every recording that was handed in, in order, each on lines of its own."""

import asyncio
from collections.abc import AsyncGenerator

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.recording import decoded
from mmai.backends.coreml.speech.scribe import scribe_for
from mmai.errors import UsageError
from mmai.values.event import Event, TextEvent, Usage
from mmai.values.request import AudioPart


async def run(job: Job) -> AsyncGenerator[Event, None]:
    """The transcript as it is written.

    Raises:
        UsageError: nothing was handed in, or it is no recording that is read here.
        UsageError: an option the model does not take.
        CannotRun: nothing says how its text is written, or its decoder has inputs that nothing here is for.
        TimedOut, ProviderError: while loading or predicting.
    """
    recordings = job.parts(AudioPart)
    if not recordings:
        raise UsageError("there is no recording to transcribe", hint=f"mmai run -m {job.ref} -f talk.wav")
    scribe = await scribe_for(job)
    heard_s = 0.0
    for number, recording in enumerate(recordings):
        with job.meter.preparing():
            samples = await asyncio.to_thread(decoded, recording, sample_rate=scribe.sample_rate)
        if number:
            yield TextEvent("\n")
        async for text in scribe.transcribe(samples):
            yield TextEvent(text)
        heard_s += len(samples) / scribe.sample_rate
        job.meter.usage = Usage(audio_s=round(heard_s, 3))
