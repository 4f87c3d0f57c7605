"""What a request gives to read, and what it says about it: the text apart from the instruction."""

import re
from collections.abc import Iterator

from msgspec import Struct

from mmai.backends.builtin.words import count_words
from mmai.values.request import Request, TextPart

MAX_WORDS = 60
"""A longer part is text to read, whatever it says."""
MAX_CHARACTERS = 600

_VERBS = (
    r"summari[sz]\w*|summary|sum up|condense|shorten|tl;?\s?dr|recap|abridge|extract|list|give|write|provide|produce|create|make|find|name|tell"
    r"|show|what|which|describe|outline|highlight|key ?words?|keyphrases?|key (?:points?|phrases?|sentences?|takeaways?)|bullet"
    r"|zusammenfass\w*|fass\w*|nenne\w*|liste|gib|schreib\w*|worum|résum\w*|resume\w*|liste\w*|donne\w*|extrai\w*|quels?"
    r"|resum\w*|extrae\w*|dame|da|haz|riassum\w*|elenca|estrai|samenvat\w*|vat|geef|кратко|резюм\w*|перескаж\w*|обобщи\w*|сократи\w*|выдели\w*"
)
_POLITE = r"(?:please|pls|kindly|bitte|(?:can|could|would|will) you|i (?:want|need|would like)(?: you to)?|now|then|s'il vous pla[iî]t|por favor|per favore)"
_OPENING = re.compile(rf"\W*(?:{_POLITE}[\s,]+)*(?:{_VERBS})\b", re.IGNORECASE)
_SUMMARY = re.compile(
    r"summar|sum up|condense|shorten|tl;?\s?dr|recap|key ?(?:words?|phrases?|points?|sentences?|takeaways?)|main (?:points?|ideas?)|bullet"
    r"|zusammen|schlüsselw|stichpunkt|kernaussag|résum|mots[- ]clés|resum|palabras clave|puntos|riassu|parole chiave|palavras-chave|samenvat"
    r"|trefwoord|кратко|резюм|перескаж|обобщ|ключев",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:this|these|that|following|below|above|attached|(?:the|an?) (?:\w+ )?(?:text|article|document|passage|paper|file|page|story|email|report)"
    r"|dies\w*|folgend\w*|obig\w*|den text|ce|cet|cette|suivant\w*|ci-dess\w+|le texte|este|esto|siguiente|el texto|questo|seguente|il testo"
    r"|o texto|seguinte|deze|dit|volgende|de tekst|этот|этого|следующ\w*|текст\w*)\b|\b(?:in|en|mit|con|em|в) (?:\d+|\w+) \w+",
    re.IGNORECASE,
)
_HAN = re.compile(r"总结|總結|概括|摘要|归纳|歸納|关键词|關鍵詞|要約|まとめ|キーワード|요약|키워드")


class Asked(Struct, frozen=True):
    """A request, taken apart. Either may be empty, never both together with a text part that was not."""

    document: str
    instruction: str


def read_request(request: Request) -> Asked:
    """The last of several text parts is the instruction when it is short; within one part a first or last line or paragraph may be."""
    texts = [text for text in user_texts(request) if text.strip()]
    if len(texts) > 1 and _is_short(texts[-1]):
        return Asked("\n\n".join(texts[:-1]), texts[-1].strip())
    if not texts:
        return Asked("", "")
    last = _take_apart(texts[-1].strip())
    return Asked("\n\n".join([*texts[:-1], last.document]).strip(), last.instruction)


def user_texts(request: Request) -> Iterator[str]:
    """The text parts of the user's turns in order."""
    for message in request.messages:
        if message.role == "user":
            yield from (part.text for part in message.parts if isinstance(part, TextPart))


def _take_apart(text: str) -> Asked:
    for head, least_left in _heads(text):
        left = text[len(head) :].strip()
        if count_words(left) >= least_left and _is_instruction(head):
            return Asked(left, head.strip())
    if _is_instruction(text):
        return Asked("", text)
    for tail in _tails(text):
        if _is_instruction(tail):
            return Asked(text[: len(text) - len(tail)].strip(), tail.strip())
    return Asked(text, "")


def _heads(text: str) -> Iterator[tuple[str, int]]:
    """Beginnings that could be an instruction, each with how many words must follow for it not to be a part of one."""
    start = text[: MAX_CHARACTERS + 1]
    for end, least_left in ((r"[^\n]*?[:：](?=\s|[^\s/\d])", 1), (r"[^\n]*\n", 5), (r"[^\n]*?(?:[.!?](?=\s)|[。！？])", 5)):
        if found := re.match(end, start):
            yield found[0], least_left
    if "\n\n" in start:
        yield start[: start.index("\n\n")], 1


def _tails(text: str) -> Iterator[str]:
    end = text[-MAX_CHARACTERS - 1 :]
    for start in ("\n", r"[.!?]\s+|[。！？]"):
        if found := list(re.finditer(start, end)):
            yield end[found[-1].end() :]


def _is_instruction(text: str) -> bool:
    """It is short, opens by asking for a summary or the like, and says of what or how long."""
    if not _is_short(text):
        return False
    if _HAN.search(text):
        return len(text) <= MAX_WORDS
    if not (_OPENING.match(text) and _SUMMARY.search(text)):
        return False
    return text.rstrip().endswith((":", "：")) or len(text.split()) <= 3 or _POINTING.search(text) is not None


def _is_short(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and len(text.split()) <= MAX_WORDS
