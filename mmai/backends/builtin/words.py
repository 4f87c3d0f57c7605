"""Words as the algorithms count them, in scripts with spaces between words and in those without."""

import re

_SPACELESS = "\u0e01-\u0eff\u1000-\u1049\u1780-\u17d3\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, kana and Han: their words are not set apart, so pairs of characters stand for them."""

# `\w` leaves out the vowel signs and accents that stand inside a word in these blocks.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0971-\u0df3\u0e01-\u0eff\u1000-\u1049\u1780-\u17d3\u200c\u200d"
)
_WORD = re.compile(rf"[\w{_MARKS}]+(?:[-.'’_][\w{_MARKS}]+)*[+#]{{0,2}}")
CLAUSE_END = re.compile(rf"[^\w{_MARKS}\s.'’+#-]+|[.'’](?=\s|$)|\s-+\s")
"""What stands between words that do not belong together."""
_RUN = re.compile(rf"[{_SPACELESS}]+|[^{_SPACELESS}]+")
_SPACELESS_CHARACTER = re.compile(f"[{_SPACELESS}]")


def surface_words(text: str) -> list[str]:
    """Words as they are written; a run of a script without spaces is one word."""
    found = [word.strip("_") for word in _WORD.findall(text)]
    if not is_spaceless(text):
        return [word for word in found if word]
    return [run for word in found for run in _RUN.findall(word) if run.strip("-.'’")]


def terms(text: str) -> list[str]:
    """What two texts are compared by: words in lower case without a plural s, pairs of characters where words have no spaces."""
    out: list[str] = []
    for word in surface_words(text.casefold()):
        if is_spaceless(word):
            out.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        else:
            out.append(stem(word))
    return out


def stem(word: str) -> str:
    """`models` and `model` are one word; enough for the languages that mark many with an s, harmless to the others."""
    word = word.removesuffix("'s").removesuffix("’s")
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def count_words(text: str) -> int:
    """Words, where every character of a script without spaces counts as one, as its writers count."""
    return sum(len(word) if is_spaceless(word) else 1 for word in surface_words(text))


def is_spaceless(text: str) -> bool:
    """Some of it is in a script that sets no spaces between words."""
    return not text.isascii() and _SPACELESS_CHARACTER.search(text) is not None


def size_bytes(text: str) -> int:
    """As UTF-8, whatever the text holds."""
    return len(text.encode(errors="surrogatepass"))
