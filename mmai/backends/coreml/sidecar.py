"""What somebody notes about a model: in a `<model>.mmai.yaml` beside it, or as `mmai.*` in its own metadata; checked and as roles."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from mmai.errors import CannotRun
from mmai.paths import meant
from mmai.settings.node import Node, Wrong
from mmai.values.package import AudioPreparation, ImagePreparation, Roles, RoleTask

SUFFIX = ".mmai.yaml"
PREFIX = "mmai."
"""Of the keys of a model's own metadata."""

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

EMBEDDINGS = ("embedding", "feature_extraction")
"""Of a picture or of a text, whichever goes in."""

DECODERS: dict[str, Literal["ctc", "encoder_decoder"]] = {
    "ctc": "ctc",
    "ctc_greedy": "ctc",
    "encoder_decoder": "encoder_decoder",
    "whisper": "encoder_decoder",
}

KEYS = (
    "task",
    "inputs",
    "outputs",
    "scores",
    "labels",
    "preprocess",
    "frontend",
    "tokenizer",
    "vocab",
    "pooling",
    "decoder",
    "blank",
    "parts",
    "options",
)

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


class Notes(Struct, frozen=True):
    """What was said, by key, and where."""

    said: dict[str, Any]
    origin: str
    """The file, or the model whose metadata it is."""
    folder: Path
    """Relative paths are meant from here."""
    source: Literal["sidecar", "metadata"]
    lines: dict[str, int] = {}
    """Of a file: key to the line it stands on."""

    def at(self, key: str) -> str:
        """Where a key was said, as a message names it."""
        return f"`{self.origin}` line {self.lines[key]}" if key in self.lines else f"`{self.origin}`"


def sidecar_of(path: Path) -> Path | None:
    """The notes beside a model: `X.mmai.yaml`, or `X.mlpackage.mmai.yaml` where several formats of one name lie together."""
    for candidate in (path.with_name(path.name + SUFFIX), path.with_name(path.stem + SUFFIX)):
        if candidate.is_file():
            return candidate
    return None


def read_sidecar(path: Path) -> Notes:
    """The notes of one file.

    Raises:
        CannotRun: it cannot be read, is no YAML, or has a key that means nothing.
    """
    from mmai.settings.document import parse  # noqa: PLC0415 - 9 ms, and most models have no such file

    try:
        root = parse(path.read_bytes())
    except OSError as exc:
        raise CannotRun(f"`{path.name}` cannot be read: {exc.strerror or exc}") from exc
    except Wrong as wrong:
        line = f" line {wrong.line}" if wrong.line else ""
        raise CannotRun(f"`{path.name}`{line}: {wrong.sentence}") from wrong
    keys = root.value if root is not None and isinstance(root.value, dict) else {}
    lines = {key: node.line for key, node in keys.items()}
    notes = Notes(
        {key: _plain(node) for key, node in keys.items() if not node.absent}, path.name, path.parent, "sidecar", lines
    )
    for key in keys:
        if key not in KEYS:
            raise CannotRun(f"{notes.at(key)}: there is no key `{key}`{nearest(key, KEYS)}")
    return notes


def read_own(metadata: Mapping[str, str], path: Path) -> Notes:
    """The notes in a model's own metadata, where structured values are JSON. Keys that mean nothing here are somebody else's."""
    own = {key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)}
    said = {key: _decoded(key, value) for key, value in own.items() if key in KEYS}
    return Notes(said, path.name, path.parent, "metadata")


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
            return {
                key: _choice(
                    value,
                    key,
                    {"scores": ("probabilities", "logits", "sigmoid"), "pooling": ("mean", "first", "last", "none")}[key],
                    notes,
                )
            }
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


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about a word that is none of `words`."""
    from difflib import get_close_matches  # noqa: PLC0415 - for what is wrong

    near = get_close_matches(word, words, n=1)
    return f"; did you mean `{near[0]}`?" if near else f", only {', '.join(words)}"


def _decoded(key: str, value: str) -> Any:
    """A value of the metadata: JSON where it is some, else the text as it is. Digits may be the characters of a vocabulary."""
    if value[:1] not in ('[{"' if key == "vocab" else '[{"-0123456789'):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: _plain(item) for name, item in node.value.items() if not item.absent}
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    return _scalar(node.value) if node.plain else node.value


def _scalar(text: str) -> Any:
    """Numbers, `true` and `false`; any other word is itself."""
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text
