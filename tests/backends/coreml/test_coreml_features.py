"""Log-mel features against transformers' own, and by what must hold of any; and the tensors a model's input gets of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.speech import tone

from mmai.backends.coreml.axis import axis_of
from mmai.backends.coreml.speech.features import log_mel, mel_filters
from mmai.backends.coreml.speech.hearing import Array, Ear, ear_of
from mmai.backends.coreml.speech.recording import Samples
from mmai.errors import CannotRun
from mmai.values.package import ArrayFormat, AudioPreparation, Feature, Function, Range, Roles

WHISPER = AudioPreparation()
WINDOW = 480_000


def chirp() -> Samples:
    """Three seconds of a rising tone over a noise of integers."""
    at = np.arange(48_000)
    time_s, noise = at / 16_000, (at * at * 31 % 997) / 997 - 0.5
    return (0.3 * np.sin(2 * np.pi * (300 + 900 * time_s) * time_s) + 0.02 * noise).astype(np.float32)


def padded(samples: Samples, length: int = WINDOW) -> Samples:
    return np.pad(samples, (0, length - len(samples)))


# Known answers: transformers 4.57.6, `WhisperFeatureExtractor`, rounded to 1e-6; band, frame and value.

KNOWN: dict[int, dict[tuple[int, int], float]] = {
    80: {
        (0, 0): 0.957263,
        (3, 40): 0.02223,
        (10, 77): -0.286087,
        (25, 150): -0.158537,
        (40, 200): 0.108169,
        (60, 222): 0.035783,
        (79, 150): 0.008139,
        (5, 299): 0.168489,
        (7, 300): -0.076764,
        (20, 2999): -0.661311,
    },
    128: {
        (0, 0): 0.881504,
        (3, 40): 0.016239,
        (10, 77): -0.167634,
        (25, 150): 0.17002,
        (40, 200): -0.056429,
        (60, 222): -0.076431,
        (127, 150): 0.009948,
        (5, 299): -0.090184,
        (7, 300): 0.06973,
        (20, 2999): -0.613522,
    },
}


@pytest.mark.parametrize("bands", KNOWN)
def test_features_are_those_whisper_was_trained_on(bands: int) -> None:
    mel = log_mel(padded(chirp()), AudioPreparation(n_mels=bands))
    assert (mel.shape, mel.dtype) == ((bands, 3000), np.float32)
    assert {at: float(mel[at]) for at in KNOWN[bands]} == pytest.approx(KNOWN[bands], abs=1e-5)


def test_windows_and_rates_of_other_models_are_taken() -> None:
    """The same extractor at 22,050 Hz, its filters up to half of that."""
    audio = AudioPreparation(sample_rate=22_050, n_fft=512, hop=220, n_mels=40)
    mel = log_mel(chirp()[:44_100], audio)
    known = {(0, 0): 0.956532, (3, 40): 0.002715, (10, 77): -0.02533, (25, 150): 0.074344, (39, 199): 0.04969}
    assert mel.shape == (40, 200)
    assert {at: float(mel[at]) for at in known} == pytest.approx(known, abs=1e-5)


def test_silence_is_the_floor_everywhere() -> None:
    assert np.all(log_mel(np.zeros(16_000, np.float32), WHISPER) == np.float32(-1.5))


def test_no_feature_is_more_than_eight_decades_under_the_loudest() -> None:
    mel = log_mel(padded(chirp()), WHISPER)
    assert mel.max() - mel.min() == pytest.approx(2.0, abs=1e-6)


@given(gain=st.floats(0.1, 10))
def test_twice_as_loud_moves_every_feature_alike(gain: float) -> None:
    soft = log_mel(tone(440, seconds=0.5), WHISPER)
    loud = log_mel(tone(440, seconds=0.5) * np.float32(gain), WHISPER)
    assert np.abs(loud - soft - np.log10(gain) / 2).max() < 1e-4


@pytest.mark.parametrize(("hertz", "mel"), [(200, 3), (1000, 15), (6400, 42)])
def test_a_tone_is_loudest_in_the_band_of_its_pitch(hertz: int, mel: int) -> None:
    """On Slaney's scale 200 Hz are 3 mel, 1 kHz is 15 and 6.4 kHz are 42; the bands lie evenly between 0 and 45.2."""
    loudest = int(log_mel(tone(hertz), WHISPER).mean(axis=1).argmax())
    assert abs(loudest + 1 - mel / (15 + np.log(8) / (np.log(6.4) / 27)) * 81) <= 1


@pytest.mark.parametrize("bands", [40, 80, 128])
def test_filters_of_one_area_leave_no_band_out(bands: int) -> None:
    filters = mel_filters(AudioPreparation(n_mels=bands, n_fft=4096))
    assert filters.min() >= 0
    areas = filters.sum(axis=1) * 16_000 / 4096
    assert np.all(np.abs(areas - 1) < 0.05)


# What an input gets


def taking(
    name: str, shape: tuple[int, ...], *, ranges: tuple[Range, ...] = (), shapes: tuple[tuple[int, ...], ...] = ()
) -> Function:
    array = ArrayFormat(dtype="float32", shape=shape, ranges=ranges, shapes=shapes)
    return Function(name="main", inputs=(Feature(name=name, kind="array", array=array),))


def heard(ear: Ear, samples: Samples) -> tuple[Array, float]:
    feeds, share = ear.feeds(samples)
    return feeds[ear.name], share


def test_a_fixed_window_is_filled_up_with_silence() -> None:
    mel, share = heard(ear_of(taking("mel", (1, 80, 3000)), Roles()), chirp())
    assert (mel.shape, share) == ((1, 80, 3000), 0.1)
    assert np.array_equal(mel[0], log_mel(padded(chirp()), WHISPER))


def test_a_window_of_any_length_gets_the_frames_there_are() -> None:
    """As they would stand in a window of half a minute."""
    function = taking("mel", (1, 80, 3000), ranges=((1, 1), (80, 80), (1, 3000)))
    mel, share = heard(ear_of(function, Roles()), chirp())
    assert (mel.shape, share) == ((1, 80, 300), 1.0)
    assert np.array_equal(mel[0], log_mel(padded(chirp()), WHISPER)[:, :300])


def test_of_several_windows_the_shortest_that_holds_it_is_taken() -> None:
    function = taking("mel", (1, 80, 1000), shapes=((1, 80, 1000), (1, 80, 200), (1, 80, 400)))
    mel, share = heard(ear_of(function, Roles()), chirp())
    assert (mel.shape, share) == ((1, 80, 400), 0.75)


@pytest.mark.parametrize(
    ("shape", "turned"),
    [((1, 80, 1, 3000), False), ((1, 3000, 80), True), ((80, 3000), False), ((1, 1, 3000, 80), True)],
)
def test_features_lie_the_way_the_input_has_them(shape: tuple[int, ...], turned: bool) -> None:
    mel, _ = heard(ear_of(taking("features", shape), Roles()), chirp())
    assert mel.shape == shape
    plain = log_mel(padded(chirp()), WHISPER)
    assert np.array_equal(mel.reshape([size for size in shape if size != 1]), plain.T if turned else plain)


def test_a_model_with_128_bands_gets_as_many() -> None:
    mel, _ = heard(ear_of(taking("logmel_data", (1, 128, 3000)), Roles()), chirp())
    assert np.array_equal(mel[0], log_mel(padded(chirp()), AudioPreparation(n_mels=128)))


def test_samples_go_in_as_they_are() -> None:
    wave, share = heard(ear_of(taking("audio", (480_000,)), Roles()), chirp())
    assert (wave.shape, share) == ((480_000,), 0.1)
    assert np.array_equal(wave[:48_000], chirp())
    assert not wave[48_000:].any()


def test_samples_are_normalized_where_the_notes_say_so() -> None:
    function = taking("input_values", (1, 16_000), ranges=((1, 1), (400, None)))
    wave, _ = heard(ear_of(function, Roles(options={"normalize": True})), chirp())
    assert wave.shape == (1, 48_000)
    assert (wave.mean(), wave.std()) == pytest.approx((0, 1), abs=1e-5)


def test_a_noted_length_is_filled_up() -> None:
    function = taking("audio", (1, 16_000), ranges=((1, 1), (400, None)))
    ear = ear_of(function, Roles(audio=AudioPreparation(seconds=10)))
    wave, share = heard(ear, chirp())
    assert (wave.shape, share, ear.window_samples) == ((1, 160_000), 0.3, 160_000)


def test_a_mask_and_a_length_tell_which_part_is_sound() -> None:
    function = taking("audio", (1, 160_000))
    others = tuple(
        Feature(name=name, kind="array", array=ArrayFormat(dtype="int32", shape=shape))
        for name, shape in (("attention_mask", (1, 160_000)), ("length", (1,)))
    )
    feeds, _ = ear_of(Function(name="main", inputs=function.inputs + others), Roles()).feeds(chirp())
    assert feeds["attention_mask"].sum() == 48_000
    assert feeds["attention_mask"][0, :48_000].all()
    assert feeds["length"].tolist() == [48_000]


def test_an_input_that_nothing_is_for_is_refused_by_its_name() -> None:
    style = Feature(name="style", kind="array", array=ArrayFormat(dtype="float32", shape=(1, 3)))
    function = Function(name="main", inputs=(*taking("audio", (1, 160_000)).inputs, style))
    with pytest.raises(CannotRun, match="nothing says what the input `style` is for"):
        ear_of(function, Roles()).feeds(chirp())


def test_a_model_without_an_input_for_sound_is_refused() -> None:
    with pytest.raises(CannotRun, match="no input of `main` takes sound: they are none"):
        ear_of(Function(name="main"), Roles())


def test_a_shape_without_mel_bands_is_refused() -> None:
    with pytest.raises(CannotRun, match=r"`mel` takes no features of 80 mel bands: its shape is 1 x 77 x 3000"):
        ear_of(taking("mel", (1, 77, 3000)), Roles())


@given(st.lists(st.integers(1, 5000), min_size=1), st.integers(1, 6000))
def test_the_length_that_fits_is_allowed_and_never_needlessly_long(sizes: list[int], length: int) -> None:
    axis = axis_of(ArrayFormat(shape=(1, sizes[0]), shapes=tuple((1, size) for size in sizes)))
    fitting = axis.fitting(length)
    assert fitting in sizes
    assert fitting == min((size for size in sizes if size >= length), default=max(sizes))
