"""What a model hears of a stretch of a recording: the tensors its input takes, by samples or by features."""

import math
from typing import Any

import numpy as np
from msgspec import Struct, structs

from mmai.backends.coreml.axis import Axis, axis_of, shape_with
from mmai.backends.coreml.speech.features import log_mel
from mmai.backends.coreml.speech.recording import Samples
from mmai.backends.coreml.wording import listed, said_shape
from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, AudioPreparation, Feature, Function, Roles

Array = np.ndarray[Any, Any]

MEL_WORDS = ("mel", "features", "fbank", "spectrogram")
EXTENT_WORDS = ("mask", "len")
MEL_BANDS = (80, 128, 64, 40)
"""How many bands a model has that nobody described."""


class Ear(Struct, frozen=True, kw_only=True):
    """One model's input for sound."""

    name: str
    array: ArrayFormat
    axis: Axis
    """Of samples, or of frames."""
    audio: AudioPreparation
    mel: bool
    """Features, and not samples."""
    normalize: bool = False
    """Samples of mean 0 and variance 1, as wav2vec 2.0 takes them."""
    others: tuple[Feature, ...] = ()
    """Inputs that say which part of the first is sound: a mask, a length."""

    @property
    def window_samples(self) -> int | None:
        """The longest stretch it takes at once; None is without limit."""
        longest = self.axis.longest
        limits = [longest * self._step] if longest else []
        if self.audio.seconds:
            limits.append(round(self.audio.seconds * self.audio.sample_rate))
        return min(limits, default=None)

    @property
    def _step(self) -> int:
        return self.audio.hop if self.mel else 1

    def feeds(self, samples: Samples) -> tuple[dict[str, Array], float]:
        """What it takes for `samples`, at most `window_samples`; and which share of that they are, the rest being silence."""
        heard = max(len(samples) // self._step, 1)
        wanted = heard if self.audio.seconds is None else max(heard, self._whole_window)
        length = self.axis.fitting(wanted)
        heard = min(heard, length)
        sound = self._features(samples, length) if self.mel else self._wave(samples, length)
        feeds = {self.name: sound.astype(self.array.dtype or "float32").reshape(shape_with(self.array, self.axis, length))}
        feeds |= {other.name: _extent(other, heard, length) for other in self.others}
        return feeds, heard / length

    def takes(self, features: Array, share: float) -> dict[str, Array]:
        """What it takes of features that another model made, `share` of which are sound.

        Raises:
            CannotRun: they are not as many as it takes.
        """
        shape = self.array.shape
        others = math.prod(size for index, size in enumerate(shape) if index != self.axis.index)
        length, rest = divmod(features.size, others)
        if rest or self.axis.fitting(length) != length:
            raise CannotRun(f"`{self.name}` takes features of {said_shape(shape)}, not {said_shape(features.shape)}")
        feeds = {self.name: features.astype(self.array.dtype or "float32").reshape(shape_with(self.array, self.axis, length))}
        return feeds | {other.name: _extent(other, round(length * share), length) for other in self.others}

    @property
    def _whole_window(self) -> int:
        return round((self.audio.seconds or 0) * self.audio.sample_rate) // self._step

    def _wave(self, samples: Samples, length: int) -> Array:
        if self.normalize:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        return np.pad(samples[:length], (0, max(0, length - len(samples))))

    def _features(self, samples: Samples, length: int) -> Array:
        """What the recording has, with silence after it: as if it stood in a window that it does not fill."""
        room = self.window_samples or len(samples) + self.audio.n_fft
        total = max(length * self.audio.hop, min(len(samples) + self.audio.n_fft, room))
        mel = log_mel(np.pad(samples[:total], (0, max(0, total - len(samples)))), self.audio)[:, :length]
        bands = next(
            index for index, size in enumerate(self.array.shape) if size == self.audio.n_mels and index != self.axis.index
        )
        return mel if bands < self.axis.index else mel.T


def ear_of(function: Function, roles: Roles) -> Ear:
    """Which input takes sound, and how.

    Raises:
        CannotRun: none does.
    """
    audio = roles.audio or AudioPreparation()
    mel, chosen = _sound_input(function, roles)
    if chosen is None or chosen.array is None or not chosen.array.shape:
        names = listed(feature.name for feature in function.inputs)
        raise CannotRun(f"no input of `{function.name}` takes sound: they are {names or 'none'}")
    if mel:
        audio = structs.replace(audio, n_mels=_bands(chosen, audio))
    return Ear(
        name=chosen.name,
        array=chosen.array,
        axis=axis_of(chosen.array, beside=(audio.n_mels,) if mel else ()),
        audio=audio,
        mel=mel,
        normalize=bool(roles.options.get("normalize")),
        others=tuple(feature for feature in function.inputs if feature.name != chosen.name and not feature.optional),
    )


def _sound_input(function: Function, roles: Roles) -> tuple[bool, Feature | None]:
    inputs = {feature.name: feature for feature in function.inputs if feature.array is not None}
    for role in ("mel", "waveform"):
        if roles.inputs.get(role) in inputs:
            return role == "mel", inputs[roles.inputs[role]]
    floats = [feature for feature in inputs.values() if "int" not in ((feature.array and feature.array.dtype) or "")]
    chosen = floats[0] if floats else None
    return chosen is not None and _looks_like_mel(chosen), chosen


def _looks_like_mel(feature: Feature) -> bool:
    shape = feature.array.shape if feature.array else ()
    several = sum(size != 1 for size in shape) > 1
    return several or any(word in feature.name.lower() for word in MEL_WORDS)


def _bands(feature: Feature, audio: AudioPreparation) -> int:
    """How many mel bands the input has."""
    shape = feature.array.shape if feature.array else ()
    found = next((bands for bands in (audio.n_mels, *MEL_BANDS) if bands in shape), None)
    if found is None:
        raise CannotRun(f"`{feature.name}` takes no features of {audio.n_mels} mel bands: its shape is {said_shape(shape)}")
    return found


def _extent(feature: Feature, heard: int, length: int) -> Array:
    """Of a mask, ones where sound is; of a length, how much there is."""
    array = feature.array
    if array is None or not any(word in feature.name.lower() for word in EXTENT_WORDS):
        raise CannotRun(f"nothing says what the input `{feature.name}` is for")
    size = math.prod(array.shape)
    if size == 1 and not any(least != most for least, most in array.ranges):
        return np.full(array.shape, heard, array.dtype or "int32")
    shape = shape_with(array, axis_of(array), length)
    mask = np.arange(length) < heard
    return np.broadcast_to(mask, shape).astype(array.dtype or "int32")
