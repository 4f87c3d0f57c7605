"""Each fault by itself, and beside somebody else who can answer: how often who is called, and what the user is left with."""

from typing import NamedTuple

import pytest
from fakes.fault_wall import ANSWER, CUT, FAULTS, LONG, SPLIT, WORDS, FaultWall
from scene import Scene


class Fate(NamedTuple):
    """What comes of one fault."""

    exit_code: int
    """With nobody else to ask."""
    classes: tuple[str | None, ...]
    """Of the attempts, then."""
    text: str = ""
    elsewhere: bool = True
    """Another host is asked where there is one, and answers."""
    beside: int | None = None
    """Calls before that, where they are not as many."""


WHOLE = Fate(0, (None,), ANSWER, elsewhere=False)
SILENT = Fate(6, ("timeout",))
STOPPED = Fate(9, ("incomplete",), CUT, elsewhere=False)
TURNED_AWAY = Fate(0, ("rate_limited", None), ANSWER, beside=1)
LEFT_ALONE = Fate(5, ("rate_limited",))
LOST = Fate(7, ("cannot_connect", "cannot_connect"))
BUSY = Fate(8, ("provider", "provider"))
HICCUP = Fate(0, ("provider", None), ANSWER, elsewhere=False)
NO_ANSWER = Fate(8, ("protocol",))
REFUSED = Fate(4, ("auth",))

TABLE = {
    "ok": WHOLE,
    "silent": SILENT,
    "headers-then-silence": SILENT,
    "pings-then-silence": SILENT,
    "pings-for-ever": SILENT,
    "head-for-ever": SILENT,
    "stall": STOPPED._replace(classes=("timeout",)),
    "reset": LOST,
    "reset-in-head": LOST,
    "closed": LOST,
    "cut": STOPPED,
    "200-short": Fate(9, ("incomplete",)),
    "length-too-long": STOPPED,
    "length-too-short": STOPPED,
    "no-length": WHOLE,
    "no-length-cut": STOPPED,
    "bad-chunk": STOPPED._replace(classes=("protocol",)),
    "429-always": Fate(5, ("rate_limited", "rate_limited"), beside=1),
    "429-once-ms": TURNED_AWAY,
    "429-once-0": TURNED_AWAY,
    "429-once-garbage": TURNED_AWAY,
    "429-once-past": TURNED_AWAY,
    "429-ms": Fate(5, ("rate_limited", "rate_limited"), beside=1),
    "429-tomorrow": LEFT_ALONE,
    "429-date": LEFT_ALONE,
    "quota": Fate(5, ("quota",)),
    "500-once": HICCUP,
    "503": BUSY,
    "503-ms": Fate(0, ("provider", None), ANSWER, beside=1),
    "529": BUSY,
    "flap": HICCUP,
    "invalid": Fate(8, ("invalid_request",), elsewhere=False),
    "gone": Fate(3, ("unknown_model",)),
    "401": REFUSED,
    "401-first-key": REFUSED,
    "403": REFUSED,
    "redirect": Fate(8, ("provider",)),
    "context": Fate(8, ("context_length_exceeded",), elsewhere=False),
    "filter": Fate(9, ("incomplete",), "I ", elsewhere=False),
    "token-limit": STOPPED,
    "split-utf8": WHOLE._replace(text=SPLIT + ANSWER),
    "crlf": WHOLE,
    "comments": WHOLE,
    "multi-line-data": WHOLE,
    "huge-line": WHOLE,
    "hints": WHOLE,
    "long": WHOLE._replace(text=LONG),
    "at-once": WHOLE,
    "bad-json-once": WHOLE,
    "bad-json-twice": STOPPED._replace(classes=("protocol",), text="".join(WORDS[:30])),
    "200-error": BUSY,
    "200-html": NO_ANSWER,
    "200-empty": NO_ANSWER,
    "204": NO_ANSWER,
    "200-gzip": NO_ANSWER,
    "not-http": NO_ANSWER,
    "empty-stream": NO_ANSWER,
    "no-done": WHOLE,
    "no-done-no-finish": STOPPED._replace(text=ANSWER),
    "done-twice": WHOLE,
    "bytes-after": WHOLE,
    "answer-twice": WHOLE,
    "error-in-stream": STOPPED._replace(classes=("provider",)),
    "error-at-once-in-stream": BUSY,
}
ALONE = {
    "503-then-silence",
    "drip",
    "words-then-pings",
    "flood",
    "reset-in-stream",
    "line-for-ever",
    "401-after-one",
}
"""Faults that have a test of their own, in another file."""
OF_OPENAI = {"401-first-key", "comments", "filter", "multi-line-data", "quota"}
"""What only its protocol has."""


@pytest.mark.parametrize("provider", ["wall", "wall-ollama"])
@pytest.mark.parametrize("fault", TABLE)
def test_with_nobody_else_to_ask(scene: Scene, fault: str, provider: str) -> None:
    if provider != "wall" and fault in OF_OPENAI:
        pytest.skip("Ollama has no such thing")
    fate = TABLE[fault]
    ran = scene("-m", f"{provider}:{fault}")
    assert (ran.exit_code, tuple(ran.classes), ran.text) == (fate.exit_code, fate.classes, fate.text), ran.stderr


@pytest.mark.parametrize("fault", [fault for fault, fate in TABLE.items() if fate is not WHOLE])
def test_with_another_host_to_ask(scene: Scene, spare: FaultWall, fault: str) -> None:
    fate = TABLE[fault]
    ran = scene("-m", f"wall:{fault}", "--fallback", "spare:ok")
    before = [f"wall:{fault}"] * (fate.beside or len(fate.classes))
    assert ran.calls == (*before, *(["spare:ok"] if fate.elsewhere else ()))
    assert (ran.exit_code, ran.text) == ((0, ANSWER) if fate.elsewhere else (fate.exit_code, fate.text)), ran.stderr


def test_every_fault_is_asked_about() -> None:
    assert {*TABLE, *ALONE} == set(FAULTS)
    assert not ALONE & TABLE.keys()
