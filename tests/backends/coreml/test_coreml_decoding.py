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
from packages.scripted import Scripted
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

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.reference import open_reference
from mmai.backends.coreml.speech.binding import bound
from mmai.backends.coreml.speech.bundle import Stage, model_itself
from mmai.backends.coreml.speech.decoder import Decoder, context_of
from mmai.backends.coreml.tasks.transcribe import run
from mmai.errors import CannotRun, ProviderError, UsageError
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


def recording(hertz: float, *, seconds: float = 2) -> AudioPart:
    return encoded(tone(hertz, seconds=seconds))


def encoded(samples: np.ndarray[Any, Any]) -> AudioPart:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV")
    return AudioPart(file.getvalue(), "audio/wav", "talk.wav")


class Talk:
    """A bundle of the folder; `kind` None is half of one."""

    def __init__(self, folder: Path, kind: str | None, *, mel: bool = False, **options: Any) -> None:
        self.pieces: list[str] = []
        self.meter = Meter()
        extra = {name: value for name, value in options.items() if name != "max_tokens"}
        self.options = Options(max_tokens=options.get("max_tokens"), extra=extra)
        named = {"encoder": "encoder", "decoder": kind} | ({"mel": "mel"} if mel else {}) if kind else {}
        roles = Roles(
            task="speech_transcription",
            decoder="encoder_decoder",
            audio=AudioPreparation(),
            tokenizer=str(folder / "tokenizer.json"),
            parts={role: str(folder / f"{name}.mlpackage") for role, name in named.items()},
        )
        self.package = replace(read_package(folder / "encoder.mlpackage"), roles=roles)
        self.opened: dict[Path, Executor] = {}

    def hear(self, *recordings: AudioPart) -> str:
        """All that is written."""
        asyncio.run(self._hear(recordings))
        return "".join(self.pieces)

    async def _hear(self, recordings: tuple[AudioPart, ...]) -> None:
        request = Request(messages=(Message("user", recordings),), options=self.options)
        job = Job(ref=ModelRef("coreml", "talk"), package=self.package, request=request, open=self._open, meter=self.meter)
        async for event in run(job):
            assert isinstance(event, TextEvent)
            self.pieces.append(event.text)

    async def _open(self, path: Path | None, function: str | None) -> Executor:
        wanted = path or Path(self.package.path)
        if wanted not in self.opened:
            self.opened[wanted] = await open_reference(read_package(wanted), function=function)
            self.meter.loaded(self.opened[wanted], now=True)
        return self.opened[wanted]


@pytest.mark.parametrize("kind", DECODERS)
def test_every_kind_of_decoder_writes_what_was_heard(bundles: Path, kind: str) -> None:
    assert Talk(bundles, kind).hear(recording(LOW_HZ)) == "The cat sat."


@pytest.mark.parametrize("kind", DECODERS)
def test_the_language_is_heard_and_no_character_comes_in_halves(bundles: Path, kind: str) -> None:
    talk = Talk(bundles, kind)
    talk.hear(recording(HIGH_HZ))
    assert talk.pieces == ["Die", " café", "."]


@pytest.mark.parametrize("kind", DECODERS)
def test_a_language_that_is_named_is_not_guessed(bundles: Path, kind: str) -> None:
    assert Talk(bundles, kind, language="de").hear(recording(LOW_HZ)) == "Die Katze"


@pytest.mark.parametrize("kind", DECODERS)
def test_a_translation_is_written_where_one_is_asked_for(bundles: Path, kind: str) -> None:
    assert Talk(bundles, kind, translate=True).hear(recording(HIGH_HZ)) == "It runs."


@pytest.mark.parametrize("kind", DECODERS)
def test_every_recording_begins_anew_on_a_line_of_its_own(bundles: Path, kind: str) -> None:
    talk = Talk(bundles, kind)
    assert (
        talk.hear(recording(LOW_HZ), recording(HIGH_HZ), recording(LOW_HZ, seconds=1))
        == "The cat sat.\nDie café.\nThe cat sat."
    )
    assert talk.meter.usage.audio_s == 5


def test_no_state_is_held_after_a_recording(bundles: Path) -> None:
    talk = Talk(bundles, "stateful")
    talk.hear(recording(LOW_HZ), recording(HIGH_HZ))
    decoder = talk.opened[bundles / "stateful.mlpackage"]
    for state in (1, 2):
        with pytest.raises(UsageError, match=f"has no state {state}"):
            asyncio.run(decoder.predict({}, state=state))


def test_what_is_longer_than_a_window_is_cut_at_its_pause_and_stays_in_one_language(bundles: Path) -> None:
    """What is high is German where nothing else says what it is."""
    sound = np.concatenate([tone(LOW_HZ, seconds=27), tone(0, seconds=1), tone(HIGH_HZ, seconds=10)])
    assert Talk(bundles, "cached").hear(encoded(sound)) == "The cat sat. It sat."


def test_features_may_come_of_a_package_of_the_bundle(bundles: Path) -> None:
    """Of one that calls everything low."""
    talk = Talk(bundles, "prefix", mel=True)
    assert talk.hear(recording(HIGH_HZ)) == "The cat sat."
    execution = talk.meter.execution(reason=None, function=None)
    assert execution is not None
    assert [(each.name, each.shape) for each in execution.inputs] == [("audio", (480_000,))]


def test_a_transcript_ends_where_no_more_tokens_are_allowed(bundles: Path) -> None:
    talk = Talk(bundles, "stateful", max_tokens=2)
    assert talk.hear(recording(LOW_HZ)) == "The cat"
    assert talk.meter.reason == "length"


def test_a_transcript_that_fits_is_not_called_cut(bundles: Path) -> None:
    talk = Talk(bundles, "stateful", max_tokens=5)
    talk.hear(recording(LOW_HZ))
    assert talk.meter.reason == "stop"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"language": "xx"}, "`language` is one of the model's, not `xx`: de, en, es, fr, it, nl, pl, pt"),
        ({"translate": "yes"}, "`translate` is true or false, not `yes`"),
        ({"timestamps": True}, "the model tells no times"),
    ],
)
def test_what_the_model_cannot_do_is_told_before_it_is_loaded(bundles: Path, options: dict[str, Any], sentence: str) -> None:
    talk = Talk(bundles, "prefix", **options)
    with pytest.raises(UsageError) as refused:
        talk.hear(recording(LOW_HZ))
    assert refused.value.message == sentence
    assert not talk.opened


def test_a_recording_that_cannot_be_read_is_told_of_before_a_model_is_loaded(bundles: Path) -> None:
    talk = Talk(bundles, "prefix")
    with pytest.raises(UsageError, match=r"`talk.wav` is cut short"):
        talk.hear(replace(recording(LOW_HZ), data=recording(LOW_HZ).data[:9000]))
    assert not talk.opened


def test_a_transcription_needs_a_recording(bundles: Path) -> None:
    with pytest.raises(UsageError, match="there is no recording to transcribe"):
        Talk(bundles, "prefix").hear()


def test_half_of_a_model_is_called_that(bundles: Path) -> None:
    with pytest.raises(CannotRun, match="half of a model"):
        Talk(bundles, None).hear(recording(LOW_HZ))


# Which input is what


def array(name: str, *shape: int, dtype: str = "float32") -> Feature:
    return Feature(name=name, kind="array", array=ArrayFormat(dtype=dtype, shape=shape))


def decoder(*inputs: Feature, outputs: tuple[str, ...] = ("logits",)) -> Function:
    whole = (array("ids", 1, 1, dtype="int32"), *inputs)
    return Function(name="main", inputs=whole, outputs=tuple(array(name, 1, 8) for name in outputs))


ENCODED = {"last_hidden_state": np.zeros((1, 1500, 64), np.float32)}


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_an_input_that_nothing_is_for_is_refused_by_its_name(dtype: str) -> None:
    sentence = "nothing gives the decoder's input `style`; the encoder has `last_hidden_state`"
    with pytest.raises(CannotRun) as refused:
        bound(decoder(array("style", 1, 3, dtype=dtype)), Roles(), encoded=ENCODED)
    assert refused.value.message == sentence


def test_what_the_encoder_heard_is_known_by_its_shape_whatever_it_is_called() -> None:
    binding = bound(decoder(array("xa", 1, 1500, 1, 64)), Roles(), encoded=ENCODED)
    assert [(heard.input.name, heard.source) for heard in binding.heard] == [("xa", "last_hidden_state")]


def test_what_the_roles_say_goes_before_shapes() -> None:
    encoded = {"first": np.zeros((1, 5)), "second": np.zeros((1, 5))}
    function = decoder(array("a", 1, 5), array("b", 1, 5))
    binding = bound(function, Roles(inputs={"encoder_hidden_states": "b"}), encoded=encoded)
    assert {heard.input.name: heard.source for heard in binding.heard}["b"] == "first"


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
    assert [(each.input.name, each.output.name) for each in binding.carried] == [(before, after)]
    assert binding.remembers
    assert binding.logits == "logits"


def whole_numbers(*names: str) -> Function:
    inputs = tuple(array(name, 1, 1, dtype="int32") for name in names)
    return Function(name="main", inputs=inputs, outputs=(array("logits", 1, 8),))


def test_tokens_are_whole_numbers_that_are_no_positions() -> None:
    binding = bound(whole_numbers("offset", "symbols"), Roles(), encoded=ENCODED)
    assert (binding.tokens.name, [each.name for each in binding.positions]) == ("symbols", ["offset"])


def test_roles_say_which_input_takes_the_tokens() -> None:
    binding = bound(
        whole_numbers("input_ids", "position"), Roles(inputs={"token_ids": "position", "position_ids": "input_ids"}), encoded={}
    )
    assert (binding.tokens.name, [each.name for each in binding.positions]) == ("position", ["input_ids"])


def test_a_decoder_without_tokens_is_refused() -> None:
    with pytest.raises(CannotRun, match="no input of the decoder takes tokens: they are `offset`"):
        bound(whole_numbers("offset"), Roles(), encoded=ENCODED)


def growing(least: int) -> Feature:
    ranges = ((1, 1), (least, 20), (9, 9))
    return Feature(name="past_k", kind="array", array=ArrayFormat(dtype="float32", shape=(1, least, 9), ranges=ranges))


def test_a_cache_that_grows_begins_with_nothing_and_says_how_far_it_goes() -> None:
    binding = bound(decoder(growing(0), outputs=("logits", "present_k")), Roles(), encoded=ENCODED)
    assert context_of(binding) == 20
    asked = Scripted(
        lambda feeds: {"logits": np.zeros((1, 8)), "present_k": np.concatenate([feeds["past_k"], np.ones((1, 1, 9))], 1)}
    )
    asyncio.run(Decoder(staged(asked), binding, ENCODED, padding=0).scores_after([5, 6, 7]))
    assert [feeds["past_k"].shape[1] for feeds in asked.asked] == [0, 1, 2]
    assert [feeds["ids"].tolist() for feeds in asked.asked] == [[[5]], [[6]], [[7]]]


def test_a_cache_that_cannot_be_empty_is_refused() -> None:
    """There is nothing that could be in it before the first token."""
    binding = bound(decoder(growing(1), outputs=("logits", "present_k")), Roles(), encoded=ENCODED)
    with pytest.raises(CannotRun, match="`past_k` cannot be empty"):
        Decoder(staged(Scripted({})), binding, ENCODED, padding=0)


def test_a_cache_that_comes_back_whole_is_handed_in_again() -> None:
    binding = bound(decoder(array("k_in", 1, 2), outputs=("logits", "k_out")), Roles(), encoded=ENCODED)
    asked = Scripted(lambda feeds: {"logits": np.zeros((1, 8)), "k_out": feeds["k_in"] + 1})
    asyncio.run(Decoder(staged(asked), binding, ENCODED, padding=0).scores_after([5, 6, 7]))
    assert [feeds["k_in"].tolist() for feeds in asked.asked] == [[[0, 0]], [[1, 1]], [[2, 2]]]


@pytest.mark.parametrize("shape", [(1, 8), (1, 1, 8), (8,), (1, 8, 1, 1)])
def test_scores_of_one_token_are_found_whatever_their_shape(shape: tuple[int, ...]) -> None:
    asked = Scripted({"logits": np.arange(8, dtype=np.float16).reshape(shape)})
    binding = bound(decoder(array("k", 1)), Roles(), encoded={"k": np.zeros(1)})
    assert asyncio.run(Decoder(staged(asked), binding, {"k": np.zeros(1)}, padding=0).scores_after([5])).tolist() == list(
        range(8)
    )


def test_scores_that_are_no_numbers_are_a_failure_of_the_model() -> None:
    binding = bound(decoder(array("k", 1)), Roles(), encoded={"k": np.zeros(1)})
    asked = Scripted({"logits": np.full((1, 8), np.nan)})
    with pytest.raises(ProviderError, match="the decoder gives scores that are no numbers"):
        asyncio.run(Decoder(staged(asked), binding, {"k": np.zeros(1)}, padding=0).scores_after([5]))


def prefix(*others: Feature, length: int = 4) -> Function:
    ids = array("input_ids", 1, length, dtype="int32")
    return Function(name="main", inputs=(ids, *others), outputs=(array("logits", 1, length, 8),))


@pytest.mark.parametrize(
    ("feature", "fed"),
    [
        (array("attention_mask", 1, 4, dtype="int32"), [[1, 1, 0, 0]]),
        (array("attention_mask", 1, 4), [[1, 1, 0, 0]]),
        (array("decoder_key_padding_mask", 1, 4), [[0, 0, -1e4, -1e4]]),
        (array("causal_mask", 1, 1, 4, 4), [[[[0 if k <= q else -1e4 for k in range(4)] for q in range(4)]]]),
        (array("position_ids", 1, 4, dtype="int32"), [[0, 1, 2, 3]]),
        (array("last_position", 1, dtype="int32"), [1]),
        (array("length", 1, dtype="int32"), [2]),
        (array("encoder_attention_mask", 1, 6, dtype="int32"), [[1] * 6]),
    ],
)
def test_what_stands_beside_the_tokens_of_a_prefix_tells_which_are_there(feature: Feature, fed: Any) -> None:
    asked = Scripted({"logits": np.arange(32.0).reshape(1, 4, 8)})
    binding = bound(prefix(feature), Roles(), encoded=ENCODED)
    scores = asyncio.run(Decoder(staged(asked), binding, ENCODED, padding=9).scores_after([5, 6]))
    assert asked.asked[0]["input_ids"].tolist() == [[5, 6, 9, 9]]
    assert asked.asked[0][feature.name].tolist() == fed
    assert scores.tolist() == list(range(8, 16)), "those after the last token that is there"


def staged(executor: Executor) -> Stage:
    async def opened(path: Path | None, function: str | None) -> Executor:
        return executor

    package = Package(
        path="/x.mlpackage", format="mlpackage", type="mlProgram", spec_version=7, functions=(Function(name="main"),)
    )
    job = Job(ref=ModelRef("coreml", "x"), package=package, request=Request(messages=()), open=opened, meter=Meter())
    return model_itself(job)
