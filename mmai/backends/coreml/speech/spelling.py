"""Tokens written out as text, as they come: never half a character, and nothing twice."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer

from mmai.errors import CannotRun
from mmai.values.package import Roles

MARK = "▁"
"""SentencePiece's sign of a word's beginning."""

BAR = "|"
"""wav2vec's sign of a word's end."""

SPECIAL = re.compile(r"<\|?[^<>|]+\|?>|\[[A-Z]+\]")
"""`<pad>`, `<s>`, `<|en|>`, `[PAD]`: no part of any text."""

HALF = "\ufffd"
"""What a decoder writes for bytes that are no character yet."""


class Spelling(Protocol):
    """Text as it grows."""

    def add(self, tokens: Sequence[int]) -> str:
        """What these add to the text; empty where they only begin a character."""
        ...


class VocabularySpelling:
    """Words, pieces of words or characters of a list. Space at the ends is held back until something follows."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._joint = joint(vocabulary)
        self._bar = BAR in vocabulary and " " not in vocabulary
        self._begun = False
        self._space = False

    def add(self, tokens: Sequence[int]) -> str:
        """See `Spelling`."""
        named = (self._vocabulary[token] for token in tokens if 0 <= token < len(self._vocabulary))
        return "".join(self._written(word) for word in named if not SPECIAL.fullmatch(word))

    def _written(self, word: str) -> str:
        text = self._joint + word.replace(MARK, " ")
        if self._bar:
            text = text.replace(BAR, " ")
        bare = text.strip()
        self._space = self._space or text.startswith(" ")
        if not bare:
            return ""
        before = " " if self._space and self._begun else ""
        self._begun, self._space = True, text.endswith(" ")
        return before + bare


class TokenizerSpelling:
    """Tokens of a `tokenizer.json`, decoded with those before them, since a space or half a character may depend on them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._special = special_ids(tokenizer)
        self._tokens: list[int] = []
        self._known = 0
        """How many of the tokens are written; the others are a character that is not whole."""
        self._begun = False

    def add(self, tokens: Sequence[int]) -> str:
        """See `Spelling`."""
        return "".join(self._one(token) for token in tokens if token not in self._special)

    def _one(self, token: int) -> str:
        self._tokens.append(token)
        text = self._new()
        return self._write(text) if text and not text.endswith(HALF) else ""

    def _new(self) -> str:
        whole = self._decoded(self._tokens)
        return whole[len(self._decoded(self._tokens[: self._known])) :]

    def _write(self, text: str) -> str:
        del self._tokens[: self._known]
        self._known = len(self._tokens)
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return text

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=False))


def spelling_of(roles: Roles) -> tuple[Spelling, int]:
    """How the tokens of a CTC model are written, and how many there are.

    Raises:
        CannotRun: nothing says so, or its tokenizer cannot be read.
    """
    if roles.vocabulary:
        return VocabularySpelling(roles.vocabulary), len(roles.vocabulary)
    tokenizer = tokenizer_of(roles)
    vocabulary = vocabulary_of(tokenizer)
    return VocabularySpelling(vocabulary) if plain_decoder(tokenizer) else TokenizerSpelling(tokenizer), len(vocabulary)


def tokenizer_of(roles: Roles) -> Tokenizer:
    """The tokenizer beside the model.

    Raises:
        CannotRun: there is none, or it cannot be read.
    """
    if roles.tokenizer is None:
        raise CannotRun("nothing says how the model's tokens are written: it has no `tokenizer.json` and no vocabulary")
    try:
        return Tokenizer.from_str(Path(roles.tokenizer).read_text("utf-8"))
    except OSError as exc:
        raise CannotRun(f"cannot read the tokenizer `{roles.tokenizer}`: {exc.strerror or exc}") from exc
    except Exception as exc:  # tokenizers raises nothing narrower
        raise CannotRun(f"`{roles.tokenizer}` is no tokenizer: {exc}") from exc


def vocabulary_of(tokenizer: Tokenizer) -> list[str]:
    """Its tokens in the order of their numbers."""
    return [tokenizer.id_to_token(token) or "" for token in range(tokenizer.get_vocab_size(with_added_tokens=True))]


def special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Tokens that are no part of any text."""
    added = tokenizer.get_added_tokens_decoder()
    return frozenset(token for token, kind in added.items() if kind.special or SPECIAL.fullmatch(kind.content))


def plain_decoder(tokenizer: Tokenizer) -> bool:
    """Whether it would collapse tokens a second time, as one for CTC does, or knows nothing of how they are joined."""
    decoder = json.loads(tokenizer.to_str()).get("decoder")
    return decoder is None or decoder.get("type") == "CTC"


def joint(vocabulary: Sequence[str]) -> str:
    """What stands between two tokens: a space where they are whole words, nothing where some token is or begins with a space."""
    regular = [token for token in vocabulary if not SPECIAL.fullmatch(token)]
    spaced = any(token in (" ", BAR) or token.startswith((MARK, " ")) for token in regular)
    return "" if spaced or all(len(token) <= 1 for token in regular) else " "
