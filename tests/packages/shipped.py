"""The three small models that mmai ships, and real pictures, recordings and sentences whose answers are known by construction."""

import io
import wave
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

import mmai

FOLDER = Path(mmai.__file__).parent / "data" / "coreml"

DOMINANT_COLOR = FOLDER / "DominantColor.mlpackage"
"""A picture of 32x32 -> `red`, `green`, `blue`, `white` or `black`."""
TONE_LETTERS = FOLDER / "ToneLetters.mlpackage"
"""Log-mel features (1, 80, frames) -> CTC logits over a blank and the letters a to h."""
KEYWORD_INTENTS = FOLDER / "KeywordIntents.mlpackage"
"""Token ids and their mask, both int32 (1, 16) -> logits of `turn_on`, `turn_off` and `weather`."""

COLORS: Mapping[tuple[int, int, int], str] = MappingProxyType(
    {(255, 0, 0): "red", (0, 200, 30): "green", (10, 20, 250): "blue", (250, 250, 250): "white", (3, 3, 3): "black"}
)
"""Pixels of one color, and what `DominantColor` calls them."""

WORDS = ("abba", "cafe", "deadbeef", "hggh")
"""What `ToneLetters` reads without a mistake where `tone_wav` plays it."""

SENTENCES: Mapping[str, str] = MappingProxyType({"please stop": "turn_off", "will it rain": "weather", "start": "turn_on"})
"""Words, in lower case and apart by spaces, and the intent that `KeywordIntents` gives the highest score."""

SAMPLE_RATE = 16_000
TONES_HZ: Mapping[str, float] = MappingProxyType({letter: 400 * 1.4**place for place, letter in enumerate("abcdefgh")})


def color_png(rgb: tuple[int, int, int], size: tuple[int, int] = (32, 32), mode: str = "RGB") -> bytes:
    """A PNG of one color; `size` is width and height in pixels, `mode` one of Pillow's that PNG has: RGB, RGBA, L, LA, P, 1."""
    file = io.BytesIO()
    Image.new("RGB", size, rgb).convert(mode).save(file, "PNG")
    return file.getvalue()


def tones(text: str, *, sample_rate: int = SAMPLE_RATE, tone_s: float = 0.2, pause_s: float = 0.1) -> np.ndarray:
    """Mono samples within -0.5 to 0.5: a tone for each letter, silence before, between and after."""
    time_s = np.arange(round(tone_s * sample_rate)) / sample_rate
    envelope = np.minimum(1, np.minimum(time_s, tone_s - time_s) / 0.03)
    pause = np.zeros(round(pause_s * sample_rate))
    played = [pause]
    for letter in text:
        played += [0.5 * envelope * np.sin(2 * np.pi * TONES_HZ[letter] * time_s), pause]
    return np.concatenate(played).astype(np.float32)


def tone_wav(text: str, *, sample_rate: int = SAMPLE_RATE, channels: int = 1) -> bytes:
    """A 16-bit WAV of `tones`, the same in every channel."""
    samples = np.round(tones(text, sample_rate=sample_rate) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(sample_rate)
        sound.writeframes(np.repeat(samples, channels).tobytes())
    return file.getvalue()
