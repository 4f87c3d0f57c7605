"""What somebody noted about a model, held to what each key takes, and put over its roles."""

import json
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec.structs import fields, replace

from mmai.backends.coreml.notes import Notes, nearest
from mmai.errors import CannotRun
from mmai.paths import meant
from mmai.values.package import AudioPreparation, ImagePreparation, Roles, RoleTask

TASKS: dict[str, RoleTask] = {
    **{name: name for name in get_args(RoleTask)},
    "asr": "speech_transcription",
    "automatic_speech_recognition": "speech_transcription",
    "speech_recognition": "speech_transcription",
    "speech_to_text": "speech_transcription",
    "transcription": "speech_transcription",
    "image_feature_extraction": "image_embedding",
    "text_feature_extraction": "text_embedding",
    "sentence_similarity": "text_embedding",
    "intent_classification": "text_classification",
    "sentiment_analysis": "text_classification",
}
"""Tasks by name, and by what others call them; `-` is `_`."""

CHOICES = {"scores": ("probabilities", "logits", "sigmoid"), "pooling": ("mean", "first", "last", "none")}

EMBEDDINGS = ("embedding", "feature_extraction")
"""Of a picture or of a text, whichever goes in."""

DECODERS: dict[str, Literal["ctc", "encoder_decoder"]] = {
    "ctc": "ctc",
    "ctc_greedy": "ctc",
    "encoder_decoder": "encoder_decoder",
    "whisper": "encoder_decoder",
}

ROLES = {
    "inputs": (
        "image", "token_ids", "attention_mask", "token_type_ids", "position_ids",
        "waveform", "mel", "encoded", "encoder_hidden_states",
    ),
    "outputs": ("label", "scores", "embedding", "logits"),
}  # fmt: skip
"""What the name of an input or output may be given for."""

TOKENIZERS = ("tokenizer.json", "vocab.txt")

MOST_NAME_CHARACTERS = 255
"""Of a file; a longer text is no name of one."""

Prepared = TypeVar("Prepared", ImagePreparation, AudioPreparation)


def applied(roles: Roles, notes: Notes) -> Roles:
    """Roles, with what the notes say over them, key by key.

    Raises:
        CannotRun: a value does not fit its key.
    """
    if notes.said:
        roles = replace(roles, source=notes.source)
    # The task goes last: what `feature-extraction` is depends on the inputs.
    for key, value in sorted(notes.said.items(), key=lambda item: item[0] == "task"):
        roles = replace(roles, **_change(roles, key, value, notes))
    return roles


def _change(roles: Roles, key: str, value: Any, notes: Notes) -> dict[str, Any]:
    match key:
        case "task":
            return {"task": _task(value, roles, notes)}
        case "inputs" | "outputs":
            return {key: getattr(roles, key) | _named(value, key, notes)}
        case "parts":
            return {key: {role: _path(each, key, notes) for role, each in _words(value, key, notes).items()}}
        case "scores" | "pooling":
            return {key: _choice(value, key, CHOICES[key], notes)}
        case "labels":
            return {"labels": _list(value, key, notes)}
        case "vocab":
            return {"vocabulary": _list(value, key, notes)}
        case "preprocess":
            return {"image": _prepared(roles.image or ImagePreparation(), value, key, notes)}
        case "frontend":
            return {"audio": _prepared(roles.audio or AudioPreparation(), value, key, notes)}
        case "tokenizer":
            return {"tokenizer": _tokenizer(value, notes)}
        case "decoder":
            named = str(value).lower().replace("-", "_")
            return {"decoder": DECODERS[_choice(named, key, tuple(DECODERS), notes)]}
        case "blank":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise _unfit(key, value, "the number of a token", notes)
            return {"blank": value}
        case _:
            if not isinstance(value, dict):
                raise _unfit(key, value, "a table", notes)
            return {"options": roles.options | value}


def _task(value: Any, roles: Roles, notes: Notes) -> RoleTask:
    named = str(value).strip().lower().replace("-", "_")
    if named in EMBEDDINGS:
        return "image_embedding" if "image" in roles.inputs else "text_embedding"
    if named not in TASKS:
        raise _unfit("task", value, f"one of {', '.join(get_args(RoleTask))}", notes)
    return TASKS[named]


def _words(value: Any, key: str, notes: Notes) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise _unfit(key, value, "a table of names", notes)
    return {str(role): each for role, each in value.items()}


def _named(value: Any, key: str, notes: Notes) -> dict[str, str]:
    words = _words(value, key, notes)
    for role in words:
        if role not in ROLES[key]:
            raise CannotRun(f"{notes.at(key)}: `{key}` has no role `{role}`{nearest(role, ROLES[key])}")
    return words


def _choice(value: Any, key: str, allowed: tuple[str, ...], notes: Notes) -> str:
    if value not in allowed:
        raise _unfit(key, value, f"one of {', '.join(allowed)}", notes)
    return str(value)


def _list(value: Any, key: str, notes: Notes) -> tuple[str, ...]:
    """A list; a text that names a file of lines or JSON; of a vocabulary also a text of characters."""
    if isinstance(value, list):
        return tuple(map(str, value))
    if isinstance(value, dict):
        value = _by_number(value, key, notes)
        return tuple(value)
    if key == "vocab" and isinstance(value, str) and value and not _names_a_file(value, notes):
        return tuple(value)
    if not isinstance(value, str) or not _names_a_file(value, notes):
        raise _unfit(key, value, "a list, or the name of a file", notes)
    try:
        text = meant(value, folder=notes.folder).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise CannotRun(f"{notes.at(key)}: the file `{value}` of `{key}` cannot be read: {_why(exc)}") from exc
    if not value.endswith(".json"):
        return tuple(line.rstrip() for line in text.rstrip().splitlines())
    try:
        return _list(json.loads(text), key, notes)
    except (ValueError, RecursionError) as exc:
        raise CannotRun(f"{notes.at(key)}: the file `{value}` of `{key}` is no JSON") from exc


def _names_a_file(value: str, notes: Notes) -> bool:
    """What ends in a suffix of text; or is there, whatever it is called."""
    return value.endswith((".txt", ".json")) or (0 < len(value) < MOST_NAME_CHARACTERS and (notes.folder / value).is_file())


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _by_number(table: dict[Any, Any], key: str, notes: Notes) -> list[str]:
    """`{"0": "cat"}` or `{"cat": 0}` in the order of the numbers."""
    rows = list(table.items())
    if all(isinstance(name, int) for name in table.values()):
        rows = [(number, name) for name, number in table.items()]
    try:
        numbered = {int(number): str(name) for number, name in rows}
    except (TypeError, ValueError) as exc:
        raise _unfit(key, table, "names by their numbers", notes) from exc
    if not numbered or not 0 <= max(numbered) < 1_000_000 or min(numbered) < 0:
        raise _unfit(key, table, "names by their numbers", notes)
    return [numbered.get(number, "") for number in range(max(numbered) + 1)]


def _path(value: Any, key: str, notes: Notes) -> str:
    if not isinstance(value, str) or not value:
        raise _unfit(key, value, "the name of a file", notes)
    path = meant(value, folder=notes.folder)
    if not path.exists():
        raise CannotRun(f"{notes.at(key)}: the file `{value}` of `{key}` is not there")
    return str(path)


def _tokenizer(value: Any, notes: Notes) -> str:
    """A file, or the folder it lies in."""
    path = Path(_path(value, "tokenizer", notes))
    if not path.is_dir():
        return str(path)
    for name in TOKENIZERS:
        if (path / name).is_file():
            return str(path / name)
    raise CannotRun(
        f"{notes.at('tokenizer')}: the folder `{value}` has neither {' nor '.join(f'`{name}`' for name in TOKENIZERS)}"
    )


def _prepared(base: Prepared, value: Any, key: str, notes: Notes) -> Prepared:
    names = [field.name for field in fields(base)]
    if not isinstance(value, dict):
        raise _unfit(key, value, f"a table of {', '.join(names)}", notes)
    said = {name: each for name, each in value.items() if name != "type"}
    if unknown := [name for name in said if name not in names]:
        raise CannotRun(f"{notes.at(key)}: `{key}` has no `{unknown[0]}`{nearest(unknown[0], names)}")
    try:
        return msgspec.convert(msgspec.to_builtins(base) | said, type(base), strict=False)
    except msgspec.ValidationError as exc:
        raise CannotRun(f"{notes.at(key)}: `{key}` does not fit: {exc}") from exc


def _unfit(key: str, value: Any, wanted: str, notes: Notes) -> CannotRun:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return CannotRun(f"{notes.at(key)}: `{key}` is {wanted}, not `{shown[:60]}{'…' * (len(shown) > 60)}`")
