"""Text of frames: what is collapsed, how tokens are written, and recordings heard in pieces."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packages.shipped import TONE_LETTERS, tones
from packages.speech import tokenizer
from tokenizers import Tokenizer, decoders, models

from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.job import Job
from mmai.backends.coreml.meter import Meter
from mmai.backends.coreml.reference import open_reference
from mmai.backends.coreml.roles import find_roles
from mmai.backends.coreml.speech.ctc import blank_of, collapsed, frames_of
from mmai.backends.coreml.speech.frame_scribe import FrameScribe
from mmai.backends.coreml.speech.pieces import overlapping, quiet_end
from mmai.backends.coreml.speech.spelling import TokenizerSpelling, VocabularySpelling, spelling_of
from mmai.errors import CannotRun
from mmai.values.model import ModelRef
from mmai.values.package import Roles
from mmai.values.request import Request

TOKENS = st.integers(1, 5)
FRAMES = st.lists(st.integers(0, 5))


@given(st.lists(TOKENS))
def test_tokens_with_blanks_between_come_out_as_they_are(tokens: list[int]) -> None:
    frames = [each for token in tokens for each in (0, token, token)]
    assert collapsed(frames, blank=0) == tokens


@given(FRAMES)
def test_neither_blanks_nor_repetitions_are_left(frames: list[int]) -> None:
    tokens = collapsed(frames, blank=0)
    assert 0 not in tokens
    assert tokens == [token for token, _ in itertools.groupby(frames) if token != 0]


@given(FRAMES, st.integers(1, 4))
def test_lasting_longer_changes_nothing(frames: list[int], times: int) -> None:
    assert collapsed([frame for frame in frames for _ in range(times)], blank=0) == collapsed(frames, blank=0)


@given(FRAMES, st.integers(0, 50))
def test_in_pieces_it_is_the_same(frames: list[int], at: int) -> None:
    first, second = frames[:at], frames[at:]
    joined = collapsed(first, blank=0) + collapsed(second, blank=0, before=first[-1] if first else None)
    assert joined == collapsed(frames, blank=0)


@pytest.mark.parametrize("shape", [(1, 7, 4), (7, 4), (7, 1, 4), (1, 1, 7, 4), (1, 4, 7), (4, 7)])
def test_scores_are_frames_of_tokens_whichever_way_they_lie(shape: tuple[int, ...]) -> None:
    scores = np.arange(28.0).reshape(7, 4)
    lying = scores if [size for size in shape if size != 1] == [7, 4] else scores.T
    assert np.array_equal(frames_of(lying.reshape(shape), tokens=4), scores)


def test_one_frame_is_one() -> None:
    assert frames_of(np.zeros((1, 1, 4)), tokens=4).shape == (1, 4)


def test_scores_of_other_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match=r"its scores have the shape 1 x 7 x 9, and its vocabulary 4 tokens"):
        frames_of(np.zeros((1, 7, 9)), tokens=4)


def test_a_blank_without_a_word_is_the_last_token() -> None:
    assert blank_of(np.zeros((7, 5)), blank=0, tokens=4) == 4
    assert blank_of(np.zeros((7, 4)), blank=0, tokens=4) == 0


# Writing


def written(vocabulary: str | tuple[str, ...], *words: str) -> str:
    return VocabularySpelling(tuple(vocabulary)).add([tuple(vocabulary).index(word) for word in words])


def test_characters_stand_side_by_side() -> None:
    assert written("_abc ", "c", "a", "b", " ", "a") == "cab a"


def test_wav2vec_writes_bars_between_words() -> None:
    vocabulary = ("<pad>", "<s>", "</s>", "<unk>", "|", "H", "I", "A")
    assert written(vocabulary, "|", "<s>", "H", "I", "|", "A", "I", "|", "</s>") == "HI AI"


def test_pieces_of_words_begin_where_sentencepiece_marks_them() -> None:
    assert written(("<unk>", "▁hel", "lo", "▁", "w", "orld"), "▁hel", "lo", "▁", "w", "orld") == "hello world"


def test_whole_words_stand_apart() -> None:
    assert written(("<blank>", "yes", "no"), "yes", "no", "no") == "yes no no"


def test_spaces_are_held_back_until_something_follows() -> None:
    spelling = VocabularySpelling(("_", "a", " "))
    assert [spelling.add([token]) for token in (2, 1, 2, 2, 1, 2)] == ["", "a", "", "", " a", ""]


@given(st.lists(st.sampled_from(range(8)), max_size=30), st.integers(0, 30))
def test_in_pieces_the_text_is_the_same(tokens: list[int], at: int) -> None:
    vocabulary = ("<s>", "▁a", "b", "▁", "c", "▁de", "'", ".")
    whole, cut = VocabularySpelling(vocabulary), VocabularySpelling(vocabulary)
    assert cut.add(tokens[:at]) + cut.add(tokens[at:]) == whole.add(tokens)


@given(st.text(min_size=1, max_size=12))
def test_a_tokenizer_s_text_comes_in_whole_characters_and_is_all_there(text: str) -> None:
    """Every byte is a token of its own."""
    alphabet = {character: number for number, character in enumerate(sorted(byte_characters().values()))}
    made = Tokenizer(models.BPE(alphabet, []))
    made.decoder = decoders.ByteLevel()
    spelling = TokenizerSpelling(made)
    pieces = [spelling.add([alphabet[byte_characters()[byte]]]) for byte in text.encode()]
    assert "\ufffd" not in "".join(pieces) or "\ufffd" in text
    assert "".join(pieces) == text.lstrip() or text.endswith("\ufffd")


def byte_characters() -> dict[int, str]:
    """How byte-level tokenizers write bytes. Source: GPT-2, `bytes_to_unicode`."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + number) for number, byte in enumerate(others)}


def test_metaspace_tokenizers_keep_the_space_between_pieces() -> None:
    made = Tokenizer(models.BPE({"▁Hello": 0, "▁world": 1, "s": 2}, []))
    made.decoder = decoders.Metaspace()
    spelling = TokenizerSpelling(made)
    assert [spelling.add([token]) for token in (0, 1, 2)] == ["Hello", " world", "s"]


def test_a_tokenizer_that_collapses_by_itself_is_not_asked_to(tmp_path: Path) -> None:
    """Its decoder would make one letter of two."""
    made = Tokenizer(models.WordLevel({"<pad>": 0, "|": 1, "L": 2, "O": 3}, unk_token="<pad>"))
    made.decoder = decoders.CTC()
    made.save(str(tmp_path / "tokenizer.json"))
    spelling, tokens = spelling_of(Roles(tokenizer=str(tmp_path / "tokenizer.json")))
    assert (spelling.add([3, 2, 2, 1, 3]), tokens) == ("OLL O", 4)


def test_special_tokens_are_never_written() -> None:
    made = tokenizer()
    numbers = [made.token_to_id(name) or 0 for name in ("<|en|>", "ĠThe", "<|endoftext|>", "Ġcat")]
    assert TokenizerSpelling(made).add(numbers) == "The cat"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "nothing says how the model's tokens are written: it has no `tokenizer.json` and no vocabulary"),
        ("{}", "is no tokenizer: "),
        ("absent", "cannot read the tokenizer "),
    ],
)
def test_without_its_tokens_a_model_cannot_write(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "tokenizer.json"
    if content == "{}":
        path.write_text(content)
    with pytest.raises(CannotRun) as refused:
        spelling_of(Roles(tokenizer=None if content is None else str(path)))
    assert sentence in refused.value.message


# Pieces


@given(st.integers(1, 5000), st.integers(6, 600))
def test_what_pieces_keep_is_everything_once_and_no_piece_is_too_long(length: int, window: int) -> None:
    pieces = list(overlapping(length, window=window))
    assert [each for piece in pieces for each in range(piece.kept_start, piece.kept_end)] == list(range(length))
    assert all(piece.start <= piece.kept_start < piece.kept_end <= piece.end for piece in pieces)
    assert all(0 < piece.end - piece.start <= window for piece in pieces)


@given(st.integers(1, 5000), st.integers(12, 600))
def test_every_seam_was_heard_from_both_sides(length: int, window: int) -> None:
    pieces = list(overlapping(length, window=window))
    for before, after in itertools.pairwise(pieces):
        assert after.start <= before.kept_end - window // 6
        assert before.end >= after.kept_start + window // 6


def test_a_long_recording_is_cut_at_its_pause() -> None:
    rate, samples = 1000, np.ones(40_000, np.float32)
    samples[25_000:25_300] = 0
    assert 25_000 <= quiet_end(samples, window=30_000, sample_rate=rate) <= 25_300


def test_a_short_recording_is_not_cut() -> None:
    assert quiet_end(np.ones(30_000, np.float32), window=30_000, sample_rate=1000) == 30_000


@given(st.integers(1, 3000), st.integers(1, 2000))
def test_a_cut_is_always_ahead_and_within_the_window(length: int, window: int) -> None:
    end = quiet_end(np.zeros(length, np.float32), window=window, sample_rate=1000)
    assert 0 < end <= min(window, length)


# The whole way


def transcript(samples: np.ndarray[Any, Any], **roles: Any) -> str:
    package = read_package(TONE_LETTERS)
    package = replace(package, roles=replace(find_roles(package), **roles))

    async def heard() -> str:
        executor = await open_reference(package, function=None)

        async def open_part(path: Path | None, function: str | None) -> Any:
            return executor

        job = Job(ref=ModelRef("coreml", "t"), package=package, request=Request(messages=()), open=open_part, meter=Meter())
        scribe = await FrameScribe.open(job)
        return "".join([text async for text in scribe.transcribe(samples)])

    return asyncio.run(heard())


def test_letters_are_read_from_their_tones() -> None:
    assert transcript(tones("deadbeef")) == "deadbeef"


def test_a_recording_longer_than_the_window_is_read_without_seams() -> None:
    """97 s through a window of 30: letters lie on the seams, double ones among them."""
    text = "abbadeadbeefcabbageh" * 16
    assert transcript(tones(text)) == text


@settings(max_examples=20)
@given(st.text("abcdefgh", min_size=1, max_size=12))
def test_whatever_is_spelled_is_read(text: str) -> None:
    assert transcript(tones(text)) == text


def test_a_vocabulary_of_another_size_is_refused() -> None:
    with pytest.raises(CannotRun, match="and its vocabulary 3 tokens"):
        transcript(tones("a"), vocabulary=("_", "a", "b"))
