"""The special tokens of a decoder: what a transcript begins and ends with, its languages, its times."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from tokenizers import Tokenizer

from mmai.backends.coreml.speech.spelling import special_ids
from mmai.errors import CannotRun, InvalidRequest
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

    def prompt(self, *, language_id: int | None, translate: bool, timed: bool) -> list[int]:
        """What a transcript begins with."""
        task = self.translate_id if translate else self.transcribe_id
        tokens = [language_id, task if language_id is not None else None, None if timed else self.timeless_id]
        return [*self.start_ids, *(token for token in tokens if token is not None)]

    def language(self, wished: Any) -> int:
        """The token of a language given as `-O language=de`.

        Raises:
            InvalidRequest: the model does not know it.
        """
        code = str(wished).lower().replace("_", "-").partition("-")[0]
        if code in self.languages:
            return self.languages[code]
        known = ", ".join(sorted(self.languages)) or "none to choose from"
        raise InvalidRequest(f"`language` is one of the model's, not `{wished}`: {known}", hint="mmai run -O language=en")


def specials_of(tokenizer: Tokenizer, roles: Roles, *, vocabulary_size: int) -> Specials:
    """What the tokenizer and the notes beside the model say of it. `vocabulary_size` is how many scores the decoder gives.

    Raises:
        CannotRun: nothing says what a transcript begins or ends with.
    """
    options = {**_generation(roles), **roles.options}
    given = tuple(options.get("start_ids", ()))
    end = options.get("end_id", _first(tokenizer, (END, *OTHER_ENDS)))
    start = given or _start(tokenizer)
    if end is None or not start:
        raise CannotRun(
            "nothing says what a transcript begins and ends with; `start_ids` and `end_id` in its `.mmai.yaml` would"
        )
    suppressed = tuple(options.get("suppress_ids", ()))
    if given or tokenizer.token_to_id(START) is None:
        others = special_ids(tokenizer) - {end}
        return Specials(start_ids=start, end_id=end, suppressed=(*suppressed, *others))
    return _whisper(tokenizer, end, suppressed, options, vocabulary_size=vocabulary_size)


def _whisper(
    tokenizer: Tokenizer, end: int, suppressed: Sequence[int], options: Mapping[str, Any], *, vocabulary_size: int
) -> Specials:
    timeless = tokenizer.token_to_id(TIMELESS)
    times_from = timeless + 1 if timeless is not None and timeless + 1 < vocabulary_size else None
    others = [token for token in special_ids(tokenizer) if token != end and (times_from is None or token < times_from)]
    languages = {} if vocabulary_size == ENGLISH_ONLY else _languages(tokenizer)
    return Specials(
        start_ids=_start(tokenizer),
        end_id=end,
        languages=languages,
        transcribe_id=tokenizer.token_to_id("<|transcribe|>"),
        translate_id=tokenizer.token_to_id("<|translate|>"),
        timeless_id=timeless,
        silent_id=_first(tokenizer, SILENT_NAMES),
        times_from=times_from,
        suppressed=(*suppressed, *others),
        suppressed_first=tuple(options.get("begin_suppress_ids", (*tokenizer.encode(" ", add_special_tokens=False).ids, end))),
    )


def _languages(tokenizer: Tokenizer) -> dict[str, int]:
    added = tokenizer.get_added_tokens_decoder().items()
    return {found[1]: token for token, kind in added if (found := LANGUAGE.fullmatch(kind.content))}


def _start(tokenizer: Tokenizer) -> tuple[int, ...]:
    found = _first(tokenizer, (START, *OTHER_STARTS))
    return () if found is None else (found,)


def _first(tokenizer: Tokenizer, names: Sequence[str]) -> int | None:
    return next((token for name in names if (token := tokenizer.token_to_id(name)) is not None), None)


def _generation(roles: Roles) -> dict[str, Any]:
    """What a `generation_config.json` beside the tokenizer keeps from being said."""
    if roles.tokenizer is None:
        return {}
    path = Path(roles.tokenizer).with_name("generation_config.json")
    try:
        noted = json.loads(path.read_bytes())
        return {
            name: tuple(map(int, noted[key]))
            for name, key in (("suppress_ids", "suppress_tokens"), ("begin_suppress_ids", "begin_suppress_tokens"))
            if noted.get(key)
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
