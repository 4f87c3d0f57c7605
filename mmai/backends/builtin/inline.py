"""One paragraph's Markdown, HTML or reStructuredText markup taken off, its words left."""

import re
from html import unescape

# Every repeat is bounded, so that hostile text cannot make one of these slow.
_REMOVED = re.compile(
    r"!\[[^\[\]]{0,500}\](?:\([^()\s]{0,1000}(?:\s[^()]{0,300})?\)|\[[^\[\]]{0,200}\])?"  # images, most of them badges
    r"|\[\^[^\[\]]{1,60}\]"  # footnote marks
    r"|(?<![\w|])\|\w(?:[\w.-]{0,60}\w)?\|_?(?![\w|])"  # reStructuredText substitutions
    r"|\{#[\w-]{1,80}\}"  # heading anchors
    r"|</?[a-zA-Z][^<>]{0,1000}>"
)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,500})>")
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]{0,200}\]){0,500})\](?:\([^()\s]{0,1000}(?:\s[^()]{0,300})?\)|\[[^\[\]]{0,200}\])")
_ROLE = re.compile(r":[a-zA-Z:+-]{1,40}:`~?([^`<>]{1,200})`")
_RST_LINK = re.compile(r"`([^`<>]{1,200}?)\s*<[^<>`\s]{1,500}>`__?|`([^`<>]{1,200})`__?(?!\w)")
_CODE = re.compile(r"(`{1,3})(?!`)([^`]{1,500}?)\1(?!`)")
_EMPHASIS = re.compile(r"(?<![\w\\*])(\*{1,3})(?=[^\s*])([^*]{1,500}?)(?<=[^\s*])\1(?![\w*])")
_UNDERSCORES = re.compile(r"(?<![\w\\])(_{1,3})(?=[^\s_])([^\n]{1,300}?)(?<=[^\s_])\1(?!\w)")
_STRUCK = re.compile(r"~~([^~]{1,500})~~")
_MARKUP = re.compile(r"[<\[`*_~\\&|{]")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    """Link texts, code and emphasised words stay; images, footnote marks, tags and anchors go; white space is collapsed."""
    if _MARKUP.search(text):
        text = _RST_LINK.sub(lambda link: link[1] or link[2], _ROLE.sub(r"\1", text))
        text = _REMOVED.sub("", _AUTOLINK.sub(r"\1", text))
        text = _LINK.sub(r"\1", text)
        text = _CODE.sub(r"\2", text)
        text = _STRUCK.sub(r"\1", _UNDERSCORES.sub(r"\2", _EMPHASIS.sub(r"\2", text)))
        text = unescape(_ESCAPE.sub(r"\1", text))
    return " ".join(text.split())
