"""A text file into the headings, paragraphs and list items that hold its prose, without code, tables and page furniture."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import Literal

from msgspec import Struct

from mmai.backends.builtin.inline import plain

Kind = Literal["heading", "paragraph", "item"]


class Block(Struct, frozen=True):
    """Consecutive lines that belong together, with markup taken off each."""

    kind: Kind
    lines: tuple[str, ...]
    """Never empty, nor is any of them."""


_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_FENCE = re.compile(r" {0,12}(`{3,}|~{3,})([^\n]*)$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s+|$)(.*)")
_UNDERLINE = re.compile(r"\s{0,3}([=\-~^\"'+#*.:])\1{2,}\s*$")
_RULE = re.compile(r"\s{0,3}(?:[-*_=]\s*){3,}$")
_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪]|\(?\d{1,3}[.)]|\(?[a-zA-Z]\))\s+(?:\[[ xX]\]\s+)?(?=\S)")
_LINKS = re.compile(r"\s*(?:(?:[-*+]|\d{1,3}[.)])\s+)?(?:!?\[[^\[\]]{0,200}\]\([^()\n]{0,500}\)[\s•|·,/-]*)+$")
_QUOTE = re.compile(r"^\s{0,3}(?:>\s?)+(?:\[![A-Z]+\]\s*$)?")
_TABLE_ROW = re.compile(r"\s*(?:\||\+[-=+]{3,}\+\s*$)|\s*={2,}(?:\s+={2,})+\s*$")
_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?(?:\s*\|\s*:?-+:?)+\s*\|?\s*$")
_DEFINITION = re.compile(r"\s{0,3}\[[^\[\]]{1,200}\]:\s*\S+")
_DIRECTIVE = re.compile(r"\s*\.\.(?:\s|$)")
_FIELD = re.compile(r"\s*:[a-zA-Z][\w -]{0,40}:(?:\s|$)")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\S")
_COMMAND = re.compile(
    r"\s*(?:\$ |>>> |\.\.\. |C:\\|In \[\d+\]:|#!|#include\b"
    r"|import [\w.]+(?: as \w+)?\s*$|from [\w.]+ import |def \w+\(|pip install )"
)
_CODE_SIGNS = re.compile(r"[{}\[\];=<>|\\$@^~`#/_]")
_FRONT_MATTER = re.compile(r"\s*(---|\+\+\+)[ \t]*\n(?:[^\n]*\n){0,300}?\1[ \t]*(?:\n|$)")
_HEADERS = re.compile(r"(?:[A-Za-z][\w-]{1,40}: [^\n]*+\n(?:[ \t]+[^\n]*+\n)*+){3,}+(?=\s*\n)")
_HEADER_NAME = re.compile(r"^(?:from|subject|date|title|author|version): ", re.IGNORECASE | re.MULTILINE)
_FURNITURE = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<svg", "</svg>"))
MAX_TERM_WORDS = 6
MAX_CODE_SHARE = 0.12
"""Of a block's characters; prose that names paths and flags stays well below."""


def blocks(text: str) -> Iterator[Block]:
    """The text's prose in order.

    Left out: front matter and mail headers, comments, scripts, fenced and indented code, tables, rules, link definitions,
    directives, and lines of nothing but links, images or tags.
    """
    text = _LINE_ENDS.sub("\n", text.removeprefix("\ufeff"))
    text = text[_front_end(text) :]
    for opening, closing in _FURNITURE:
        text = _without(text, opening, closing)
    pending = _Pending()
    for line in _prose_lines(text.split("\n")):
        yield from pending.take(line)
    yield from pending.flush()


def _front_end(text: str) -> int:
    if front := _FRONT_MATTER.match(text):
        return front.end()
    headers = _HEADERS.match(text)
    # Any three lines of `Name: words` may be a conversation, which is prose.
    return headers.end() if headers and _HEADER_NAME.search(headers[0]) else 0


class _Pending:
    """The block being read, line by line."""

    def __init__(self) -> None:
        self.kind: Kind = "paragraph"
        self.lines: list[str] = []

    def take(self, line: str) -> Iterator[Block]:
        heading = _HEADING.match(line)
        item = _ITEM.match(line)
        if heading:
            yield from self.flush()
            self.kind, self.lines = "heading", [heading[1].rstrip().rstrip("#")]
            yield from self.flush()
        elif _UNDERLINE.match(line) and len(self.lines) == 1 and self.kind == "paragraph":
            self.kind = "heading"
            yield from self.flush()
        elif not line.strip() or _RULE.match(line) or _UNDERLINE.match(line):
            yield from self.flush()
        elif item:
            yield from self.flush()
            self.kind, self.lines = "item", [line[item.end() :]]
        else:
            if self._is_term(line):
                self.kind = "heading"
                yield from self.flush()
            self.lines.append(line)

    def _is_term(self, following: str) -> bool:
        """What was read is a short line above a deeper one: the term of a definition list."""
        if self.kind != "paragraph" or len(self.lines) != 1 or len(self.lines[0].split()) > MAX_TERM_WORDS:
            return False
        return not self.lines[0].rstrip().endswith((".", "!", "?", ",")) and _indent(following) >= _indent(self.lines[0]) + 2

    def flush(self) -> Iterator[Block]:
        kind, lines = self.kind, self.lines
        self.kind, self.lines = "paragraph", []
        # Markup may span lines, so it is taken off the whole and the lines are told apart again by a mark no text holds.
        cleaned = plain(" \0 ".join(line.replace("\0", "") for line in lines)).split("\0")
        kept = tuple(line.strip() for line in cleaned if line.strip())
        if kept and (kind == "heading" or not _is_code(kept)):
            yield Block(kind, kept)


def _prose_lines(lines: list[str]) -> Iterator[str]:
    """Lines that are not code, tables or directives; what is left out leaves an empty line, which ends a paragraph."""
    unquoted = [_QUOTE.sub("", line, count=1) for line in lines]
    return _outside_furniture(_outside_directives(_outside_tables(_outside_fences(unquoted))))


def _outside_fences(lines: Iterable[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
            yield ""
        else:
            yield line


def _outside_tables(lines: Iterable[str]) -> Iterator[str]:
    inside = False
    for line, following in pairwise(chain(lines, [""])):
        inside = "|" in line and (inside or _DELIMITER.match(following) is not None)
        yield "" if inside or _TABLE_ROW.match(line) else line


def _outside_directives(lines: Iterable[str]) -> Iterator[str]:
    """A directive or field of reStructuredText takes what is indented below it with it."""
    indent = -1
    previous = ""
    for line in lines:
        if indent >= 0 and (not line.strip() or _indent(line) > indent):
            continue
        left_out = _DIRECTIVE.match(line) or (_FIELD.match(line) and not previous.strip())
        indent = _indent(line) if left_out else -1
        previous = "" if left_out else line
        yield previous


def _outside_furniture(lines: Iterable[str]) -> Iterator[str]:
    previous = ""
    for line in lines:
        code = not previous.strip() and _INDENTED.match(line) and _is_code((line.strip(),)) and not _ITEM.match(line)
        left_out = code or _DEFINITION.match(line) or _LINKS.match(line) or _COMMAND.match(line)
        previous = "" if left_out else line
        yield previous


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_code(lines: tuple[str, ...]) -> bool:
    text = " ".join(lines)
    return len(_CODE_SIGNS.findall(text)) > MAX_CODE_SHARE * len(text)


def _without(text: str, opening: str, closing: str) -> str:
    """Cut every stretch from `opening` to `closing`; an opening that is never closed is left alone."""
    kept = []
    start = 0
    while (begin := text.find(opening, start)) >= 0 and (end := text.find(closing, begin)) >= 0:
        kept.append(text[start:begin])
        start = end + len(closing)
    kept.append(text[start:])
    return "".join(kept)
