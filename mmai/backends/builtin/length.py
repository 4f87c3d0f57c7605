"""How long an answer was asked for, in words of the prompt or as options."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from mmai.errors import InvalidRequest


class Length(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was asked for. None was not."""

    sentences: int | None = None
    words: int | None = None
    """At most."""
    phrases: int | None = None
    bullets: bool = False
    """One line each, with a dash before it."""

    def over(self, other: "Length") -> "Length":
        """This, and what `other` says of the rest."""
        return Length(
            sentences=self.sentences or other.sentences,
            words=self.words or other.words,
            phrases=self.phrases or other.phrases,
            bullets=self.bullets or other.bullets,
        )


# English, German, French, Spanish, Italian, Portuguese, Dutch, Russian; Chinese and Japanese digits stand in _HAN.
_NUMBERS = {
    1: "one single ein eine einem einer einen un une uno una um uma één een один одно одном одного одним одну a an",
    2: "two couple zwei deux dos due dois duas twee два две двух двумя",
    3: "three few drei trois tres tre três drie три трех трёх тремя",
    4: "four vier quatre cuatro quattro quatro четыре четырех четырёх",
    5: "five fünf cinq cinco cinque vijf пять пяти",
    6: "six sechs seis sei zes шесть шести",
    7: "seven sieben sept siete sette sete zeven семь семи",
    8: "eight acht huit ocho otto oito восемь восьми",
    9: "nine neun neuf nueve nove negen девять девяти",
    10: "ten zehn dix diez dieci dez tien десять десяти",
    12: "twelve dozen zwölf douze doce dodici doze twaalf двенадцать",
    20: "twenty zwanzig vingt veinte venti vinte twintig двадцать",
    50: "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig пятьдесят",
    100: "hundred hundert cent cien cento cem honderd сто",
}
_VALUES = {word: value for value, words in _NUMBERS.items() for word in words.split()}
_HAN = {digit: value for value, digit in enumerate("一二三四五六七八九十", start=1)} | {"两": 2, "兩": 2}
_PHRASES = (
    r"key[ -]?(?:words?|phrases?|terms?)|tags?|schl(?:ü|ue)sselw(?:ort|örtern?|orte)|schlagw(?:ort|örtern?|orte)|mots[ -]clés?"
    r"|palabras? claves?|parol[ae] chiave|palavras?[ -]chave|trefwoord(?:en)?|ключев\w+ (?:слов\w*|фраз\w*)"
)
_BULLETS = (
    r"bullet(?:s|[ -]?points?)?|(?:key |main )?(?:points?|takeaways?)|stichpunkt(?:en?)?|kernaussagen?|puces?|viñetas?|puntos?"
    r"|punti|pontos|punten|пункт\w*|тезис\w*"
)
_SENTENCES = r"sentences?|lines?|sätzen?|satz|phrases?|frases?|frasi|oraci(?:ón|ones)|zin(?:nen)?|предложени\w*|фраз\w*"
_WORDS = r"words?|wort|worten?|wörtern?|mots?|palabras?|parol[ae]|palavras?|woord(?:en)?|слов\w*"
_NUMBER = r"(?:\d{1,6}|" + "|".join(sorted(_VALUES, key=len, reverse=True)) + ")"
_UNIT = rf"(?:(?P<phrases>{_PHRASES})|(?P<bullets>{_BULLETS})|(?P<sentences>{_SENTENCES})|(?P<words>{_WORDS}))(?!\w)"
_ASKED = re.compile(
    # Up to two words may stand between, as in "three short sentences"; not those that begin another thought.
    rf"(?<!\w)(?P<number>{_NUMBER})[\s-]+"
    rf"(?:(?!(?:in|of|to|and|or|the|with|de|en|und|et|y|e)\b|{_NUMBER}\b)[^\W\d]+[\s-]+){{0,2}}?{_UNIT}",
    re.IGNORECASE,
)
_ASKED_HAN = re.compile(
    r"(?P<number>\d{1,6}|[一二两兩三四五六七八九十])\s?(?:个|個|つの|条|條)?\s?"
    r"(?:(?P<phrases>关键词|關鍵詞|キーワード)|(?P<bullets>要点|要點|点|點|ポイント)|(?P<sentences>句|文(?!字))|(?P<words>字|词|詞|文字))"
)
_BULLETED = re.compile(
    r"\bbullet(?:s|[ -]?points?|ed)\b|\b(?:key|main) (?:points|takeaways)\b|\bstichpunkt|\bpuces\b|\bviñetas\b|要点|要點",
    re.IGNORECASE,
)


def asked_in(text: str) -> Length:
    """What an instruction says of length: `in two sentences`, `at most 50 words`, `用两句话`. The first of a kind counts."""
    found: dict[str, int] = {}
    for match in [*_ASKED.finditer(text), *_ASKED_HAN.finditer(text)]:
        unit, number = match.lastgroup or "", _value(match["number"].casefold())
        # "a word" and "one point" are turns of speech.
        if number > 1 or (number == 1 and unit in ("sentences", "bullets")):
            found.setdefault(unit, number)
    bullets = found.pop("bullets", None)
    bulleted = bullets is not None or _BULLETED.search(text) is not None
    sentences = found.get("sentences", bullets)
    return Length(sentences=sentences, words=found.get("words"), phrases=found.get("phrases"), bullets=bulleted)


def asked_by(options: Mapping[str, Any], known: Collection[str], *, model: str) -> Length:
    """What `-O` says of length.

    Raises:
        InvalidRequest: an option this model does not know, or a value that is not a whole number from 1.
    """
    for name in options:
        if name not in known:
            takes = ", ".join(f"`{option}`" for option in known) or "none"
            hint = f"mmai run -m {model} -O {next(iter(known))}=3" if known else None
            raise InvalidRequest(f"`{model}` has no option `{name}`; it takes {takes}", hint=hint)
    numbers = {name: _whole(name, value) for name, value in options.items()}
    return Length(sentences=numbers.get("sentences"), words=numbers.get("words"), phrases=numbers.get("phrases"))


def _whole(name: str, value: object) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and int(text[:9])):
        raise InvalidRequest(f"`{name}` is `{value}`; it must be a whole number from 1", hint=f"-O {name}=3")
    return int(text[:9])


def _value(number: str) -> int:
    # A pattern that ignores case takes letters no list has, such as the dotless i; they are no number.
    return int(number) if number.isdecimal() else _HAN.get(number) or _VALUES.get(number, 0)
