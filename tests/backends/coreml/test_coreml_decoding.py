"""Encoder and decoder, whichever way the decoder keeps what went before: models whose answers are known by construction."""

import asyncio
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from msgspec.structs import replace
from packages.speech import (
    HIGH_HZ,
    LOW_HZ,
    build_cached_decoder,
    build_encoder,
    build_prefix_decoder,
    build_stateful_decoder,
    build_waveform_mel,
    tokenizer,
    tone,
)

from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.reference import open_reference
from mmai.backends.coreml.speech.binding import bound
from mmai.backends.coreml.tasks.job import Job
from mmai.backends.coreml.tasks.transcribe import run
from mmai.errors import CannotRun, InvalidRequest, UsageError
from mmai.values.event import TextEvent
from mmai.values.model import ModelRef
from mmai.values.package import ArrayFormat, AudioPreparation, Feature, Function, Package, Roles
from mmai.values.request import AudioPart, Message, Options, Request

DECODERS: Mapping[str, Callable[[Path], Path]] = {
    "prefix": build_prefix_decoder,
    "cached": build_cached_decoder,
    "stateful": build_stateful_decoder,
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an encoder, a decoder of each kind, a model that makes features, and a tokenizer."""
    folder = tmp_path_factory.mktemp("bundles")
    build_encoder(folder / "encoder.mlpackage")
    build_waveform_mel(folder / "mel.mlpackage")
    for kind, build in DECODERS.items():
        build(folder / f"{kind}.mlpackage")
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def recording(*hertz: float, seconds: float = 2) -> AudioPart:
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([tone(each, seconds=seconds) for each in hertz]), 16_000, format="WAV")
    return AudioPart(file.getvalue(), "audio/wav", "talk.wav")


class Heard:
    """What came of a run."""

    def __init__(self, folder: Path, kind: str | None, *recordings: AudioPart, mel: bool = False, **options: Any) -> None:
        self.pieces: list[str] = []
        self.meter = Meter()
        extra = {name: value for name, value in options.items() if name != "max_tokens"}
        given = Options(max_tokens=options.get("max_tokens"), extra=extra)
        named = {"encoder": "encoder", "decoder": kind} | ({"mel": "mel"} if mel else {}) if kind else {}
        roles = Roles(
            task="speech_transcription",
            decoder="encoder_decoder",
            audio=AudioPreparation(),
            tokenizer=str(folder / "tokenizer.json"),
            parts={role: str(folder / f"{name}.mlpackage") for role, name in named.items()},
        )
        asyncio.run(self._run(read_package(folder / "encoder.mlpackage"), roles, recordings, given))

    async def _run(self, package: Package, roles: Roles, parts: tuple[AudioPart, ...], options: Options) -> None:
        opened: dict[Path, Any] = {}

        async def open_part(path: Path | None, function: str | None) -> Any:
            wanted = path or Path(package.path)
            if wanted not in opened:
                opened[wanted] = await open_reference(read_package(wanted), function=function)
                self.meter.loaded(opened[wanted], now=True)
            return opened[wanted]

        request = Request(messages=(Message("user", parts),), options=options)
        job = Job(
            ref=ModelRef("coreml", "talk"),
            package=replace(package, roles=roles),
            request=request,
            open=open_part,
            meter=self.meter,
        )
        async for event in run(job):
            assert isinstance(event, TextEvent)
            self.pieces.append(event.text)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@pytest.mark.parametrize("kind", DECODERS)
def test_every_kind_of_decoder_writes_what_was_heard(bundles: Path, kind: str) -> None:
    assert Heard(bundles, kind, recording(LOW_HZ)).text == "The cat sat."


@pytest.mark.parametrize("kind", DECODERS)
def test_the_language_is_heard_and_no_character_comes_in_halves(bundles: Path, kind: str) -> None:
    assert Heard(bundles, kind, recording(HIGH_HZ)).pieces == ["Die", " café", "."]


@pytest.mark.parametrize("kind", DECODERS)
def test_a_language_that_is_named_is_not_guessed(bundles: Path, kind: str) -> None:
    assert Heard(bundles, kind, recording(LOW_HZ), language="de").text == "Die Katze"


@pytest.mark.parametrize("kind", DECODERS)
def test_a_translation_is_written_where_one_is_asked_for(bundles: Path, kind: str) -> None:
    assert Heard(bundles, kind, recording(HIGH_HZ), translate=True).text == "It runs."


@pytest.mark.parametrize("kind", DECODERS)
def test_every_recording_begins_anew_on_a_line_of_its_own(bundles: Path, kind: str) -> None:
    heard = Heard(bundles, kind, recording(LOW_HZ), recording(HIGH_HZ), recording(LOW_HZ, seconds=1))
    assert heard.text == "The cat sat.\nDie café.\nThe cat sat."
    assert heard.meter.usage.audio_s == 5


def test_what_is_longer_than_a_window_is_cut_at_a_pause_and_joined_by_spaces(bundles: Path) -> None:
    whole = recording(LOW_HZ, seconds=50)
    assert Heard(bundles, "prefix", whole).text == "The cat sat. The cat sat."


def test_the_language_of_the_beginning_is_that_of_the_whole(bundles: Path) -> None:
    heard = Heard(bundles, "cached", recording(LOW_HZ, 0, seconds=30), language="de")
    assert heard.text.startswith("Die Katze")


def test_features_may_come_of_a_package_of_the_bundle(bundles: Path) -> None:
    heard = Heard(bundles, "prefix", recording(HIGH_HZ), mel=True)
    assert heard.text == "The cat sat."
    execution = heard.meter.execution(reason=None, function=None)
    assert execution is not None
    assert [(each.name, each.shape) for each in execution.inputs] == [("audio", (480_000,))]


def test_a_transcript_ends_where_no_more_tokens_are_allowed(bundles: Path) -> None:
    heard = Heard(bundles, "stateful", recording(LOW_HZ), max_tokens=2)
    assert heard.text == "The cat"
    assert heard.meter.reason == "length"


def test_a_transcript_that_fits_is_not_called_cut(bundles: Path) -> None:
    assert Heard(bundles, "stateful", recording(LOW_HZ), max_tokens=5).meter.reason == "stop"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"language": "xx"}, "`language` is one of the model's, not `xx`: de, en, es, fr, it, nl, pl, pt"),
        ({"translate": "yes"}, "`translate` is true or false, not `yes`"),
        ({"timestamps": True}, "the model tells no times"),
    ],
)
def test_what_the_model_cannot_do_is_told_before_it_is_asked(bundles: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Heard(bundles, "prefix", recording(LOW_HZ), **options)
    assert refused.value.message == sentence


def test_a_transcription_needs_a_recording(bundles: Path) -> None:
    with pytest.raises(UsageError, match="there is no recording to transcribe"):
        Heard(bundles, "prefix")


def test_half_of_a_model_is_called_that(bundles: Path) -> None:
    with pytest.raises(CannotRun, match="half of a model"):
        Heard(bundles, None, recording(LOW_HZ))


def array(name: str, *shape: int, dtype: str = "float32") -> Feature:
    return Feature(name=name, kind="array", array=ArrayFormat(dtype=dtype, shape=shape))


def decoder(*inputs: Feature, outputs: tuple[str, ...] = ("logits",)) -> Function:
    whole = (array("ids", 1, 1, dtype="int32"), *inputs)
    return Function(name="main", inputs=whole, outputs=tuple(array(name, 1, 8) for name in outputs))


ENCODED = {"last_hidden_state": np.zeros((1, 1500, 64), np.float32)}


def test_an_input_that_nothing_is_for_is_refused_by_its_name() -> None:
    sentence = "nothing gives the decoder's input `style`; the encoder has `last_hidden_state`"
    with pytest.raises(CannotRun) as refused:
        bound(decoder(array("style", 1, 3)), Roles(), encoded=ENCODED)
    assert refused.value.message == sentence


def test_what_the_encoder_heard_is_known_by_its_shape_whatever_it_is_called() -> None:
    binding = bound(decoder(array("xa", 1, 1500, 1, 64)), Roles(), encoded=ENCODED)
    assert [(heard.input.name, heard.source) for heard in binding.heard] == [("xa", "last_hidden_state")]


def test_caches_of_the_encoder_go_to_the_inputs_of_their_names() -> None:
    cache = np.zeros((1, 2, 9), np.float32)
    binding = bound(
        decoder(array("cross_v", 1, 2, 9), array("cross_k", 1, 2, 9)), Roles(), encoded={"cross_k": cache, "cross_v": cache}
    )
    assert {heard.input.name: heard.source for heard in binding.heard} == {"cross_k": "cross_k", "cross_v": "cross_v"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("past_key_values.0.decoder.key", "present.0.decoder.key"),
        ("past_value_3", "present_value_3"),
        ("key_cache", "key_cache_updates"),
        ("k_cache_in", "k_cache_out"),
        ("kv", "new_kv"),
    ],
)
def test_a_cache_is_known_by_its_name_as_it_goes_in_and_comes_out(before: str, after: str) -> None:
    binding = bound(decoder(array(before, 1, 2, 9), outputs=("logits", after)), Roles(), encoded=ENCODED)
    assert [(each.input.name, each.output) for each in binding.carried] == [(before, after)]
    assert binding.remembers
    assert binding.logits == "logits"


def test_roles_say_which_input_takes_the_tokens() -> None:
    function = decoder(array("words", 1, 1, dtype="int32"))
    assert bound(function, Roles(inputs={"token_ids": "words"}), encoded=ENCODED).tokens.name == "words"
    assert bound(function, Roles(), encoded=ENCODED).tokens.name == "ids"
