"""Limits people put into words: "answer quickly", "spend less than a cent", "keep it local". Read only where that was asked for.

Only sentences at the edges of a prompt are read, where people say what they want, and only wording that speaks of the answer:
"a function that sorts quickly" is about a program.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from mmai.selection.features import Features
from mmai.values.task import Constraints

SOON_MS = 5_000.0
CHEAP_USD = 0.01
"""What the specification's example allows for one request; "quickly" and "cheap" name no figure of their own."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_EDGE = 2
"""Sentences at either end."""

_ANSWER = (
    r"(?:answer|reply|respond|response|antworte?|réponds|réponse|responde|respuesta|rispondi|risposta|resposta|ответь|ответ)"
)
_SOON = re.compile(
    rf"\b{_ANSWER} (?:\w+ ){{0,2}}(?:quickly|fast|asap|immediately|schnell|vite|rapidement|rápido|rapidamente|быстро)\b"
    rf"|\b(?:quick|fast|schnelle|rápida|быстрый) {_ANSWER}\b"
    r"|^(?:quickly|schnell|vite|rápido|быстро)[,:!. ]|[,;.!] ?(?:quickly|fast|schnell|vite|rápido|быстро)[.!]?$"
    r"|\b(?:be quick|make it (?:quick|fast)|quick question|as (?:fast|quickly|soon) as possible|asap|in a hurry"
    r"|so schnell wie möglich|le plus vite possible|lo más rápido posible|как можно быстрее)\b"
)
_CHEAP = re.compile(
    r"\bas cheap(?:ly)? as possible\b|\bcheap(?:est)? model\b|\bkeep (?:it|the cost|costs) (?:cheap|low)\b"
    r"|\b(?:do not|don't) spend (?:much|a lot)\b|^cheaply\b|[,;.] ?cheap(?:ly)?[.!]?$"
    r"|\bso (?:billig|günstig) wie möglich\b|\ble moins cher possible\b|\blo más barato posible\b|\bкак можно дешевле\b"
)
_LOCAL = re.compile(
    r"\bkeep (?:it|this|that|everything) (?:local|private|confidential|on (?:my|this) (?:machine|computer))\b|\blocal models? only\b"
    r"|\b(?:use|with|only) (?:a |only )?local models?\b|\b(?:answer|stay|work) offline\b"
    r"|\b(?:must not|may not|nothing may) leave (?:my|this) (?:machine|computer)\b|\bnur lokal\b|\bтолько локально\b"
)
_WITHIN = re.compile(
    rf"\b(?:{_ANSWER}|need (?:it|this|an answer)|takes?)\b[^.]*?\b(?:in|within|under|at most|less than|unter|en moins de)"
    r" (?:under |less than |at most )?(\d+(?:\.\d+)?|a|one|two|three|five|ten)[ -]?(ms|milliseconds?|s|secs?|seconds?|minutes?)\b"
)
_FOR = re.compile(
    r"\b(?:spend|spending|cost|costs|pay|budget|price)\b[^.]*?"
    r"(?:(\$) ?)?(\d+(?:\.\d+)?|\ba\b|\bone\b|\btwo\b|\bthree\b|\bfive\b|\bten\b) ?(cents?|¢|dollars?|usd)?"
)
_NUMBERS = {"a": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "five": 5.0, "ten": 10.0}
_WHITE = " .!?,;:"


def infer(features: Features) -> dict[str, tuple[float | bool, str]]:
    """Field of `Constraints` to its value and the words it was read from."""
    found: dict[str, tuple[float | bool, str]] = {}
    for sentence in _edges(features.text):
        for field, value, words in _limits(sentence):
            found.setdefault(field, (value, words.strip(_WHITE)))
    return found


def filled(constraints: Constraints, found: Mapping[str, tuple[float | bool, str]]) -> tuple[Constraints, dict[str, str]]:
    """The constraints with what was found where nobody set anything, and of those fields the words."""
    new = {field: read for field, read in found.items() if not getattr(constraints, field)}
    values = {field: value for field, (value, _) in new.items()}
    return replace(constraints, **values), {field: words for field, (_, words) in new.items()}


def _edges(text: str) -> list[str]:
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    return sentences if len(sentences) <= 2 * _EDGE else sentences[:_EDGE] + sentences[-_EDGE:]


def _limits(sentence: str) -> Iterator[tuple[str, float | bool, str]]:
    if match := _WITHIN.search(sentence):
        yield "max_latency_ms", _milliseconds(match[1], match[2]), match[0]
    elif match := _SOON.search(sentence):
        yield "max_latency_ms", SOON_MS, match[0]
    if (match := _FOR.search(sentence)) and (match[1] or match[3]):
        yield "max_cost_usd", _dollars(match[2], match[3]), match[0]
    elif match := _CHEAP.search(sentence):
        yield "max_cost_usd", CHEAP_USD, match[0]
    if match := _LOCAL.search(sentence):
        yield "local_only", True, match[0]


def _milliseconds(amount: str, unit: str) -> float:
    seconds = 60.0 if unit.startswith("min") else 0.001 if unit.startswith("m") else 1.0
    return 1_000 * seconds * _number(amount)


def _dollars(amount: str, unit: str | None) -> float:
    return _number(amount) * (0.01 if unit and unit[0] in "c¢" else 1.0)


def _number(text: str) -> float:
    return _NUMBERS.get(text) or float(text)
