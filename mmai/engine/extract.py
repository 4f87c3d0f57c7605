"""The code a model wrote, out of the Markdown it wrote around it."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_ITEM = re.compile(r" *(?:[-*+]|\d{1,9}[.)])(?: +|$)")


def code_block(text: str, *, last: bool = False) -> str | None:
    """The first fenced block, or the `last`, without its fences and final line break; None when there is no fence.

    Fences follow CommonMark 0.31 §4.5: backticks or tildes, closed by as many or more of the same, indented by at most three
    spaces (from the text of a list item, inside one); an unclosed fence ends with the text.
    """
    found = None
    for block in _blocks(text.replace("\r\n", "\n").split("\n")):
        found = block
        if not last:
            break
    return found


def _blocks(lines: list[str]) -> Iterator[str]:
    rest = iter(lines)
    item = 0
    for line in rest:
        content = line.expandtabs(4)
        indent = len(content) - len(content.lstrip())
        if content.strip() and indent < item:
            item = 0
        # A fence may open right behind the marker of its list item.
        if marker := _ITEM.match(content):
            item = marker.end()
            content = " " * item + content[item:]
        fence = _FENCE.match(content)
        if fence and len(fence["indent"]) <= item + 3:
            yield "\n".join(_inside(rest, fence["fence"], indent=len(fence["indent"]), deepest=item + 3))


def _inside(lines: Iterator[str], fence: str, *, indent: int, deepest: int) -> Iterator[str]:
    closing = re.compile(rf" {{0,{deepest}}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    for line in lines:
        if closing.match(line):
            return
        own = len(line) - len(line.lstrip(" "))
        yield line[min(indent, own) :]
