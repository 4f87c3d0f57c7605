"""The special tokens of a decoder: what a transcript begins and ends with, its languages, its times."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, MsgspecError, Struct, ValidationError, convert
from msgspec.json import decode
from msgspec.structs import fields, replace
from tokenizers import Tokenizer

from mmai.backends.coreml.speech.spelling import special_ids
from mmai.errors import CannotRun, UsageError
from mmai.values.package import Roles

START, END, TIMELESS, SILENT = "<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>", "<|nospeech|>"
SILENT_NAMES = (SILENT, "<|nocaptions|>")
"""The older name is the one in OpenAI's own tokenizer files."""

LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")

ENGLISH_ONLY = 51864
"""Tokens of Whisper's `.en` models, which have the languages in their tokenizer and do not understand them."""

OTHER_STARTS, OTHER_ENDS = ("<s>", "[CLS]", "<bos>", "[BOS]"), ("</s>", "[SEP]", "<eos>", "[EOS]")
"""What decoders of other families begin and end with."""


class Specials(Struct, frozen=True, kw_only=True):
    """Numbers of tokens; None and empty are what the model does not have."""

    start_ids: tuple[int, ...]
    end_id: int
    languages: dict[str, int] = {}
    """By their codes."""
    transcribe_id: int | None = None
    translate_id: int | None = None
    timeless_id: int | None = None
    silent_id: int | None = None
    times_from: int | None = None
    """The token for 0 s; those after it are 20 ms each."""
    suppressed: tuple[int, ...] = ()
    """Never said."""
    suppressed_first: tuple[int, ...] = ()
    """Not said before anything else."""
    most_tokens: int | None = None
    """Of one window, where somebody noted it."""

    def prompt(self, *, language_id: int | None, translate: bool, timed: bool) -> list[int]:
        """What a transcript begins with."""
        task = self.translate_id if translate else self.transcribe_id
        tokens = [language_id, task if language_id is not None else None, None if timed else self.timeless_id]
        return [*self.start_ids, *(token for token in tokens if token is not None)]

    def language(self, wished: Any) -> int:
        """The token of a language given as `-O language=de`.

        Raises:
            UsageError: the model does not know it.
        """
        code = str(wished).lower().replace("_", "-").partition("-")[0]
        if code in self.languages:
            return self.languages[code]
        known = ", ".join(sorted(self.languages)) or "none to choose from"
        raise UsageError(f"`language` is one of the model's, not `{wished}`: {known}", hint="mmai run -O language=en")


class Noted(Struct, frozen=True, kw_only=True):
    """What somebody noted in the `options` of the roles."""

    start_ids: tuple[int, ...] = ()
    end_id: int | None = None
    suppress_ids: tuple[int, ...] = ()
    begin_suppress_ids: tuple[int, ...] = ()
    max_tokens: Annotated[int, Meta(ge=1)] | None = None


class _Generation(Struct):
    """What of transformers' `generation_config.json` is read."""

    suppress_tokens: tuple[int, ...] | None = None
    begin_suppress_tokens: tuple[int, ...] | None = None


def specials_of(tokenizer: Tokenizer, roles: Roles, *, vocabulary_size: int) -> Specials:
    """What the tokenizer and the notes beside the model say of it. `vocabulary_size` is how many scores the decoder gives.

    Raises:
        CannotRun: nothing says what a transcript begins or ends with.
    """
    noted = _noted(roles)
    end = noted.end_id if noted.end_id is not None else _first(tokenizer, (END, *OTHER_ENDS))
    start = noted.start_ids or _start(tokenizer)
    if end is None or not start:
        raise CannotRun(
            "nothing says what a transcript begins and ends with; `start_ids` and `end_id` in its `.mmai.yaml` would"
        )
    plain = Specials(start_ids=start, end_id=end, most_tokens=noted.max_tokens)
    if noted.start_ids or tokenizer.token_to_id(START) is None:
        return replace(plain, suppressed=(*noted.suppress_ids, *(special_ids(tokenizer) - {end})))
    return _whisper(plain, tokenizer, noted, vocabulary_size=vocabulary_size)


def _whisper(plain: Specials, tokenizer: Tokenizer, noted: Noted, *, vocabulary_size: int) -> Specials:
    timeless = tokenizer.token_to_id(TIMELESS)
    times_from = timeless + 1 if timeless is not None and timeless + 1 < vocabulary_size else None
    others = [token for token in special_ids(tokenizer) if token != plain.end_id and (times_from is None or token < times_from)]
    blank = (*tokenizer.encode(" ", add_special_tokens=False).ids, plain.end_id)
    return replace(
        plain,
        languages={} if vocabulary_size == ENGLISH_ONLY else _languages(tokenizer),
        transcribe_id=tokenizer.token_to_id("<|transcribe|>"),
        translate_id=tokenizer.token_to_id("<|translate|>"),
        timeless_id=timeless,
        silent_id=_first(tokenizer, SILENT_NAMES),
        times_from=times_from,
        suppressed=(*noted.suppress_ids, *others),
        suppressed_first=noted.begin_suppress_ids or blank,
    )


def _languages(tokenizer: Tokenizer) -> dict[str, int]:
    added = tokenizer.get_added_tokens_decoder().items()
    return {found[1]: token for token, kind in added if (found := LANGUAGE.fullmatch(kind.content))}


def _start(tokenizer: Tokenizer) -> tuple[int, ...]:
    found = _first(tokenizer, (START, *OTHER_STARTS))
    return () if found is None else (found,)


def _first(tokenizer: Tokenizer, names: Sequence[str]) -> int | None:
    return next((token for name in names if (token := tokenizer.token_to_id(name)) is not None), None)


def _noted(roles: Roles) -> Noted:
    """The options of the roles, over what a `generation_config.json` beside the tokenizer keeps from being said."""
    names = [field.encode_name for field in fields(Noted)]
    said = {name: roles.options[name] for name in names if name in roles.options}
    try:
        return convert(_generation(roles) | said, Noted)
    except ValidationError as exc:
        raise CannotRun(f"the notes on the model's decoder do not fit: {exc}") from exc


def _generation(roles: Roles) -> dict[str, Any]:
    if roles.tokenizer is None:
        return {}
    path = Path(roles.tokenizer).with_name("generation_config.json")
    try:
        config = decode(path.read_bytes(), type=_Generation)
    except (OSError, MsgspecError):
        return {}
    return {"suppress_ids": config.suppress_tokens or (), "begin_suppress_ids": config.begin_suppress_tokens or ()}
