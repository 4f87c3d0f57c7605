"""Text of models and servers without what a terminal would obey: escape sequences, control characters, direction overrides."""

import re
from enum import Enum, auto

BIDIRECTIONAL = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""For `str.translate`: the embeddings, overrides and isolates that let text show in another order than it has (CVE-2021-42574).
The marks U+200E, U+200F and U+061C stay: right-to-left prose needs them."""

# C0 but tab and newline, DEL, C1, and the above.
_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PARAMETERS = re.compile("[ -?]*")
_STRING_END = re.compile("[\n\x07\x18\x1a\x1b\x9c]")

_STRING_INTRODUCERS = frozenset("]PX^_")


class _In(Enum):
    TEXT = auto()
    ESCAPE = auto()
    CSI = auto()
    STRING = auto()


class Cleaner:
    """Takes control sequences out of text that comes in pieces; cutting the text elsewhere changes nothing.

    A carriage return is dropped, so `\\r\\n` is a newline and nothing overwrites a line. A string sequence (OSC, DCS, APC) that is
    never ended ends with its line: a broken one costs a line, not the rest of the answer.
    Source: ECMA-48 §5.4 and §8.3; xterm's "Control Sequences".
    """

    def __init__(self) -> None:
        self._state = _In.TEXT

    def clean(self, text: str) -> str:
        """The next piece, cleaned."""
        if self._state is _In.TEXT and _SPECIAL.search(text) is None:
            return text
        kept: list[str] = []
        at = 0
        while at < len(text):
            at = self._step(text, at, kept)
        return "".join(kept)

    def _step(self, text: str, at: int, kept: list[str]) -> int:
        """Read on from `at` in the present state; where to read next."""
        match self._state:
            case _In.TEXT:
                found = _SPECIAL.search(text, at)
                end = found.start() if found else len(text)
                kept.append(text[at:end])
                self._state = _opened(text[end]) if found else _In.TEXT
                return end + 1
            case _In.ESCAPE:
                return self._escape(text[at], at)
            case _In.CSI:
                end = _skip(_PARAMETERS, text, at)
                if end < len(text):
                    self._state = _In.TEXT
                    end += "@" <= text[end] <= "~"
                return end
            case _In.STRING:
                ended = _STRING_END.search(text, at)
                if ended is None:
                    return len(text)
                # What follows ESC is read as any escape sequence is: `ESC \`, the terminator, is one.
                self._state = _In.ESCAPE if ended.group() == "\x1b" else _In.TEXT
                return ended.start() if ended.group() == "\n" else ended.end()

    def _escape(self, character: str, at: int) -> int:
        if " " <= character <= "/":  # intermediate bytes; the final one is still to come
            return at + 1
        if character == "[":
            self._state = _In.CSI
        elif character in _STRING_INTRODUCERS:
            self._state = _In.STRING
        else:
            self._state = _In.TEXT
        return at + ("0" <= character <= "~")


def _opened(character: str) -> _In:
    """The state a control character leads to."""
    match character:
        case "\x1b":
            return _In.ESCAPE
        case "\x9b":
            return _In.CSI
        case "\x90" | "\x98" | "\x9d" | "\x9e" | "\x9f":
            return _In.STRING
        case _:
            return _In.TEXT


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def clean_line(text: str) -> str:
    """`text` cleaned and on one line: for names, reasons and messages that come from elsewhere."""
    return " ".join(part for part in re.split("[\n\t\u2028\u2029]+", Cleaner().clean(text)) if part)
