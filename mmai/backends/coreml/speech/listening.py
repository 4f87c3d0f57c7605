"""A stretch of a recording, put through the model that hears it."""

import asyncio
from typing import Any

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.bundle import Stage, stage
from mmai.backends.coreml.speech.hearing import Ear, ear_of
from mmai.backends.coreml.speech.recording import Samples

Array = np.ndarray[Any, Any]


class Listener:
    """One model with an input for sound, and where the bundle has it, the one that makes its features."""

    def __init__(self, job: Job, hearing: Stage, features: Stage | None) -> None:
        self._job = job
        self._hearing = hearing
        self._features = features
        self._ear = ear_of(hearing.function, job.roles)
        self._first = ear_of(features.function, job.roles) if features else self._ear

    @classmethod
    async def open(cls, job: Job, hearing: Stage) -> "Listener":
        """With the rest of the bundle that it needs; raises as `stage` does."""
        return cls(job, hearing, await stage(job, "mel"))

    @property
    def ear(self) -> Ear:
        """What the recording itself goes into."""
        return self._first

    async def hear(self, samples: Samples) -> tuple[dict[str, Array], float]:
        """The arrays the model gives for at most `ear.window_samples`; and which share of them is not silence after the end."""
        with self._job.meter.preparing():
            feeds, share = await asyncio.to_thread(self._first.feeds, samples)
        if self._features:
            made = await self._features.predict(feeds)
            feeds = self._ear.takes(next(array for array in made.values() if isinstance(array, np.ndarray)), share)
        outputs = await self._hearing.predict(feeds)
        return {name: array for name, array in outputs.items() if isinstance(array, np.ndarray)}, share
