"""A prompt as clauses of lower-case words, and tables of phrases that are looked up in them.

Tables instead of regular expressions: compiling the expressions for all this wording would cost every start-up 40 ms, building
the tables costs 1 ms, and a look-up is one dictionary access a word.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

Clause = Sequence[str]
"""Lower-case words between two marks of punctuation or line ends; never empty."""

Phrases = Mapping[str, Sequence[tuple[tuple[str, ...], str, float]]]
"""First word to (the words after it, label, weight), longest first."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_BREAK = re.compile(r"[.!?:;,]+(?=\s|$)|\n+|[。！？、，：；]")


def word_set(text: str) -> frozenset[str]:
    """The words of a text that is easier to read than a list of literals."""
    return frozenset(text.split())


def _phrase_list(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_WORD.findall(phrase)) for phrase in text.split(","))


_GREETINGS = _phrase_list(
    "hi there, hello there, hey there, hi everyone, hello everyone, hi assistant, hello assistant, good morning,"
    " good afternoon, good evening, good day, thank you, guten tag, guten morgen, guten abend, buenos días, buenas tardes,"
    " bom dia, boa tarde, добрый день, hi, hello, hey, hallo, bonjour, salut, hola, ciao, buongiorno, olá, oi, привет,"
    " здравствуйте, thanks, 你好, 您好, こんにちは"
)
"""The longer before the shorter that begin them."""
_LEAD_IN = word_set(
    "please kindly can could would will you i i'd i'm we want need like wanna to your task job goal is are should must"
    " have expected asked just now then first next finally also and but so ok okay me us help try let's let must the"
    " following bitte kannst könntest können sie du mir mal s'il te vous plaît peux pouvez tu por favor puedes podrías"
    " pode você puoi potresti per favore пожалуйста можешь мне"
)


def clauses(text: str) -> list[Clause]:
    """The clauses of a text in order, without a leading greeting."""
    found: list[Clause] = [words for piece in _BREAK.split(text.lower()) if (words := _WORD.findall(piece))]
    if not found:
        return []
    rest = _ungreeted(found[0])
    return [rest, *found[1:]] if rest else found[1:] or found


def is_greeting(clause: Clause) -> bool:
    """A greeting or thanks and nothing more."""
    return not _ungreeted(clause)


def _ungreeted(clause: Clause) -> Clause:
    return next((clause[len(words) :] for words in _GREETINGS if tuple(clause[: len(words)]) == words), clause)


def opener(clause: Clause) -> int:
    """Where the verb of a command stands: behind "please", "could you", "your task is to" and the like."""
    return next((i for i, word in enumerate(clause) if word not in _LEAD_IN), 0)


def phrases(table: Mapping[str, Mapping[float, str]]) -> Phrases:
    """Index label -> weight -> "phrase, other phrase" by first word."""
    index: dict[str, list[tuple[tuple[str, ...], str, float]]] = {}
    for label, weighted in table.items():
        for weight, listed in weighted.items():
            for first, *rest in _phrase_list(listed):
                index.setdefault(first, []).append((tuple(rest), label, weight))
    for entries in index.values():
        if len(entries) > 1:
            entries.sort(key=lambda entry: -len(entry[0]))
    return index


def at(index: Phrases, clause: Clause, position: int) -> Iterator[tuple[str, float]]:
    """Labels and weights of the longest phrase that begins at a position, of all labels that share it."""
    entries = index.get(clause[position])
    if entries is None:
        return
    matched: tuple[str, ...] | None = None
    for rest, label, weight in entries:
        if matched is None and tuple(clause[position + 1 : position + 1 + len(rest)]) == rest:
            matched = rest
        if rest == matched:
            yield label, weight


def found(index: Phrases, clause: Clause) -> Iterator[tuple[str, float]]:
    """Labels and weights of every phrase in a clause."""
    for position, word in enumerate(clause):
        if word in index:
            yield from at(index, clause, position)
