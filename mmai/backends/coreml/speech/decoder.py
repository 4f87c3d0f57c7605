"""A decoder asked for what comes after some tokens, whichever way it keeps those before."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmai.backends.coreml.axis import flexible
from mmai.backends.coreml.speech.binding import Binding, Carried
from mmai.backends.coreml.speech.bundle import Stage
from mmai.backends.coreml.speech.masks import array_of, everything, mask, position, row, slot
from mmai.backends.coreml.wording import said_shape
from mmai.errors import CannotRun, ProviderError
from mmai.values.package import Feature

Array = np.ndarray[Any, Any]

CONTEXT_TOKENS = 448
"""Of Whisper's decoders; of one that does not say how many it takes."""


class Decoder:
    """One sequence of tokens, none yet. The model itself stays loaded from one to the next."""

    def __init__(self, model: Stage, binding: Binding, encoded: Mapping[str, Array], *, padding: int) -> None:
        self._model = model
        self._binding = binding
        self._padding = padding
        self._heard = {each.input.name: _held(encoded[each.source], each.input) for each in binding.heard}
        self._caches = {each.input.name: _empty(each.input) for each in binding.carried}
        self._state: int | None = None
        self._fed: list[int] = []
        self._scores = np.zeros(0, np.float32)

    async def scores_after(self, tokens: Sequence[int]) -> Array:
        """What could follow `tokens`: a score for every token of the vocabulary, float32. Each call has more than the last.

        Raises:
            CannotRun: it keeps what went before in a way that is not known here.
            TimedOut, ProviderError: it failed.
        """
        if not self._binding.remembers:
            return await self._step(tokens, past=0)
        for token in tokens[len(self._fed) :]:
            self._scores = await self._step([token], past=len(self._fed))
            self._fed.append(token)
        return self._scores

    def close(self) -> None:
        """Let go of what the model keeps for this sequence. May be called twice."""
        if self._state is not None:
            self._model.drop_state(self._state)
            self._state = None

    async def _step(self, tokens: Sequence[int], *, past: int) -> Array:
        if self._binding.states and self._state is None:
            self._state = await self._model.new_state()
        feeds = self._feeds(tokens, past=past)
        outputs = await self._model.predict(feeds, state=self._state)
        for each in self._binding.carried:
            cache = self._caches[each.input.name]
            self._caches[each.input.name] = _continued(cache, np.asarray(outputs[each.output.name]), each.input, past=past)
        scores = np.asarray(outputs[self._binding.logits], np.float32)
        # What was converted for the Neural Engine has 1 x tokens x 1 x 1.
        rows = scores.reshape(-1, scores.shape[-1] if scores.shape[-1] > 1 else scores.size)
        row = rows[min(len(tokens), len(rows)) - 1]
        if np.isnan(row).any():
            raise ProviderError("the decoder gives scores that are no numbers")
        return np.asarray(row)

    def _feeds(self, tokens: Sequence[int], *, past: int) -> dict[str, Array]:
        binding, count = self._binding, len(tokens)
        length = binding.axis.fitting(count)
        ids = np.full(length, self._padding)
        ids[:count] = tokens
        feeds = {binding.tokens.name: row(ids, binding.tokens)}
        feeds |= {each.name: position(each, past, count, length, remembers=binding.remembers) for each in binding.positions}
        feeds |= {each.name: mask(each, past, count, length) for each in binding.masks}
        feeds |= {each.name: slot(each, past) for each in binding.slots}
        feeds |= {each.name: everything(each, self._heard) for each in binding.whole}
        return feeds | self._heard | self._caches


def context_of(binding: Binding) -> int:
    """The most tokens of one sequence, the prompt's included; `CONTEXT_TOKENS` where the model does not say."""
    limits = list(_limits(binding))
    return min(limits, default=CONTEXT_TOKENS)


def _limits(binding: Binding) -> Iterator[int]:
    if not binding.remembers and binding.axis.longest:
        yield binding.axis.longest
    for feature in (*binding.masks, *binding.slots):
        widest = array_of(feature).ranges[-1][1] if array_of(feature).ranges else max(_sizes(feature, -1))
        if widest:
            yield widest
    for carried in binding.carried:
        yield from _places(carried)
    if binding.states and not (binding.masks or binding.slots):
        # The places of a cache are most often its largest dimension.
        yield min(CONTEXT_TOKENS, max(max(array_of(state).shape) for state in binding.states))


def _places(carried: Carried) -> Iterator[int]:
    """How many tokens a cache has room for: as far as it grows, or where what is added to it differs in size."""
    array = array_of(carried.input)
    if flexible(array):
        yield from (most for least, most in array.ranges if least != most and most)
    elif carried.output.array and len(carried.output.array.shape) == len(array.shape):
        yield from (whole for whole, added in zip(array.shape, carried.output.array.shape, strict=True) if whole != added)


def _sizes(feature: Feature, index: int) -> list[int]:
    array = array_of(feature)
    return [shape[index] for shape in array.shapes or (array.shape,)]


def _held(made: Array, feature: Feature) -> Array:
    """What the encoder made, as the decoder takes it."""
    array = array_of(feature)
    made = made.astype(array.dtype or made.dtype)
    fixed = not array.ranges and len(array.shapes) < 2
    return made.reshape(array.shape) if fixed and made.size == math.prod(array.shape) else made


def _empty(feature: Feature) -> Array:
    """A cache with nothing in it: zeros, or where it grows, no places at all."""
    array = array_of(feature)
    shape = tuple(least for least, _ in array.ranges) or array.shape
    if math.prod(shape) and flexible(array):
        raise CannotRun(f"the decoder's `{feature.name}` cannot be empty, and nothing is to be in it at the beginning")
    return np.zeros(shape, array.dtype or "float32")


def _continued(cache: Array, made: Array, feature: Feature, *, past: int) -> Array:
    """The cache with what this token adds: put in its place, or already there where the model gives the whole cache back."""
    made = made.astype(cache.dtype)
    if made.shape == cache.shape or flexible(array_of(feature)):
        return made
    differing = [index for index, (old, new) in enumerate(zip(cache.shape, made.shape, strict=False)) if old != new]
    if made.ndim != cache.ndim or len(differing) != 1 or past + made.shape[differing[0]] > cache.shape[differing[0]]:
        raise CannotRun(
            f"the decoder's `{feature.name}` of shape {said_shape(cache.shape)} cannot take {said_shape(made.shape)} more"
        )
    places: list[slice] = [slice(None)] * cache.ndim
    places[differing[0]] = slice(past, past + made.shape[differing[0]])
    cache = cache.copy()
    cache[tuple(places)] = made
    return cache
