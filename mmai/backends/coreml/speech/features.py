"""Log-mel features as Whisper has them: what most speech models hear of a recording."""

from functools import lru_cache
from typing import Any

import numpy as np

from mmai.backends.coreml.speech.recording import Samples
from mmai.values.package import AudioPreparation

Array = np.ndarray[Any, Any]

BLOCK_FRAMES = 3000
"""Frames transformed at a time: 10 MB of windows and not 1 GB for an hour."""

BREAK_HZ, BREAK_MEL, LINEAR_HZ = 1000.0, 15.0, 200 / 3
"""The Slaney scale is linear up to 1 kHz, 15 mel, and logarithmic from there."""
LOG_STEP = float(np.log(6.4)) / 27

FLOOR = 1e-10
"""The power of silence."""


def log_mel(samples: Samples, audio: AudioPreparation) -> Array:
    """Features of more than `n_fft` // 2 samples: float32, `n_mels` x frames; a frame for every whole `hop`.

    Power in Slaney's mel bands by periodic Hann windows centered on every `hop`-th sample, the ends mirrored; its logarithm to
    base 10 held to the highest 8 decades, and moved to about -1 to 1.
    Source: Whisper, `audio.py`; the same as transformers' `WhisperFeatureExtractor` to 1e-4.
    """
    mirrored = np.pad(samples, audio.n_fft // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, audio.n_fft)[:: audio.hop][: len(samples) // audio.hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(audio.n_fft) / audio.n_fft)
    filters = mel_filters(audio)
    blocks = [
        filters @ (np.abs(np.fft.rfft(windows[start : start + BLOCK_FRAMES] * hann, axis=-1)) ** 2).T
        for start in range(0, len(windows), BLOCK_FRAMES)
    ]
    levels = np.log10(np.maximum(np.concatenate(blocks, axis=1), FLOOR))
    levels = (np.maximum(levels, levels.max() - 8) + 4) / 4
    return np.asarray(levels, np.float32)


def mel_filters(audio: AudioPreparation) -> Array:
    """Triangles of equal area over the power spectrum: float64, `n_mels` x (`n_fft` // 2 + 1)."""
    return _filters(audio.n_mels, audio.n_fft, audio.sample_rate)


@lru_cache
def _filters(n_mels: int, n_fft: int, sample_rate: int) -> Array:
    bins = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    edges = _hertz(np.linspace(0, _mel(sample_rate / 2), n_mels + 2))
    low, center, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (center - low), (high - bins) / (high - center)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low))


def _mel(hertz: float) -> float:
    return BREAK_MEL + np.log(hertz / BREAK_HZ) / LOG_STEP if hertz >= BREAK_HZ else hertz / LINEAR_HZ


def _hertz(mel: Array) -> Array:
    return np.where(mel >= BREAK_MEL, BREAK_HZ * np.exp(LOG_STEP * (mel - BREAK_MEL)), mel * LINEAR_HZ)
