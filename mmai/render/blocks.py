"""Markdown that is still being written, cut into the blocks no later text can change."""

from markdown_it import MarkdownIt
from msgspec import Struct

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
"""HTML off: models write `<div>` and `<think>` to be read, and an HTML block would be left out of the screen."""


class Block(Struct, frozen=True):
    """The source of one block of the top level, or of one item of a list there."""

    source: str
    joined: bool
    """A later item of the list whose item came before; it stands under that one without a blank line."""


class Blocks:
    """Takes Markdown piece by piece and gives each block once it is whole.

    CommonMark is read line by line, and a new line can change only the last block of a level (spec 0.31, "Appendix: A parsing
    strategy"). So of the complete lines every block but the last is whole. Link reference definitions are the exception: they do
    not reach back to a block that was already given.
    """

    def __init__(self) -> None:
        self._text = ""
        self._joined = False

    @property
    def rest(self) -> Block:
        """What is not whole yet."""
        return Block(self._text, self._joined)

    def feed(self, text: str) -> list[Block]:
        """The blocks that are whole now and were not before."""
        self._text += text
        return self._take(self._text[: self._text.rfind("\n") + 1]) if "\n" in text else []

    def finish(self) -> list[Block]:
        """What is left, cut into blocks; nothing follows."""
        blocks = [*self._take(self._text), self.rest]
        self._text = ""
        return [block for block in blocks if block.source.strip()]

    def _take(self, complete: str) -> list[Block]:
        """Cut every block but the last of `complete` off the text."""
        starts = _starts(complete)[1:]
        if not starts:
            return []
        lines = self._text.split("\n")
        blocks = []
        taken = 0
        for line, joined in starts:
            blocks.append(Block("\n".join(lines[taken:line]) + "\n", self._joined))
            taken, self._joined = line, joined
        self._text = "\n".join(lines[taken:])
        return blocks


def _starts(text: str) -> list[tuple[int, bool]]:
    """The first line of every block and of every item of a top-level list, and whether it continues such a list."""
    starts: list[tuple[int, bool]] = []
    for token in PARSER.parse(text):
        begins_block = token.level == 0 and token.nesting >= 0
        begins_item = token.level == 1 and token.type == "list_item_open"
        if token.map is None or not (begins_block or begins_item):
            continue
        line = token.map[0]
        if not starts or line != starts[-1][0]:  # a list begins where its first item does
            starts.append((line, begins_item))
    return starts
