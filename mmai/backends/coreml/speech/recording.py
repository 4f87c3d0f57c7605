"""Recordings as they stand in files, made the mono samples that models take."""

import io
import shlex
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from mmai.errors import CannotRun, UsageError
from mmai.values.request import AudioPart

Samples = np.ndarray[Any, np.dtype[np.float32]]
"""Mono, full scale at 1."""

LONGEST_S = 4 * 3600
"""At 16 kHz that is 0.9 GB of samples; a compressed file of a few kilobytes can hold days of silence."""

RATES = range(1_000, 768_001)
"""Samples per second that a sound can have; outside of it a header lies."""

BLOCK_SAMPLES = 1 << 18

TOLERATED_S = 0.05
"""What may be missing of what a header promises: less than a sound of speech."""

UNREAD = {"audio/mp4": "M4A", "audio/aac": "AAC"}
"""Types that are recordings and that libsndfile has no decoder for, as people call them."""

STREAMED_BYTES = 0x7FFF0000
"""A WAV written into a pipe cannot know its length: ffmpeg claims 4 GiB, sox and arecord about 2, GStreamer nothing."""


def decoded(part: AudioPart, *, sample_rate: int) -> Samples:
    """The recording at `sample_rate`, its channels averaged.

    Raises:
        CannotRun: nothing here reads sound files.
        UsageError: it is not read here, is damaged, cut short or empty, or is longer than four hours.
    """
    name = f"`{part.name}`" if part.name else "the recording"
    if kind := UNREAD.get(part.media_type):
        raise UsageError(f"{name} is {kind}, which is not read here: WAV, FLAC, MP3 and OGG are", hint=_conversion(part))
    sound = _library()
    try:
        with sound.SoundFile(io.BytesIO(_readable(part.data, name))) as file:
            blocks = list(_resampled(file, name, sample_rate=sample_rate))
    except sound.SoundFileError as exc:
        reason = str(getattr(exc, "error_string", exc)).removeprefix("Error : ").strip(" .")
        raise UsageError(f"{name} cannot be read as a recording: {reason}", hint=_conversion(part)) from exc
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not samples.size:
        raise UsageError(f"{name} is a recording without a single sample")
    if not np.isfinite(samples).all():
        raise UsageError(f"{name} has samples that are no numbers", hint=_conversion(part))
    return samples


def _library() -> Any:
    try:
        import soundfile  # noqa: PLC0415 - where its wheel has no libsndfile, it wants the system's
    except (ImportError, OSError) as exc:
        raise CannotRun(
            "recordings are read by libsndfile, which is not installed here", hint="apt-get install libsndfile1"
        ) from exc
    return soundfile


def _resampled(file: Any, name: str, *, sample_rate: int) -> Iterator[Samples]:
    if file.samplerate not in RATES:
        raise UsageError(f"{name} claims {file.samplerate} samples per second; a recording has 8000 to 192000")
    stream = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
    for mono in _mono(file, name):
        yield mono if file.samplerate == sample_rate else stream.resample_chunk(mono)
    if file.samplerate != sample_rate:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _mono(file: Any, name: str) -> Iterator[Samples]:
    promised, got = file.frames, 0
    while True:
        block = file.read(max(1, BLOCK_SAMPLES // file.channels), dtype="float32", always_2d=True)
        if not len(block):
            break
        got += len(block)
        if got > LONGEST_S * file.samplerate:
            raise UsageError(
                f"{name} is longer than {LONGEST_S // 3600} h",
                hint="ffmpeg -i FILE -f segment -segment_time 3600 part%02d.wav",
            )
        yield block[:, 0] if file.channels == 1 else block.mean(axis=1, dtype=np.float32)
    # How long an MP3 is, is a guess of the decoder's from its first frames.
    if got < promised and file.format != "MP3":
        raise _cut_short(name, promised / file.samplerate, got / file.samplerate)


def _readable(data: bytes, name: str) -> bytes:
    """A WAV whose header does not know its length gets the one it has; one that is shorter than its header says is refused."""
    found = _wave_data(data)
    if found is None:
        return data
    start, promised, bytes_per_s = found
    there = len(data) - start
    if promised == 0 or promised >= STREAMED_BYTES:
        return data[: start - 4] + struct.pack("<I", there) + data[start:]
    if promised - there > bytes_per_s * TOLERATED_S:
        raise _cut_short(name, promised / bytes_per_s, there / bytes_per_s)
    return data


def _wave_data(data: bytes) -> tuple[int, int, int] | None:
    """Where the samples of a RIFF WAV begin, how many bytes its header promises, and how many of them are a second."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, bytes_per_s = 12, 0
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        at += 8
        if kind == b"data":
            return (at, size, bytes_per_s) if bytes_per_s else None
        if kind == b"fmt " and at + 12 <= len(data):
            bytes_per_s = struct.unpack_from("<I", data, at + 8)[0]
        at += size + size % 2
    return None


def _cut_short(name: str, promised_s: float, there_s: float) -> UsageError:
    return UsageError(
        f"{name} is cut short: of the {promised_s:.1f} s its header promises, {there_s:.1f} s are there",
        hint="ffmpeg -i FILE out.wav",
    )


def _conversion(part: AudioPart) -> str:
    named = part.name is not None and Path(part.name).suffix
    return f"ffmpeg -i {shlex.quote(part.name) if part.name and named else 'FILE'} out.wav"
