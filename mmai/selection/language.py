"""The language of a prompt where its script or its smallest words show it, else the script."""

from collections import Counter

from mmai.selection.features import Features

_SCRIPTS = (
    (0x0370, 0x03FF, "el"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0E00, 0x0E7F, "th"),
    (0x3040, 0x30FF, "ja"),
    (0x3400, 0x9FFF, "zh"),
    (0xAC00, 0xD7AF, "ko"),
)
_SMALL_WORDS = {
    "en": "the of and to is in that for what how are this with you a my do i",
    "de": "der die das und ist nicht ein eine wie zu mit den von ich auf für bitte dem",
    "fr": "le la les des et est une pour dans que qui ce cette du un en moi vous",
    "es": "el la los las y es una por para que un en del cómo qué este esta",
    "it": "il la che di e un una per è in con questo gli della mi come",
    "pt": "o os as e é um uma para que do da em não com este isso você",
    "ru": "и в не на что как это с по для я мне из этот",
}
_VOTES: dict[str, list[str]] = {}
for _code, _words in _SMALL_WORDS.items():
    for _word in _words.split():
        _VOTES.setdefault(_word, []).append(_code)


def language(features: Features) -> str | None:
    """A code of ISO 639-1, or the name of a script that several languages write, or None."""
    script = None if features.text.isascii() else _script(features.text)
    if script not in (None, "latin", "cyrillic"):
        return script
    votes = Counter(code for clause in features.clauses for word in clause for code in _VOTES.get(word, ()))
    if votes:
        return votes.most_common(1)[0][0]
    return script or ("latin" if features.clauses else None)


def _script(text: str) -> str:
    counts = Counter(map(_script_of, filter(str.isalpha, text)))
    if counts["ja"] and counts["ja"] * 20 > counts["zh"]:
        return "ja"  # kana occur in Japanese alone, however many Chinese characters stand beside them
    return counts.most_common(1)[0][0] if counts else "latin"


def _script_of(char: str) -> str:
    code = ord(char)
    return next((name for low, high, name in _SCRIPTS if low <= code <= high), "latin")
