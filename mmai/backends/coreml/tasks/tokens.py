"""A text as the numbers a model reads: by a `tokenizer.json`, a WordPiece vocabulary, or a list of words or characters."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

from mmai.errors import CannotRun
from mmai.values.package import Roles

PADDING = ("[PAD]", "<pad>", "<PAD>", "<|padding|>", "<|endoftext|>", "</s>")
"""Tokens that fill up, the most telling first; of models without one their end of text does."""
UNKNOWN = ("[UNK]", "<unk>", "<UNK>", "UNK", "unk")
WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")


class Encoded(Struct, frozen=True):
    """One text, with the tokens that frame it, not yet filled up."""

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    needed: int
    """How many tokens the whole text has; more than there are `ids` where it was cut."""


class Vocabulary(Protocol):
    """What makes numbers of a text."""

    pad_id: int
    pad_left: bool

    def encode(self, text: str, *, longest: int | None) -> Encoded:
        """The text, cut behind so that with its frame it has at most `longest` tokens."""
        ...


def vocabulary_of(roles: Roles) -> Vocabulary:
    """The vocabulary the roles name. Reading a large one takes 0.1 s, so it is kept for the next text.

    Raises:
        CannotRun: they name none, or its file cannot be read.
    """
    if roles.tokenizer is not None:
        path = Path(roles.tokenizer)
        try:
            return _read(path, path.stat().st_mtime_ns)
        except (OSError, UnicodeDecodeError) as exc:
            raise CannotRun(f"the tokenizer `{path}` cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    if roles.vocabulary:
        return _listed(roles.vocabulary)
    raise CannotRun("nothing says which tokens the model reads: put its `tokenizer.json` or `vocab.txt` beside it")


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int) -> Vocabulary:
    if path.suffix == ".txt":
        return _listed(tuple(path.read_text(encoding="utf-8").splitlines()), config=_config(path))
    text = path.read_text(encoding="utf-8")
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as exc:  # the library has no class of its own for what it does not take
        raise CannotRun(f"`{path.name}` is no tokenizer that can be read: {exc}") from exc
    return Pieces(tokenizer, config=_config(path))


def _config(path: Path) -> dict[str, Any]:
    """What `tokenizer_config.json` beside a tokenizer says; nothing where there is none."""
    try:
        said = json.loads((path.parent / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _listed(tokens: tuple[str, ...], *, config: dict[str, Any] | None = None) -> Vocabulary:
    if not {"[CLS]", "[SEP]", "[UNK]"} <= set(tokens):
        return Words(tokens)
    config = config or {}
    # BERT's cased vocabularies have capitals, its uncased ones have none outside brackets.
    uncased = not any(token != token.lower() for token in tokens if not token.startswith("["))
    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106 - no password, a token of text
    tokenizer.normalizer = BertNormalizer(lowercase=bool(config.get("do_lower_case", uncased)))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"]))
    return Pieces(tokenizer, config=config)


class Pieces:
    """Words cut into pieces, by the library of the people who trained the model."""

    def __init__(self, tokenizer: Tokenizer, *, config: dict[str, Any]) -> None:
        padding = tokenizer.padding or {}
        # Files are often saved as their last user set them up, which cuts every text at 128 tokens and says nothing.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.pad_left = padding.get("direction", config.get("padding_side")) == "left"
        self.pad_id = padding.get("pad_id", _padding_id(tokenizer, config))

    def encode(self, text: str, *, longest: int | None) -> Encoded:
        """See `Vocabulary`."""
        plain = self._tokenizer.encode(text, add_special_tokens=False)
        frame = self._tokenizer.num_special_tokens_to_add(False)
        needed = len(plain.ids) + frame
        if longest is not None and needed > longest:
            plain.truncate(max(longest - frame, 0))
        framed = self._tokenizer.post_process(plain, None, True)
        return Encoded(tuple(framed.ids), tuple(framed.type_ids), needed)


def _padding_id(tokenizer: Tokenizer, config: dict[str, Any]) -> int:
    named = config.get("pad_token")
    named = named.get("content") if isinstance(named, dict) else named
    numbers = (tokenizer.token_to_id(token) for token in (named, *PADDING) if isinstance(token, str))
    return next((number for number in numbers if number is not None), 0)


class Words:
    """Whole words, or single characters where that is all there is."""

    pad_left = False

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self.pad_id = next((self._numbers[token] for token in PADDING if token in self._numbers), 0)
        self._unknown = next((self._numbers[token] for token in UNKNOWN if token in self._numbers), None)
        self._spelled = all(len(token) <= 1 or token in (*PADDING, *UNKNOWN) for token in tokens)

    def encode(self, text: str, *, longest: int | None) -> Encoded:
        """See `Vocabulary`. A word that is not there is the unknown one, or left out where there is none."""
        found = [number for word in self._split(text) if (number := self._number(word)) is not None]
        ids = tuple(found[:longest])
        return Encoded(ids, (0,) * len(ids), len(found))

    def _split(self, text: str) -> list[str]:
        if self._spelled:
            return list(text)
        words = ([word] if self._has(word) else WORD_OR_SIGN.findall(word) for word in text.split())
        return [part for word in words for part in word]

    def _has(self, word: str) -> bool:
        return word in self._numbers or word.lower() in self._numbers

    def _number(self, word: str) -> int | None:
        return self._numbers.get(word, self._numbers.get(word.lower(), self._unknown))
