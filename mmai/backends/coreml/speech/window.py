"""One window of a recording, written down token by token: the likeliest each time."""

import math
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from mmai.backends.coreml.speech.decoder import Array, Decoder
from mmai.backends.coreml.speech.rules import allowed, log_probability
from mmai.backends.coreml.speech.vocabulary import Specials

LOOP_TOKENS, LOOP_TIMES = 24, 4
"""A phrase said this often in a row, over at least so many tokens, is the model's stutter and no one else's."""

SILENT_FROM, DOUBTED_BELOW = 0.6, -1.0
"""A window is silence where the model takes it for that with this probability, and is not sure of the words it has for it:
their mean log probability. Source: Whisper, `transcribe.py`."""


class Window:
    """What a decoder makes of one window."""

    def __init__(self, decoder: Decoder, specials: Specials) -> None:
        self._decoder = decoder
        self._specials = specials
        self.count = 0
        """Tokens said."""
        self.cut = False
        """The limit came before the end."""

    async def language(self) -> int | None:
        """The token of the language that is spoken; None where the model knows one only."""
        known = list(self._specials.languages.values())
        if not known:
            return None
        scores = await self._opening()
        return max(known, key=lambda token: float(scores[token]))

    async def said(self, prompt: Sequence[int], *, timed: bool, limit: int) -> AsyncGenerator[int, None]:
        """At most `limit` tokens that follow `prompt`, without the end; none where the window is silence."""
        doubted = await self._seems_silent()
        held: list[int] = []
        certainty = 0.0
        async for token, log_p in self._spoken(prompt, timed=timed, limit=limit):
            self.count += 1
            if doubted:
                held.append(token)
                certainty += log_p
            else:
                yield token
        if held and certainty / len(held) >= DOUBTED_BELOW:
            for token in held:
                yield token

    async def _spoken(self, prompt: Sequence[int], *, timed: bool, limit: int) -> AsyncGenerator[tuple[int, float], None]:
        said: list[int] = []
        while len(said) < limit:
            scores = allowed(await self._decoder.scores_after([*prompt, *said]), said, self._specials, timed=timed)
            token = int(np.argmax(scores))
            if token == self._specials.end_id:
                return
            said.append(token)
            yield token, log_probability(scores, token)
            if stutters(said):
                return
        self.cut = True

    async def _seems_silent(self) -> bool:
        if self._specials.silent_id is None:
            return False
        return math.exp(log_probability(await self._opening(), self._specials.silent_id)) > SILENT_FROM

    async def _opening(self) -> Array:
        """What the model says first of all."""
        return await self._decoder.scores_after(self._specials.start_ids)


def stutters(said: Sequence[int]) -> bool:
    """Whether it ends in one phrase over and over."""
    return any(_repeats(said, length) for length in range(1, len(said) // LOOP_TIMES + 1))


def _repeats(said: Sequence[int], length: int) -> bool:
    span = length * max(LOOP_TIMES, math.ceil(LOOP_TOKENS / length))
    tail = list(said[-span:])
    return len(tail) == span and tail[length:] == tail[:-length]
