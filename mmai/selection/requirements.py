"""What the answer should look like, as far as the prompt says: format, length, language."""

import re
from itertools import pairwise

from mmai.selection.features import Features
from mmai.selection.words import Clause, word_set
from mmai.values.request import Request
from mmai.values.task import OutputRequirements, TaskType

_COUNTS = {
    word: count
    for count, words in {
        1: "one single einem une una uma одном 一",
        2: "two zwei deux dos due duas двух 两 二",
        3: "three drei trois tres tre três трёх трех 三",
        4: "four vier quatre cuatro quattro 四",
        5: "five fünf cinq cinco cinque 五",
        6: "six",
        7: "seven",
        8: "eight",
        9: "nine",
        10: "ten",
    }.items()
    for word in words.split()
}
_LENGTH = re.compile(
    r"\b([^\W_]{1,8}) (?:short |concise |kurzen )?"
    r"(words?|sentences?|wörter|worten|sätzen?|satz|mots|phrases?|palabras|frases?|oraciones|parole|frasi|palavras|слов"
    r"|предложени)"
)
_LENGTH_CJK = re.compile(r"(\d{1,6}|[一两二三四五])\s?(字|词|句|文)")
_SENTENCES = ("sent", "sätz", "satz", "phra", "fras", "orac", "пред", "句", "文")
_FORMATS = (
    ("json", ("as json", "in json", "return json", "output json", "valid json", "json object", "json array", "json list",
              "json format", "json with", "als json", "en json", "только json")),
    ("csv", ("as csv", "csv format", "in csv")),
    ("yaml", ("as yaml", "in yaml", "yaml format")),
    ("table", ("as a table", "in a table", "markdown table", "table with columns", "als tabelle", "tableau", "en una tabla")),
    ("list", ("bullet point", "bulleted", "bullets", "numbered list", "as a list", "stichpunkt", "liste à puces",
              "en una lista")),
)  # fmt: skip
_LANGUAGES = {
    code: word_set(names)
    for code, names in {
        "en": "english englisch englische anglais inglés inglese inglês английский английском",
        "de": "german deutsch deutsche allemand alemán tedesco alemão немецкий немецком",
        "fr": "french französisch französische français francés francese francês французский французском",
        "es": "spanish spanisch spanische espagnol español spagnolo espanhol испанский испанском",
        "it": "italian italienisch italienische italien italiano итальянский",
        "pt": "portuguese portugiesisch portugais portugués portoghese português португальский",
        "ru": "russian russisch russische russe ruso russo русский русском",
        "zh": "chinese mandarin chinesisch chinois chino cinese chinês китайский",
        "ja": "japanese japanisch japonais japonés giapponese japonês японский",
        "ko": "korean koreanisch coréen coreano",
        "ar": "arabic arabisch arabe árabe arabo",
        "hi": "hindi",
        "nl": "dutch niederländisch néerlandais",
        "pl": "polish polnisch polonais",
        "tr": "turkish türkisch turc",
        "sv": "swedish",
        "uk": "ukrainian",
        "vi": "vietnamese",
        "el": "greek",
        "he": "hebrew",
        "cs": "czech",
        "da": "danish",
        "fi": "finnish",
        "hu": "hungarian",
        "ro": "romanian",
        "bg": "bulgarian",
        "fa": "persian farsi",
        "id": "indonesian",
    }.items()
}
_UNSPACED_LANGUAGES = {
    "en": "成英 英語に 为英 영어로", "zh": "成中 中国語に 为中 중국어로", "ja": "成日 日本語に 为日 일본어로", "fr": "成法 フランス語に 为法",
    "de": "成德 ドイツ語に 为德", "es": "成西班牙 スペイン語に", "ru": "成俄 ロシア語に", "ko": "成韩 韓国語に 为韩",
}  # fmt: skip
_TOWARDS = word_set("in into to auf ins en al na no para на using with")


def output_requirements(features: Features, request: Request, task: TaskType) -> OutputRequirements:
    """None where nothing was asked. `language` is the code of ISO 639-1."""
    text = " ".join(word for clause in features.commands for word in clause)
    words, sentences = _lengths(text)
    return OutputRequirements(
        format="json" if request.schema is not None else _format(text, task),
        max_words=words,
        max_sentences=sentences,
        language=_language(features.commands, text),
    )


def _format(text: str, task: TaskType) -> str | None:
    for name, phrases in _FORMATS:
        if any(phrase in text for phrase in phrases):
            return name
    return "code" if task is TaskType.CODE_GENERATION else None


def _lengths(text: str) -> tuple[int | None, int | None]:
    words = sentences = None
    for amount, unit in _LENGTH.findall(text) + ([] if text.isascii() else _LENGTH_CJK.findall(text)):
        count = int(amount) if amount.isdecimal() else _COUNTS.get(amount)
        if count is None:
            continue
        if unit.startswith(_SENTENCES):
            sentences = sentences or count
        elif count > 1:  # "one word" and "a word" are mostly spoken of, not asked for
            words = words or count
    return words, sentences


def _language(commands: tuple[Clause, ...], text: str) -> str | None:
    for clause in commands:
        if code := _towards(clause):
            return code
    if text.isascii():
        return None
    return next((code for code, names in _UNSPACED_LANGUAGES.items() if any(name in text for name in names.split())), None)


def _towards(clause: Clause) -> str | None:
    for before, word in pairwise(clause):
        if before in _TOWARDS:
            for code, names in _LANGUAGES.items():
                if word in names:
                    return code
    return None
