"""Recordings to text on the command line, by models in files."""

import io
import shutil

import numpy as np
import pytest
import soundfile
from command import Mmai
from packages.shipped import TONE_LETTERS, tone_wav, tones
from packages.speech import HIGH_HZ, LOW_HZ, build_cached_decoder, build_encoder, tokenizer, tone

RUN = ("run", "-m", "coreml:ToneLetters", "--executor", "reference")


@pytest.fixture
def at(mmai: Mmai) -> Mmai:
    """The command on a home with one model in a file."""
    folder = mmai.home / "models"
    folder.mkdir()
    shutil.copytree(TONE_LETTERS, folder / TONE_LETTERS.name)
    mmai.configure(f"model_system:\n  backends:\n    coreml:\n      directories: ['{folder}']\n")
    return mmai


def encoded(text: str, *, form: str, rate: int = 16_000, channels: int = 1) -> bytes:
    samples = tones(text, sample_rate=rate)
    file = io.BytesIO()
    soundfile.write(file, np.stack([samples] * channels, axis=1), rate, format=form)
    return file.getvalue()


def test_a_recording_is_written_down_without_a_prompt(at: Mmai) -> None:
    (at.home / "talk.wav").write_bytes(tone_wav("deadbeef"))
    assert at(*RUN, "-f", "talk.wav")[:2] == (0, "deadbeef\n")


def test_every_form_rate_and_number_of_channels_reads_the_same(at: Mmai) -> None:
    forms = (
        ("WAV", 8_000, 1),
        ("WAV", 44_100, 2),
        ("FLAC", 48_000, 1),
        ("FLAC", 22_050, 2),
        ("MP3", 44_100, 2),
        ("OGG", 16_000, 1),
        ("AIFF", 44_100, 2),
        ("CAF", 16_000, 1),
    )
    names = [f"{rate}.{form.lower()}" for form, rate, _ in forms]
    for name, (form, rate, channels) in zip(names, forms, strict=True):
        (at.home / name).write_bytes(encoded("deadbeef", form=form, rate=rate, channels=channels))
    assert at(*RUN, *(word for name in names for word in ("-f", name)))[:2] == (0, "deadbeef\n" * len(forms))


def test_a_recording_comes_through_a_pipe(at: Mmai) -> None:
    result = at(*RUN, "--task", "speech_transcription", stdin=encoded("cafe", form="MP3", rate=44_100))
    assert result[:2] == (0, "cafe\n")


def test_several_recordings_are_lines_in_their_order(at: Mmai) -> None:
    for name, text in (("b.wav", "cafe"), ("a.wav", "abba")):
        (at.home / name).write_bytes(tone_wav(text))
    assert at(*RUN, "-f", "b.wav", "-f", "a.wav")[:2] == (0, "cafe\nabba\n")


def test_a_recording_of_minutes_is_read_to_its_end(at: Mmai) -> None:
    (at.home / "talk.flac").write_bytes(encoded("abbadeadbeef" * 40, form="FLAC"))
    assert at(*RUN, "-f", "talk.flac")[:2] == (0, "abbadeadbeef" * 40 + "\n")


def test_json_tells_how_long_the_sound_was_and_who_ran_it(at: Mmai) -> None:
    (at.home / "talk.wav").write_bytes(tone_wav("deadbeef"))
    data = at(*RUN, "-f", "talk.wav", "--json").json["data"]
    assert (data["text"], data["finish_reason"], data["usage"]["audio_s"]) == ("deadbeef", "stop", 2.5)
    execution = data["execution"]
    assert (execution["executor"], execution["predictions"]) == ("reference", 1)
    assert execution["inputs"] == [{"name": "mel", "dtype": "float32", "shape": [1, 80, 250]}]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("cut.wav", tone_wav("deadbeef")[:20_000], "`cut.wav` is cut short: of the 2.5 s its header promises, 0.6 s are there"),
        (
            "talk.m4a",
            b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(64),
            "`talk.m4a` is M4A, which is not read here: WAV, FLAC, MP3 and OGG are",
        ),
        ("junk.flac", b"fLaC" + b"junk" * 50, "`junk.flac` cannot be read as a recording: "),
    ],
)
def test_what_cannot_be_heard_is_one_sentence(at: Mmai, name: str, data: bytes, sentence: str) -> None:
    (at.home / name).write_bytes(data)
    result = at(*RUN, "-f", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_silence_says_nothing(at: Mmai) -> None:
    (at.home / "none.wav").write_bytes(tone_wav(""))
    result = at(*RUN, "-f", "none.wav")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("warning: `coreml:ToneLetters` answered with nothing\n")


def test_a_picture_is_no_recording(at: Mmai) -> None:
    (at.home / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    result = at(*RUN, "-f", "cat.png")
    assert result.exit_code == 3
    assert "`coreml:ToneLetters` reads a recording" in result.stderr


def test_a_text_alone_is_no_recording(at: Mmai) -> None:
    result = at(*RUN, "hello")
    assert result.exit_code == 3
    assert "`coreml:ToneLetters` reads a recording, and none was given" in result.stderr


# An encoder and a decoder


@pytest.fixture
def bundle(mmai: Mmai) -> Mmai:
    """The command on a home with two packages that are one model, and nothing noted of them."""
    folder = mmai.home / "models" / "tiny"
    folder.mkdir(parents=True)
    build_encoder(folder / "talk-encoder.mlpackage")
    build_cached_decoder(folder / "talk-decoder.mlpackage")
    tokenizer().save(str(folder / "tokenizer.json"))
    mmai.configure(f"model_system:\n  backends:\n    coreml:\n      directories: ['{folder.parent}']\n")
    for name, hertz in (("low.wav", LOW_HZ), ("high.wav", HIGH_HZ)):
        soundfile.write(mmai.home / name, tone(hertz, rate=44_100), 44_100)
    return mmai


TALK = ("run", "-m", "coreml:talk", "--executor", "reference")


def test_an_encoder_and_its_decoder_are_one_model(bundle: Mmai) -> None:
    assert bundle(*TALK, "-f", "low.wav", "-f", "high.wav")[:2] == (0, "The cat sat.\nDie café.\n")


def test_language_and_translation_are_options(bundle: Mmai) -> None:
    assert bundle(*TALK, "-f", "low.wav", "-O", "language=de")[:2] == (0, "Die Katze\n")
    assert bundle(*TALK, "-f", "high.wav", "-O", "translate=true")[:2] == (0, "It runs.\n")


def test_a_language_the_model_does_not_know_is_refused(bundle: Mmai) -> None:
    result = bundle(*TALK, "-f", "low.wav", "-O", "language=klingon")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "`language` is one of the model's, not `klingon`: de, en, es, fr, it, nl, pl, pt" in result.stderr


def test_what_is_said_so_far_is_kept_where_no_more_is_allowed(bundle: Mmai) -> None:
    result = bundle(*TALK, "-f", "low.wav", "--max-tokens", "2")
    assert (result.exit_code, result.stdout) == (9, "The cat\n")
