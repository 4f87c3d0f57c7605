"""Recordings as they stand in files: forms, rates, channels, and what is wrong with them."""

import io
import struct
import sys

import numpy as np
import pytest
import soundfile
from packages.speech import tone

from mmai.backends.coreml.speech import recording
from mmai.backends.coreml.speech.recording import Samples, decoded
from mmai.errors import CannotRun, UsageError
from mmai.values.request import AudioPart

SINE = tone(440, seconds=1.5)


def encoded(samples: Samples = SINE, *, rate: int = 16_000, form: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def read(data: bytes, *, rate: int = 16_000, media_type: str = "audio/wav", name: str | None = "talk.wav") -> Samples:
    return decoded(AudioPart(data, media_type, name), sample_rate=rate)


def refusal(data: bytes, **of: str) -> UsageError:
    with pytest.raises(UsageError) as refused:
        read(data, media_type=of.get("media_type", "audio/wav"), name=of.get("name", "talk.wav"))
    return refused.value


@pytest.mark.parametrize(
    ("form", "subtype", "tolerance"),
    [
        ("WAV", "PCM_U8", 0.01),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-7),
        ("WAV", "FLOAT", 0),
        ("WAV", "DOUBLE", 0),
        ("WAV", "ULAW", 0.02),
        ("WAV", "ALAW", 0.02),
        ("FLAC", "PCM_16", 1e-4),
        ("FLAC", "PCM_24", 1e-6),
        ("MP3", None, 0.02),
        ("OGG", "VORBIS", 0.05),
        ("OGG", "OPUS", 0.05),
        ("AIFF", "PCM_16", 1e-4),
        ("CAF", "PCM_16", 1e-4),
    ],
)
def test_every_form_gives_the_same_samples(form: str, subtype: str | None, tolerance: float) -> None:
    samples = read(encoded(form=form, subtype=subtype))
    assert samples.dtype == np.float32
    assert len(samples) == len(SINE)
    middle = slice(4000, 20_000)  # lossy forms begin and end softly
    assert np.abs(samples[middle] - SINE[middle]).max() <= tolerance


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_becomes_the_model_s(rate: int) -> None:
    samples = read(encoded(tone(440, seconds=1.5, rate=rate), rate=rate, subtype="FLOAT"))
    assert abs(len(samples) - len(SINE)) <= 1
    assert np.abs(samples[2000:20_000] - SINE[2000:20_000]).max() < 1e-3


def test_a_long_recording_is_resampled_without_seams() -> None:
    samples = read(encoded(tone(440, seconds=20, rate=44_100), rate=44_100, subtype="FLOAT"))
    wanted = tone(440, seconds=20)
    assert len(wanted) > recording.BLOCK_SAMPLES
    assert np.abs(samples[2000:-2000] - wanted[2000 : len(samples) - 2000]).max() < 1e-3


def test_what_is_above_half_the_rate_is_taken_out_and_not_folded() -> None:
    samples = read(encoded(tone(15_000, rate=48_000), rate=48_000, subtype="FLOAT"))
    assert np.abs(samples[2000:-2000]).max() < 1e-3


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(channels: int) -> None:
    only_first = np.zeros((len(SINE), channels), np.float32)
    only_first[:, 0] = SINE
    assert np.allclose(read(encoded(only_first, subtype="FLOAT")), SINE / channels, atol=1e-7)


@pytest.mark.parametrize("claimed", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_from_a_pipe_does_not_know_its_length(claimed: int) -> None:
    data = bytearray(encoded())
    data[40:44] = struct.pack("<I", claimed)
    assert len(read(bytes(data))) == len(SINE)


def test_a_wav_with_other_chunks_before_its_samples_is_read() -> None:
    data = encoded()
    with_note = data[:36] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + data[36:]
    assert np.array_equal(read(with_note), read(data))


def test_a_wav_that_is_cut_short_is_refused_with_what_is_there() -> None:
    data = encoded()
    refused = refusal(data[: 44 + 16_000])
    assert refused.message == "`talk.wav` is cut short: of the 1.5 s its header promises, 0.5 s are there"


@pytest.mark.parametrize("form", ["FLAC", "OGG"])
def test_other_forms_that_are_cut_short_are_refused(form: str) -> None:
    data = encoded(form=form)
    assert refusal(data[: len(data) // 2], name="talk").message.startswith("`talk` ")


@pytest.mark.parametrize(
    ("at", "form", "value", "sentence"),
    [
        (24, "<I", 3, "`talk.wav` claims 3 samples per second; a recording has 8000 to 192000"),
        (24, "<I", 4_000_000, "`talk.wav` claims 4000000 samples per second; a recording has 8000 to 192000"),
        (22, "<H", 0, "`talk.wav` cannot be read as a recording: Channel count is zero"),
        (22, "<H", 5000, "`talk.wav` cannot be read as a recording: Too many channels specified"),
        (34, "<H", 64, "`talk.wav` cannot be read as a recording: File contains data in an unimplemented format"),
    ],
)
def test_a_wav_whose_header_lies_is_refused(at: int, form: str, value: int, sentence: str) -> None:
    data = bytearray(encoded())
    data[at : at + struct.calcsize(form)] = struct.pack(form, value)
    refused = refusal(bytes(data))
    assert refused.message == sentence


def test_what_is_no_sound_is_refused_with_what_would_make_one_of_it() -> None:
    refused = refusal(b"RIFF\0\0\0\0WAVEjunk" * 40, name="my talk.wav")
    assert refused.message.startswith("`my talk.wav` cannot be read as a recording: ")
    assert refused.hint == "ffmpeg -i 'my talk.wav' out.wav"


@pytest.mark.parametrize(("media_type", "kind"), [("audio/mp4", "M4A"), ("audio/aac", "AAC")])
def test_forms_without_a_decoder_are_called_by_their_names(media_type: str, kind: str) -> None:
    refused = refusal(b"\0\0\0 ftypM4A ", media_type=media_type, name="talk.m4a")
    assert refused.message == f"`talk.m4a` is {kind}, which is not read here: WAV, FLAC, MP3 and OGG are"
    assert refused.hint == "ffmpeg -i talk.m4a out.wav"


def test_a_recording_of_nothing_is_refused() -> None:
    assert refusal(encoded(SINE[:0])).message == "`talk.wav` is a recording without a single sample"


def test_samples_that_are_no_numbers_are_refused() -> None:
    holed = SINE.copy()
    holed[7] = np.nan
    assert refusal(encoded(holed, subtype="FLOAT")).message == "`talk.wav` has samples that are no numbers"


def test_days_of_silence_in_a_small_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LONGEST_S", 3600)
    data = encoded(np.zeros(3601 * 8000, np.float32), rate=8_000, form="FLAC")
    assert len(data) < 200_000
    assert refusal(data).message == "`talk.wav` is longer than 1 h"


def test_without_its_library_no_recording_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(CannotRun, match="recordings are read by libsndfile, which is not installed here"):
        read(b"RIFF")


def test_a_recording_without_a_name_is_called_one() -> None:
    with pytest.raises(UsageError, match=r"^the recording is a recording without a single sample"):
        read(encoded(SINE[:0]), name=None)
