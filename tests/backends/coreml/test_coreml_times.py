"""Times, silence and stutter: what a Whisper model says beside text, and what is made of it."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.speech import SPECIALS, WORDS, tokenizer
from tokenizers import Tokenizer

from mmai.backends.coreml.executor import LoadReport, Prediction
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.speech.recording import Samples
from mmai.backends.coreml.speech.rules import allowed
from mmai.backends.coreml.speech.segments import Segments
from mmai.backends.coreml.speech.vocabulary import Specials, specials_of
from mmai.backends.coreml.speech.window import Window, stutters
from mmai.backends.coreml.speech.window_scribe import WindowScribe
from mmai.backends.coreml.speech.writing import clock
from mmai.errors import CannotRun
from mmai.values.execution import ExecutorName
from mmai.values.model import ModelRef
from mmai.values.package import ArrayFormat, AudioPreparation, Feature, Function, Package, Roles
from mmai.values.request import Options, Request

TIMES = 1501
"""0 s to 30 s in steps of 20 ms."""
SILENT = "<|nospeech|>"


def timed_tokenizer() -> Tokenizer:
    return tokenizer(specials=(SILENT, *SPECIALS))


TOKENIZER = timed_tokenizer()
FIRST_TIME = TOKENIZER.get_vocab_size(with_added_tokens=True)
"""Times stand after all else, and no tokenizer has to know them."""
SIZE = FIRST_TIME + TIMES
SPECIAL = specials_of(TOKENIZER, Roles(), vocabulary_size=SIZE)
END = SPECIAL.end_id


def at(seconds: float) -> int:
    return FIRST_TIME + round(seconds * 50)


def word(name: str) -> int:
    return WORDS.index(name)


def follows(said: Sequence[int], *, timed: bool = True) -> set[int]:
    """What may come where the model likes everything alike."""
    return set(np.flatnonzero(np.isfinite(allowed(np.zeros(SIZE, np.float32), said, SPECIAL, timed=timed))).tolist())


def test_times_stand_after_the_token_for_none() -> None:
    assert SPECIAL.times_from == FIRST_TIME
    assert sorted(SPECIAL.languages) == ["de", "en", "es", "fr", "it", "nl", "pl", "pt"]


def test_a_window_with_times_begins_with_one_in_its_first_second() -> None:
    assert follows([]) == set(range(at(0), at(1) + 1))


def test_a_window_without_times_has_none_and_begins_with_no_space_or_end() -> None:
    text = set(range(1, len(WORDS)))
    assert follows([], timed=False) == text
    assert follows([word("ĠThe")], timed=False) == text | {0, END}


def test_text_follows_the_time_it_begins_at() -> None:
    assert follows([at(0)]) == set(range(len(WORDS))) | {END}


def test_a_time_that_closes_is_later_and_likelier_than_any_word() -> None:
    """All times together weigh more than one word, so a time it is."""
    assert follows([at(1), word("ĠThe")]) == set(range(at(1) + 1, SIZE))


def test_after_a_time_that_closes_comes_one_that_opens_or_the_end() -> None:
    scores = np.zeros(SIZE, np.float32)
    scores[END] = 20
    left = allowed(scores, [at(0), word("ĠThe"), at(2)], SPECIAL, timed=True)
    assert set(np.flatnonzero(np.isfinite(left)).tolist()) == {END, *range(at(2), SIZE)}


def test_a_word_much_likelier_than_all_times_is_said() -> None:
    scores = np.zeros(SIZE, np.float32)
    scores[word("Ġcat")] = 20
    assert int(np.argmax(allowed(scores, [at(0), word("ĠThe")], SPECIAL, timed=True))) == word("Ġcat")


@given(st.lists(st.integers(0, 1_000_000), max_size=40))
def test_whatever_the_model_likes_times_never_go_back_and_special_tokens_are_never_said(seeds: list[int]) -> None:
    said: list[int] = []
    for seed in seeds:
        scores = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32) * 9
        token = int(np.argmax(allowed(scores, said, SPECIAL, timed=True)))
        if token == END:
            break
        said.append(token)
    times = [token for token in said if token >= FIRST_TIME]
    assert times == sorted(times)
    assert all(token < len(WORDS) or token >= FIRST_TIME for token in said)


# Segments


def segments(*tokens: int) -> tuple[list[tuple[int, float, float]], Segments]:
    made = Segments(times_from=FIRST_TIME, window_s=30)
    closed = [segment for token in tokens if (segment := made.add(token))]
    if rest := made.rest():
        closed.append(rest)
    return [(len(each.tokens), round(each.start_s, 2), round(each.end_s, 2)) for each in closed], made


def test_a_window_goes_on_from_the_last_segment_it_closed() -> None:
    closed, made = segments(at(0), 2, 3, at(4), at(4.5), 2, at(9), at(9), 4)
    assert closed == [(2, 0, 4), (1, 4.5, 9)]
    assert made.advance_s == 9


def test_a_window_that_ends_with_its_last_segment_is_done() -> None:
    closed, made = segments(at(0), 2, at(4), at(4), 3, at(11))
    assert closed == [(1, 0, 4), (1, 4, 11)]
    assert made.advance_s == 30


def test_text_that_nothing_closes_is_kept_where_there_is_nothing_else() -> None:
    closed, made = segments(at(0.5), 2, 3)
    assert closed == [(2, 0.5, 30)]
    assert made.advance_s == 30


@given(st.lists(st.integers(0, SIZE - 1), max_size=40))
def test_every_window_gets_on(tokens: list[int]) -> None:
    assert 1 <= segments(*tokens)[1].advance_s <= 30


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "00:00.000"), (62.34, "01:02.340"), (3661.0004, "01:01:01.000"), (59.9996, "01:00.000")]
)
def test_a_time_is_shown_as_players_show_it(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


# Windows


class Likes:
    """A decoder that says one token after the other, and takes the window for silence with a probability."""

    def __init__(self, *tokens: int, silent: float = 0.0, sure: float = 20.0) -> None:
        self.tokens, self.silent, self.sure = [*tokens, END], silent, sure

    async def scores_after(self, tokens: Sequence[int]) -> Any:
        scores = np.zeros(SIZE, np.float32)
        if len(tokens) == 1:
            scores[SPECIAL.silent_id or 0] = math.log(self.silent * (SIZE - 1) / (1 - self.silent)) if self.silent else -50
            return scores
        scores[self.tokens[min(len(tokens) - 2, len(self.tokens) - 1)]] = self.sure
        return scores


def said(decoder: Any, *, limit: int = 100, specials: Specials = SPECIAL) -> tuple[list[int], Window]:
    window = Window(decoder, specials)

    async def all_of_it() -> list[int]:
        return [token async for token in window.said([*specials.start_ids, 0], timed=False, limit=limit)]

    return asyncio.run(all_of_it()), window


def test_a_silent_window_that_the_model_has_no_sure_words_for_says_nothing() -> None:
    assert said(Likes(2, 3, silent=0.9, sure=1))[0] == []


def test_a_window_that_seems_silent_and_has_sure_words_says_them() -> None:
    assert said(Likes(2, 3, silent=0.9))[0] == [2, 3]


def test_unsure_words_of_a_window_with_speech_are_said() -> None:
    assert said(Likes(2, 3, silent=0.3, sure=1))[0] == [2, 3]


def test_a_window_is_cut_where_its_limit_comes_before_its_end() -> None:
    tokens, window = said(Likes(2, 3, 4), limit=2)
    assert (tokens, window.cut) == ([2, 3], True)
    tokens, window = said(Likes(2, 3, 4), limit=4)
    assert (tokens, window.cut) == ([2, 3, 4], False)


def test_a_stutter_ends_a_window() -> None:
    tokens, window = said(Likes(2, *[3, 4] * 100), limit=150)
    assert (tokens, window.cut) == ([2, *[3, 4] * 12], False)


@pytest.mark.parametrize(
    ("tokens", "stuttered"),
    [
        ([7] * 23, False),
        ([7] * 24, True),
        ([1, 2, 3, 4, 5, 6] * 4, True),
        ([1, 2, 3, 4, 5, 6] * 3, False),
        (list(range(9)) * 4, True),
    ],
)
def test_a_phrase_four_times_and_24_tokens_long_is_a_stutter(tokens: list[int], stuttered: bool) -> None:
    assert stutters(tokens) is stuttered


# A recording longer than the window


class Timed:
    """An encoder and a decoder in one: what is said depends on how loud the window begins, in steps of 0.1."""

    name: ExecutorName = "reference"
    compute_units: str | None = None
    alive = True
    report = LoadReport(load_ms=1)

    def __init__(self, *windows: Sequence[int]) -> None:
        self.windows = windows
        self.heard: list[int] = []

    async def predict(self, feeds: Any, *, state: int | None = None) -> Prediction:
        if "audio" in feeds:
            self.heard.append(round(float(feeds["audio"].reshape(-1)[0]) * 10))
            return Prediction(outputs={"encoded": np.full((1, 1), self.heard[-1], np.float32)})
        tokens = feeds["input_ids"].reshape(-1)
        count = int(np.flatnonzero(tokens != END)[-1]) + 1
        script = [*self.windows[int(feeds["encoded"].item())], END]
        scores = np.zeros((1, len(tokens), SIZE), np.float32)
        prompt = 4 if SPECIAL.timeless_id in tokens else 3
        following = SPECIAL.languages["en"] if count < prompt else script[min(count - prompt, len(script) - 1)]
        scores[0, count - 1, following] = 30
        return Prediction(outputs={"logits": scores})

    async def new_state(self) -> int:
        raise AssertionError

    def drop_state(self, state: int) -> None:
        raise AssertionError

    async def aclose(self) -> None:
        return


def transcribed(executor: Timed, samples: Samples, tmp_path: Path, **options: Any) -> list[str]:
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))

    def array(name: str, dtype: str, *shape: int) -> Feature:
        return Feature(name=name, kind="array", array=ArrayFormat(dtype=dtype, shape=shape))

    ears = Function(
        name="encoder", inputs=(array("audio", "float32", 1, 30_000),), outputs=(array("encoded", "float32", 1, 1),)
    )
    writes = Function(
        name="decoder",
        inputs=(array("input_ids", "int32", 1, 40), array("encoded", "float32", 1, 1)),
        outputs=(array("logits", "float32", 1, 40, SIZE),),
    )
    roles = Roles(
        tokenizer=str(tmp_path / "tokenizer.json"), audio=AudioPreparation(sample_rate=1000), inputs={"waveform": "audio"}
    )
    package = Package(
        path="/x.mlpackage", format="mlpackage", type="mlProgram", spec_version=7, functions=(ears, writes), roles=roles
    )

    async def open_part(path: Path | None, function: str | None) -> Timed:
        return executor

    async def all_of_it() -> list[str]:
        request = Request(messages=(), options=Options(extra=options))
        job = Job(ref=ModelRef("coreml", "x"), package=package, request=request, open=open_part, meter=Meter())
        scribe = await WindowScribe.open(job)
        return [text async for text in scribe.transcribe(samples)]

    return asyncio.run(all_of_it())


def ramp(seconds: int) -> Samples:
    """0.1 louder every 10 s, at 1 kHz."""
    return np.repeat(np.arange(seconds // 10), 10_000).astype(np.float32) / np.float32(10)


THE, CAT, SAT, IT, RUNS, DOT = (word(name) for name in ("ĠThe", "Ġcat", "Ġsat", "ĠIt", "Ġruns", "."))


def test_a_long_recording_is_heard_on_from_the_last_time_and_nothing_is_written_twice(tmp_path: Path) -> None:
    executor = Timed(
        [at(0), THE, CAT, at(8), at(8), SAT, DOT, at(20), at(20), IT],  # breaks off: heard again from 20 s
        [],
        [at(0), IT, RUNS, DOT, at(19)],
    )
    pieces = transcribed(executor, ramp(40), tmp_path)
    assert executor.heard == [0, 2]
    assert pieces == ["The cat", " sat.", " It runs."]


def test_times_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    executor = Timed([at(0), THE, CAT, at(8), at(8.5), SAT, DOT, at(19.5)])
    pieces = transcribed(executor, ramp(20), tmp_path, timestamps=True)
    assert "".join(pieces) == "[00:00.000 --> 00:08.000] The cat\n[00:08.500 --> 00:19.500] sat."


def test_times_of_later_windows_count_from_the_recording_s_start(tmp_path: Path) -> None:
    executor = Timed([at(0), THE, at(20), at(20)], [], [at(0), CAT, at(5)])
    pieces = transcribed(executor, ramp(40), tmp_path, timestamps=True)
    assert "".join(pieces) == "[00:00.000 --> 00:20.000] The\n[00:20.000 --> 00:25.000] cat"


def test_a_short_recording_is_written_as_it_is_said(tmp_path: Path) -> None:
    assert transcribed(Timed([THE, CAT]), ramp(20), tmp_path) == ["The", " cat"]


# Special tokens


def test_an_english_model_is_not_asked_for_a_language() -> None:
    english = specials_of(TOKENIZER, Roles(), vocabulary_size=51_864)
    assert english.languages == {}
    assert english.prompt(language_id=None, translate=False, timed=False) == [english.start_ids[0], english.timeless_id]


def test_what_is_noted_goes_before_what_the_tokenizer_has() -> None:
    noted = specials_of(TOKENIZER, Roles(options={"start_ids": [3, 4], "end_id": 5, "suppress_ids": [6]}), vocabulary_size=SIZE)
    assert (noted.start_ids, noted.end_id, noted.times_from) == ((3, 4), 5, None)
    assert 6 in noted.suppressed


@pytest.mark.parametrize("options", [{"start_ids": 7}, {"end_id": "last"}, {"max_tokens": 0}, {"suppress_ids": ["a"]}])
def test_notes_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CannotRun, match="the notes on the model's decoder do not fit: "):
        specials_of(TOKENIZER, Roles(options=options), vocabulary_size=SIZE)


def test_a_generation_config_beside_the_tokenizer_keeps_tokens_from_being_said(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text('{"suppress_tokens": [3], "begin_suppress_tokens": [4]}')
    specials = specials_of(TOKENIZER, Roles(tokenizer=str(tmp_path / "tokenizer.json")), vocabulary_size=SIZE)
    assert 3 in specials.suppressed
    assert specials.suppressed_first == (4,)


@pytest.mark.parametrize("content", ["", "[]", '{"suppress_tokens": "all"}', '{"suppress_tokens": [null]}'])
def test_a_generation_config_that_makes_no_sense_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "generation_config.json").write_text(content)
    specials = specials_of(TOKENIZER, Roles(tokenizer=str(tmp_path / "tokenizer.json")), vocabulary_size=SIZE)
    assert specials == SPECIAL


def test_a_tokenizer_without_a_beginning_needs_notes() -> None:
    with pytest.raises(CannotRun, match="nothing says what a transcript begins and ends with"):
        specials_of(tokenizer(specials=("<|other|>",)), Roles(), vocabulary_size=SIZE)
