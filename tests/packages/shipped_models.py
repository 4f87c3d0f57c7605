"""Builds the models that mmai ships: `python -m packages.shipped_models FOLDER`, from `tests/`.

No weight is trained. Each is written down so that the right answers follow from arithmetic.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import get_new_symbol
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS, SAMPLE_RATE, TONE_LETTERS, TONES_HZ
from packages.toolkit import built, ct, mb, types

AUTHOR = "The mmai maintainers"
LICENSE = "CC0-1.0"

COLORS = ("red", "green", "blue", "white", "black")
COLOR_WEIGHTS = ((4, -4, -4), (-4, 4, -4), (-4, -4, 4), (4, 4, 4), (-4, -4, -4))

INTENTS = {
    "turn_on": ("on", "start", "enable"),
    "turn_off": ("off", "stop", "disable"),
    "weather": ("weather", "rain", "sunny"),
}
VOCABULARY = ("[PAD]", "[UNK]", *(word for words in INTENTS.values() for word in words))

MELS, N_FFT, HOP = 80, 400, 160


def dominant_color(path: Path) -> Path:
    """The mean of each channel, brought to -1 to 1, times one row of signs for each color."""
    weight = np.array(COLOR_WEIGHTS, np.float32)

    def program(image: Any) -> Any:
        mean = mb.reduce_mean(x=image, axes=[2, 3], keep_dims=False)
        centered = mb.sub(x=mb.mul(x=mean, y=np.float32(2)), y=np.float32(1))
        return mb.softmax(x=mb.linear(x=centered, weight=weight, bias=np.zeros(5, np.float32)), axis=-1, name="probs")

    image = ct.ImageType(name="image", shape=(1, 3, 32, 32), scale=1 / 255, color_layout=ct.colorlayout.RGB)
    return _built(
        program,
        [mb.TensorSpec(shape=(1, 3, 32, 32))],
        path,
        "The dominant color of a picture of 32x32 pixels",
        {"task": "image-classification"},
        inputs=[image],
        classifier_config=ct.ClassifierConfig(list(COLORS)),
    )


def tone_letters(path: Path) -> Path:
    """Matched filters for the spectra of eight tones, made independent of each other; the blank wins where none is heard."""
    spectra = np.stack([_spectrum(pitch_hz) for pitch_hz in TONES_HZ.values()])
    filters = np.linalg.pinv(spectra).T
    weight = np.concatenate([np.zeros((1, MELS)), filters * 8]).astype(np.float32)
    bias = np.array([10.0] + [0] * len(TONES_HZ), np.float32)

    def program(mel: Any) -> Any:
        frames = mb.transpose(x=mel, perm=[0, 2, 1])
        centered = mb.sub(x=frames, y=mb.reduce_mean(x=frames, axes=[2], keep_dims=True))
        return mb.linear(x=centered, weight=weight, bias=bias, name="logits")

    frontend = {"type": "log-mel", "n_mels": MELS, "n_fft": N_FFT, "hop": HOP, "sample_rate": SAMPLE_RATE}
    return _built(
        program,
        [mb.TensorSpec(shape=(1, MELS, get_new_symbol()))],
        path,
        "Tones to letters",
        {"task": "speech-to-text", "vocab": "_abcdefgh", "decoder": "ctc-greedy", "frontend": json.dumps(frontend)},
        inputs=[ct.TensorType(name="mel", shape=(1, MELS, ct.RangeDim(1, 3000, default=3000)))],
    )


def keyword_intents(path: Path) -> Path:
    """How many words of each intent stand in the sentence, times five."""
    table = np.array([[5.0 * (word in words) for words in INTENTS.values()] for word in VOCABULARY], np.float32)

    def program(input_ids: Any, attention_mask: Any) -> Any:
        there = mb.expand_dims(x=mb.cast(x=attention_mask, dtype="fp32"), axes=[2])
        counted = mb.mul(x=mb.gather(x=table, indices=input_ids, axis=0), y=there)
        return mb.reduce_sum(x=counted, axes=[1], keep_dims=False, name="logits")

    return _built(
        program,
        [mb.TensorSpec(shape=(1, 16), dtype=types.int32) for _ in range(2)],
        path,
        "Intents by their words",
        {"task": "text-classification", "labels": json.dumps(list(INTENTS)), "vocab": json.dumps(VOCABULARY)},
    )


SHIPPED = {DOMINANT_COLOR: dominant_color, TONE_LETTERS: tone_letters, KEYWORD_INTENTS: keyword_intents}


def _built(
    program: Callable[..., Any], specs: list[Any], path: Path, description: str, notes: dict[str, str], **conversion: Any
) -> Path:
    def described(model: Any) -> None:
        model.author, model.license, model.version, model.short_description = AUTHOR, LICENSE, "1.0", description
        for name, value in notes.items():
            model.user_defined_metadata[f"mmai.{name}"] = value

    compiled = mb.program(input_specs=specs, opset_version=ct.target.iOS16)(program)
    return built(compiled, path, compute_precision=ct.precision.FLOAT16, described=described, **conversion)


def _spectrum(pitch_hz: float) -> np.ndarray:
    """Of one second of a tone: the mean over its frames, without its mean over the bands, of length one."""
    samples = 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    bands = _log_mel(samples)[:, 20:80].mean(1)
    centered = bands - bands.mean()
    return np.asarray(centered / np.linalg.norm(centered))


def _log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's features of samples and a silence up to 30 s: (bands, frames). Source: openai/whisper, `audio.py`."""
    padded = np.pad(samples, (0, 30 * SAMPLE_RATE - len(samples)))
    padded = np.pad(padded, N_FFT // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][:-1] * window
    power = np.abs(np.fft.rfft(frames)) ** 2
    logs = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    return np.asarray((np.maximum(logs, logs.max() - 8) + 4) / 4)


def _mel_filters() -> np.ndarray:
    """Triangles of equal area on Slaney's scale: (bands, frequencies)."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    highest = 15 + np.log(SAMPLE_RATE / 2 / 1000) * 27 / np.log(6.4)
    mels = np.linspace(0, highest, MELS + 2)
    corners = np.where(mels >= 15, 1000 * np.exp((mels - 15) * np.log(6.4) / 27), mels * 200 / 3)
    widths = np.diff(corners)
    slopes = corners[:, None] - frequencies
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]))
    return np.asarray(triangles * (2 / (corners[2:] - corners[:-2]))[:, None])


def main(folder: Path) -> None:
    """Build them all, readable for everyone who unpacks the wheel."""
    for path, build in SHIPPED.items():
        for file in build(folder / path.name).rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
