"""A model that says of every frame which token it hears: CTC."""

from collections.abc import AsyncGenerator

import numpy as np

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.bundle import model_itself, stage
from mmai.backends.coreml.speech.ctc import Array, blank_of, collapsed, frames_of
from mmai.backends.coreml.speech.listening import Listener
from mmai.backends.coreml.speech.pieces import UNBOUNDED_S, Piece, overlapping
from mmai.backends.coreml.speech.recording import Samples
from mmai.backends.coreml.speech.spelling import spelling_of
from mmai.errors import CannotRun, ProviderError


class FrameScribe:
    """A CTC model, ready to hear."""

    def __init__(self, job: Job, listener: Listener) -> None:
        self._job = job
        self._listener = listener
        self.sample_rate = listener.ear.audio.sample_rate

    @classmethod
    async def open(cls, job: Job) -> "FrameScribe":
        """Raises as `bundle.stage` does."""
        hearing = await stage(job, "encoder") or model_itself(job)
        return cls(job, await Listener.open(job, hearing))

    async def transcribe(self, samples: Samples) -> AsyncGenerator[str, None]:
        """See `Scribe`. What is longer than the model hears at once, or than half a minute, is heard in pieces that overlap."""
        spelling, tokens = spelling_of(self._job.roles)
        window = self._listener.ear.window_samples or UNBOUNDED_S * self.sample_rate
        before: int | None = None
        for piece in overlapping(len(samples), window=window):
            outputs, share = await self._listener.hear(samples[piece.start : piece.end])
            scores = self._scores(outputs, tokens)
            best = kept(scores, piece, share).argmax(axis=1).tolist()
            blank = blank_of(scores, blank=self._job.roles.blank, tokens=tokens)
            if text := spelling.add(collapsed(best, blank=blank, before=before)):
                yield text
            before = best[-1] if best else before

    def _scores(self, outputs: dict[str, Array], tokens: int) -> Array:
        named = self._job.roles.outputs.get("logits")
        name = named if named in outputs else next((name for name in outputs if "logits" in name.lower()), None)
        if not outputs:
            raise CannotRun(f"`{self._job.ref}` gives no scores of tokens")
        try:
            scores = frames_of(outputs[name] if name else next(iter(outputs.values())), tokens=tokens)
        except ValueError as exc:
            raise CannotRun(f"`{self._job.ref}` cannot be read as text: {exc}") from exc
        if np.isnan(scores).any():
            raise ProviderError(f"`{self._job.ref}` gives scores that are no numbers")
        return scores


def kept(scores: Array, piece: Piece, share: float) -> Array:
    """The frames a piece is taken at its word for; `share` of all are sound."""
    per_sample = len(scores) * share / (piece.end - piece.start)
    first, last = (round((at - piece.start) * per_sample) for at in (piece.kept_start, piece.kept_end))
    return scores[first : max(last, first + 1)]
