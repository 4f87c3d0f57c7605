"""Speech models that write what is known beforehand, because the next token hangs on all before it and on what was heard.

The encoder hears whether a recording is low or high. A decoder adds up the numbers of all tokens so far and looks the sum up in
a table, one for each of the two: a token too many, too few or in the wrong place, and it writes `wrong`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packages.reference import program
from packages.toolkit import built, ct, mb, types
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WORDS = ("Ġ", "wrong", "ĠThe", "Ġcat", "Ġsat", ".", "ĠDie", "ĠKatze", "ĠcafÃ", "©", "ĠIt", "Ġruns")
"""As byte-level tokenizers write them: `Ġ` is a space, and `Ã©` the two bytes of an é."""
SPECIALS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    *(f"<|{code}|>" for code in ("es", "fr", "it", "nl", "pl", "pt")),  # apart enough that no two sentences have one sum
    "<|de|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|notimestamps|>",
)
PLACES = 16
"""Tokens a decoder takes at most."""
SUMS = 400

SAID = {
    (0, "en", "transcribe"): ("ĠThe", "Ġcat", "Ġsat", "."),
    (0, "de", "transcribe"): ("ĠDie", "ĠKatze"),
    (1, "en", "transcribe"): ("ĠIt", "Ġsat", "."),
    (1, "de", "transcribe"): ("ĠDie", "ĠcafÃ", "©", "."),
    (1, "de", "translate"): ("ĠIt", "Ġruns", "."),
}
"""What was heard (0 low, 1 high), language and task to what is written."""


def tokenizer(words: Sequence[str] = WORDS, specials: Sequence[str] = SPECIALS) -> Tokenizer:
    """Words first, then the special tokens."""
    made = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, special=True) for name in specials])
    return made


NUMBERS = {name: number for number, name in enumerate((*WORDS, *SPECIALS))}


def table() -> np.ndarray[Any, Any]:
    """What follows which sum: sums x 2 x tokens."""
    scores = np.zeros((SUMS, 2, len(NUMBERS)), np.float32)
    scores[:, :, NUMBERS["wrong"]] = 1
    for heard, language in enumerate(("en", "de")):
        _follows(scores, ["<|startoftranscript|>"], f"<|{language}|>", heard)
    for (heard, language, task), words in SAID.items():
        said = ["<|startoftranscript|>", f"<|{language}|>", f"<|{task}|>", "<|notimestamps|>"]
        for word in (*words, "<|endoftext|>"):
            _follows(scores, said, word, heard)
            said.append(word)
    return scores


def _follows(scores: np.ndarray[Any, Any], said: Iterable[str], word: str, heard: int) -> None:
    row = scores[sum(NUMBERS[each] for each in said), heard]
    assert row.max() == 1, "two sentences have one sum"
    row[NUMBERS[word]] = 9


def tone(hertz: float, *, seconds: float = 2, rate: int = 16_000) -> np.ndarray[Any, Any]:
    """A quiet sine, float32."""
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


LOW_HZ, HIGH_HZ = 300, 4000


def build_encoder(path: Path) -> Path:
    """(1, 80, 3000) -> `encoder_hidden_states` (1, 1, 2): 1 and 0 for what is low, 0 and 1 for what is high."""

    @program(mb.TensorSpec(shape=(1, 80, 3000)))
    def encoder(mel: Any) -> Any:
        loudest = mb.reduce_max(x=mel, axes=[2])
        halves = [mb.slice_by_size(x=loudest, begin=[0, begin], size=[1, 40]) for begin in (0, 40)]
        heard = mb.concat(values=[mb.reduce_max(x=half, axes=[1], keep_dims=True) for half in halves], axis=1)
        sure = mb.softmax(x=mb.mul(x=heard, y=np.float32(50)), axis=-1)
        return mb.reshape(x=sure, shape=(1, 1, 2), name="encoder_hidden_states")

    return built(encoder, path)


def build_prefix_decoder(path: Path) -> Path:
    """All tokens each time, filled up to `PLACES`."""
    specs = [mb.TensorSpec(shape=(1, PLACES), dtype=types.int32), mb.TensorSpec(shape=(1, 1, 2))]

    @program(*specs)
    def decoder(decoder_input_ids: Any, encoder_hidden_states: Any) -> Any:
        sums = mb.cumsum(x=decoder_input_ids, axis=1)
        rows = _rows(sums)
        heard = mb.reshape(x=encoder_hidden_states, shape=(1, 1, 1, 2))
        return mb.squeeze(x=mb.matmul(x=heard, y=rows), axes=[2], name="logits")

    return built(decoder, path)


def build_cached_decoder(path: Path) -> Path:
    """One token each time, as WhisperKit's: what it adds to the caches is put there by whoever asks."""
    row = (1, 1, 1, PLACES)
    whole = [mb.TensorSpec(shape=(1,), dtype=types.int32) for _ in range(2)]
    specs = [*whole, *(mb.TensorSpec(shape=shape) for shape in (row, row, (1, PLACES), (1, 2, 1, 1), (1, PLACES)))]

    @program(*specs)
    def decoder(
        input_ids: Any,
        cache_length: Any,
        key_cache: Any,
        value_cache: Any,
        kv_cache_update_mask: Any,
        encoder_output_embeds: Any,
        decoder_key_padding_mask: Any,
    ) -> Any:
        token = mb.reshape(x=mb.cast(x=input_ids, dtype="fp32"), shape=(1, 1, 1, 1))
        one = mb.add(x=mb.mul(x=token, y=np.float32(0)), y=np.float32(1))
        slot = mb.reshape(x=kv_cache_update_mask, shape=row)
        seen = mb.cast(x=mb.greater(x=mb.reshape(x=decoder_key_padding_mask, shape=row), y=np.float32(-1)), dtype="fp32")
        total = mb.reduce_sum(x=mb.mul(x=mb.add(x=key_cache, y=mb.mul(x=slot, y=token)), y=seen), axes=[1, 2, 3])
        count = mb.reduce_sum(x=mb.mul(x=mb.add(x=value_cache, y=slot), y=seen), axes=[1, 2, 3])
        missed = mb.abs(x=mb.sub(x=mb.sub(x=count, y=mb.cast(x=cache_length, dtype="fp32")), y=np.float32(1)))
        sums = mb.cast(x=mb.add(x=total, y=mb.mul(x=missed, y=np.float32(SUMS))), dtype="int32")
        rows = _rows(mb.reshape(x=sums, shape=(1, 1)))
        heard = mb.reshape(x=encoder_output_embeds, shape=(1, 1, 1, 2))
        logits = mb.squeeze(x=mb.matmul(x=heard, y=rows), axes=[2], name="logits")
        return logits, mb.identity(x=token, name="key_cache_updates"), mb.identity(x=one, name="value_cache_updates")

    return built(decoder, path)


def build_stateful_decoder(path: Path) -> Path:
    """One token each time; what came before is a state of the model's own."""
    specs = [
        mb.TensorSpec(shape=(1, 1), dtype=types.int32),
        mb.TensorSpec(shape=(1, 1), dtype=types.int32),
        mb.TensorSpec(shape=(1, 1, 1, PLACES)),
        mb.TensorSpec(shape=(1, 1, 2)),
        mb.StateTensorSpec((PLACES,), dtype=types.fp16),
    ]

    @program(*specs, target=ct.target.iOS18)
    def decoder(input_ids: Any, position_ids: Any, causal_mask: Any, encoder_hidden_states: Any, tokens_cache: Any) -> Any:
        place = mb.one_hot(
            indices=mb.reshape(x=position_ids, shape=(1,)), one_hot_vector_size=PLACES, on_value=1.0, off_value=0.0
        )
        token = mb.mul(x=mb.reshape(x=place, shape=(PLACES,)), y=mb.reshape(x=mb.cast(x=input_ids, dtype="fp32"), shape=(1,)))
        before = mb.read_state(input=tokens_cache)
        after = mb.add(x=before, y=mb.cast(x=token, dtype="fp16"))
        kept = mb.coreml_update_state(state=tokens_cache, value=after)
        seen = mb.cast(x=mb.greater(x=mb.reshape(x=causal_mask, shape=(PLACES,)), y=np.float32(-1)), dtype="fp32")
        total = mb.reduce_sum(x=mb.mul(x=mb.cast(x=kept, dtype="fp32"), y=seen), axes=[0])
        rows = _rows(mb.reshape(x=mb.cast(x=total, dtype="int32"), shape=(1, 1)))
        heard = mb.reshape(x=encoder_hidden_states, shape=(1, 1, 1, 2))
        return mb.squeeze(x=mb.matmul(x=heard, y=rows), axes=[2], name="logits")

    return built(decoder, path, minimum_deployment_target=ct.target.iOS18)


def _rows(sums: Any) -> Any:
    """1 x count x 2 x tokens; a sum past the table is one of nothing."""
    return mb.gather(x=table(), indices=mb.minimum(x=sums, y=np.int32(SUMS - 1)), axis=0)


def build_waveform_mel(path: Path) -> Path:
    """Samples (480000) -> (1, 80, 3000) with as much in the low bands as there is sound, whatever its pitch."""
    bands = np.zeros((1, 80, 1), np.float32)
    bands[:, :20] = 1

    @program(mb.TensorSpec(shape=(480_000,)))
    def features(audio: Any) -> Any:
        loud = mb.abs(x=mb.reshape(x=audio, shape=(1, 3000, 160)))
        frames = mb.reshape(x=mb.reduce_mean(x=loud, axes=[2]), shape=(1, 1, 3000))
        return mb.mul(x=frames, y=bands, name="melspectrogram_features")

    return built(features, path)
