"""A language model small enough to write in a moment, and real: what llama.cpp loads is a llama with one layer and 0.2 MB.

It is a bigram table. Embeddings are one-hot, attention and feed-forward are nothing, and the output matrix says which word comes
after which, so that the answer is known beforehand: it goes on from the last word of the prompt.

    write_model(path)             # "hi" is answered with ANSWER, "on" with " and on and on ..." to the end of the context

Run alone: `python tests/fakes/gguf.py tiny.gguf`.
"""

import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    # This file is itself called `gguf`.
    del sys.path[0]

import gguf

NAME = "mmai-bigram"
CONTEXT_TOKENS = 65_536
WORDS = ["Once", " upon", " a", " time", " there", " was", " one", " word", " after", " another"]
ANSWER = "".join(WORDS)
"""What follows any word it does not know."""

CYCLE = [" on", " and"]
"""What never ends."""

END, USER, ASSISTANT = "<|end|>", "<|user|>", "<|assistant|>"
TEMPLATE = "{% for message in messages %}{{ ' ' + message.content }}{% endfor %}"
"""The last word of the conversation comes last, since that is what a bigram goes on from."""

WIDTH, HEAD, HIDDEN = 64, 16, 32
CERTAIN = 40.0
"""Logit of the one word that may follow, over 0 for all others: e^-40 is never drawn."""


def write_model(path: Path) -> None:
    """The file, the same at every writing."""
    alphabet = byte_alphabet()
    words = ["".join(alphabet[byte] for byte in word.encode()) for word in (*WORDS, *CYCLE)]
    tokens = [*alphabet, *words, END]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(NAME)
    writer.add_description("A bigram table for tests; it has learnt nothing from anybody")
    writer.add_license("CC0-1.0")
    _add_shape(writer, vocabulary=len(tokens))
    _add_tokenizer(writer, tokens)
    for name, weights in weights_of(tokens, words).items():
        writer.add_tensor(name, np.ascontiguousarray(weights, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def weights_of(tokens: list[str], words: list[str]) -> dict[str, np.ndarray]:
    """Every tensor by its name. Row 0 of the table is for all tokens that are no word of ours."""
    place = {word: row for row, word in enumerate(words, start=1)}
    embedding = np.zeros((len(tokens), WIDTH))
    for token, word in enumerate(tokens):
        embedding[token, place.get(word, 0)] = 1
    output = np.zeros((len(tokens), WIDTH))
    for word, following in followers(words).items():
        # The norm before it makes of a one-hot row sqrt(WIDTH) at its place.
        output[tokens.index(following), place.get(word, 0)] = CERTAIN / np.sqrt(WIDTH)
    shapes = {"attn_q": (HEAD, WIDTH), "attn_k": (HEAD, WIDTH), "attn_v": (HEAD, WIDTH), "attn_output": (WIDTH, HEAD)}
    shapes |= {"ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN)}
    return {
        "token_embd.weight": embedding,
        **{f"blk.0.{name}.weight": np.zeros(shape) for name, shape in shapes.items()},
        **{name: np.ones(WIDTH) for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight")},
        "output.weight": output,
    }


def followers(words: list[str]) -> dict[str, str]:
    """Word to the one that comes after it; nothing (`""`) to the first."""
    story, cycle = words[: len(WORDS)], words[len(WORDS) :]
    line = dict(zip(["", *story], [*story, END], strict=True))
    return line | dict(zip(cycle, [*cycle[1:], cycle[0]], strict=True))


def byte_alphabet() -> list[str]:
    """The 256 printable characters that byte-level BPE writes bytes as. Source: GPT-2, `bytes_to_unicode`."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte if byte in printable else next(hidden)) for byte in range(256)]


def _add_shape(writer: gguf.GGUFWriter, *, vocabulary: int) -> None:
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _add_tokenizer(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    kinds = [gguf.TokenType.CONTROL if token == END else gguf.TokenType.NORMAL for token in tokens]
    writer.add_tokenizer_model("gpt2")
    # Llama 3's way to cut text takes whole words that are in the vocabulary as they are, without merges.
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{tokens[ord(' ')]} a"])  # there must be one; this makes a word of ours
    writer.add_bos_token_id(tokens.index(END))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
