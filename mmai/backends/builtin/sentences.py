"""One paragraph of clean text into its sentences, by rules that hold across scripts."""

import re

from mmai.backends.builtin.words import count_words, is_spaceless

MAX_WORDS = 150
"""A longer sentence is text without punctuation, and is cut into pieces."""
PIECE_WORDS = 40
PIECE_CHARACTERS = 80
"""Where words have no spaces between them."""

_CLOSERS = "\"'”’“‘»›)\\]}」』）】》〉*_"
_END = re.compile(
    # Possessive, and only from the first mark of a run: a megabyte of full stops takes one pass.
    rf"(?<![.!?…])(?P<stop>[.!?…؟۔։።]++)(?:\[\d{{1,3}}\])*+[{_CLOSERS}]*+(?: »)?+(?=\s|$)"
    rf"|[。！？｡．।॥။។]++[{_CLOSERS}]*+"
    rf"|(?<![!?])[!?]++[{_CLOSERS}]*+(?=[\u3041-\u30ff\u4e00-\u9fff])"
)
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«„—–/]+$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«„(\[*_¿¡]*(\w*)")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Before a name or number: a sentence never ends here.
_TITLES = _set(
    "dr mr mrs ms messrs prof st gen gov sen rep capt cpt lt col sgt maj cmdr rev hon pres supt fr hr hrn mme mlle mgr sr sra srta dra"
    " sig dott ing vgl cf vs viz ie eg approx ca incl excl resp sog bzw evtl ggf z.b d.h u.a i.d.r p.ex ej p.ej i.e e.g al feat"
    " тов проф акад им ул гл см ср напр т.е т.н"
)
# These end nothing when a number follows.
_BEFORE_NUMBERS = _set(
    "fig figs no nos nr nrs vol vols sec secs eq eqs ch chap p pp pg art arts abb tab kap s bd num núm pág págs n nº št č рис табл стр с п ст"
    " ver v jan feb mar apr jun jul aug sep sept oct nov dec"
)
# These may end a sentence: only a word that opens sentences tells.
_PERHAPS = _set(
    "etc inc ltd co corp llc jr bros dept est ave blvd rd ph.d m.d b.a m.a u.s u.k a.m p.m e.u d.c usw ecc etz u.s.w o.ä и т.д т.п др г гг в вв"
    " руб тыс млн млрд jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun ed eds trans"
    " min max sec hrs univ dipl"
)
_OPENERS = _set(
    "the a an in on at it its this that these those he she they we you i but and or so if when while as for to from with by of there here"
    " however although after before since then thus his her their our my no not what who why how where which some many most all each every"
    " another other both one two three new now today once only also let see use our such please note finally first second third next later"
    " der die das ein eine es er sie wir ich und aber doch wenn als im am auf für mit dies diese dieser"
    " le la les un une il elle nous vous ils elles et mais dans ce cette ces pour en el los las una se su por con para"
    " и но а в на он она они это по с не как что"
)
_MONTHS = _set("januar februar märz april mai juni juli august september oktober november dezember")


def split_sentences(paragraph: str) -> list[str]:
    """The sentences of one paragraph in order, with white space collapsed; together they hold all of its words.

    A full stop after an abbreviation, initial or number, inside a URL, or before a lower-case word ends nothing. In text
    without capitals every stop ends one. What is longer than `MAX_WORDS` comes back in pieces.
    """
    text = " ".join(paragraph.split())
    has_capitals = any(c.isupper() for c in text)
    out: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end["stop"] is None or _ends_sentence(text, start, end, has_capitals=has_capitals):
            out.append(text[start : end.end()].strip())
            start = end.end()
    out.append(text[start:].strip())
    return [piece for sentence in out if sentence for piece in _pieces(sentence)]


def ends_in_stop(text: str) -> bool:
    """The last sentence of the text is closed by a mark that ends sentences."""
    tail = text.rstrip(_CLOSERS + " \t\n")
    return tail.endswith(tuple(".!?…。！？｡．।॥؟۔։።។။"))


def _ends_sentence(text: str, start: int, end: re.Match[str], *, has_capitals: bool) -> bool:
    following = _NEXT_WORD.match(text, end.end())
    word = following[1] if following else ""
    if has_capitals and word[:1].islower():
        return False
    if end["stop"] != ".":
        return True
    return not _is_abbreviation(text[max(start, end.start() - 40) : end.start()], word, at_start=end.start() - start <= 4)


def _is_abbreviation(before: str, following: str, *, at_start: bool) -> bool:
    last = _LAST_WORD.search(before)
    if last is None:
        return False
    word = last[0].casefold()
    if word.isdecimal():
        return (at_start and len(word) <= 3) or (len(word) <= 2 and following.casefold() in _MONTHS)
    if word in _TITLES or (word in _BEFORE_NUMBERS and following[:1].isdecimal()):
        return True
    initial = len(word) == 1 and last[0].isupper() and word != "i"
    if initial or word in _PERHAPS or _DOTTED.fullmatch(word):
        return bool(following) and following.casefold() not in _OPENERS
    return False


def _pieces(sentence: str) -> list[str]:
    if len(sentence) <= MAX_WORDS or count_words(sentence) <= MAX_WORDS:
        return [sentence]
    if is_spaceless(sentence):
        return [sentence[i : i + PIECE_CHARACTERS].strip() for i in range(0, len(sentence), PIECE_CHARACTERS)]
    words = sentence.split(" ")
    return [" ".join(words[i : i + PIECE_WORDS]) for i in range(0, len(words), PIECE_WORDS)]
