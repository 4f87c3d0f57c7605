"""An encoder that hears a window, and a decoder that writes down what it heard: Whisper, and what is built like it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing

from mmai.backends.coreml.job import Job
from mmai.backends.coreml.speech.binding import Binding, bound
from mmai.backends.coreml.speech.bundle import Stage, model_itself, stage
from mmai.backends.coreml.speech.decoder import Decoder, context_of
from mmai.backends.coreml.speech.listening import Listener
from mmai.backends.coreml.speech.pieces import STUB_S, UNBOUNDED_S, quiet_end
from mmai.backends.coreml.speech.recording import Samples
from mmai.backends.coreml.speech.spelling import tokenizer_of
from mmai.backends.coreml.speech.vocabulary import specials_of
from mmai.backends.coreml.speech.window import Window
from mmai.backends.coreml.speech.wishes import wishes_of
from mmai.backends.coreml.speech.writing import Writing
from mmai.errors import CannotRun


class WindowScribe:
    """An encoder and a decoder, ready to hear."""

    def __init__(self, job: Job, listener: Listener, decoder: Stage) -> None:
        self._job = job
        self._listener = listener
        self._decoder = decoder
        self._tokenizer = tokenizer_of(job.roles)
        self._specials = specials_of(self._tokenizer, job.roles, vocabulary_size=self._vocabulary_size())
        self._wishes = wishes_of(job, self._specials)
        self._left = job.request.options.max_tokens
        """Tokens that may still be said; None is without limit."""
        self._binding: Binding | None = None
        self.sample_rate = listener.ear.audio.sample_rate

    @classmethod
    async def open(cls, job: Job) -> "WindowScribe":
        """Raises as `bundle.stage` does.

        Raises:
            CannotRun: one half is missing, or nothing says how its text is written.
            UsageError: an option the model does not take.
        """
        hearing, writing = await stage(job, "encoder"), await stage(job, "decoder")
        if hearing is None and writing is None:
            raise CannotRun(
                f"`{job.ref}` is half of a model: nothing says where its encoder or its decoder is",
                hint=f"mmai models show {job.ref} prints a sidecar; its `parts` name them",
            )
        hearing = hearing or model_itself(job)
        return cls(job, await Listener.open(job, hearing), writing or model_itself(job))

    async def transcribe(self, samples: Samples) -> AsyncGenerator[str, None]:
        """See `Scribe`. What is longer than a window is heard on from the last time the model tells, or from a quiet place."""
        size = self._listener.ear.window_samples or UNBOUNDED_S * self.sample_rate
        timed = self._specials.times_from is not None and (self._wishes.timestamps or len(samples) > size)
        writing = Writing(
            self._tokenizer,
            times_from=self._specials.times_from if timed else None,
            window_s=size / self.sample_rate,
            lines=self._wishes.timestamps,
        )
        start, language_id = 0, self._wishes.language_id
        while (start == 0 or len(samples) - start > STUB_S * self.sample_rate) and self._left != 0:
            rest = samples[start : start + size + 1]
            end = size if timed else quiet_end(rest, window=size, sample_rate=self.sample_rate)
            with closing(await self._decoder_of(rest[:end])) as decoder:
                window = Window(decoder, self._specials)
                language_id = await window.language() if language_id is None else language_id
                writing.begin(start / self.sample_rate)
                async for text in self._written(window, writing, language_id, timed=timed):
                    yield text
            start += end if writing.advance_s is None else round(writing.advance_s * self.sample_rate)

    async def _decoder_of(self, samples: Samples) -> Decoder:
        encoded, _ = await self._listener.hear(samples)
        self._binding = self._binding or bound(self._decoder.function, self._job.roles, encoded=encoded)
        return Decoder(self._decoder, self._binding, encoded, padding=self._specials.end_id)

    async def _written(
        self, window: Window, writing: Writing, language_id: int | None, *, timed: bool
    ) -> AsyncGenerator[str, None]:
        prompt = self._specials.prompt(language_id=language_id, translate=self._wishes.translate, timed=timed)
        async with aclosing(window.said(prompt, timed=timed, limit=self._limit(len(prompt)))) as said:
            async for token in said:
                if text := writing.add(token):
                    yield text
        if text := writing.end():
            yield text
        if self._left is not None:
            self._left -= window.count
        if window.cut and (self._left == 0 or not timed):
            self._job.meter.reason = "length"

    def _limit(self, prompt_tokens: int) -> int:
        """The most tokens of one window."""
        assert self._binding is not None, "a window was heard"
        room = max(context_of(self._binding) - prompt_tokens, 0)
        limits = (room, self._specials.most_tokens, self._left)
        return min(limit for limit in limits if limit is not None)

    def _vocabulary_size(self) -> int:
        """How many tokens the decoder scores; of one that does not say, as many as its tokenizer has."""
        name = self._job.roles.outputs.get("logits", "logits")
        arrays = (output.array for output in self._decoder.function.outputs if output.name == name)
        shape = next((array.shape for array in arrays if array is not None), ())
        return shape[-1] if shape else int(self._tokenizer.get_vocab_size(with_added_tokens=True))
