"""Markdown on a screen while it is being written."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, ListElement, Markdown
from rich.syntax import Syntax
from rich.text import Text

from mmai.clock import Clock
from mmai.render.blocks import PARSER, Block, Blocks
from mmai.render.clean import BIDIRECTIONAL, Cleaner
from mmai.render.region import Region
from mmai.render.rich_console import SGR, console, printed_lines
from mmai.render.terminal import Terminal
from mmai.render.writer import AnswerWriter

_DRAWING_SHARE = 5
"""At most one part in so many of the time goes into redrawing: a long block is drawn less often, never left out."""


class MarkdownWriter(AnswerWriter):
    """Whole blocks go to the scrollback once; only the block being written is redrawn."""

    def __init__(self, terminal: Terminal, *, clock: Clock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._cleaner = Cleaner()
        self._blocks = Blocks()
        self._region = Region(terminal)
        self._begun = False
        self._draw_again_at = 0.0

    def write(self, text: str) -> None:
        """Show more of the answer, now."""
        for block in self._blocks.feed(self._cleaner.clean(text)):
            self._commit(block)
        self._draw()

    def close(self) -> None:
        """Put what is left into the scrollback; the cursor stands on a line of its own."""
        blocks = self._blocks.finish()
        for block in blocks:
            self._commit(block)
        if not blocks:
            self._region.draw([])

    def _commit(self, block: Block) -> None:
        lines = self._lines(block)
        if lines:
            self._region.commit(lines)
            self._begun = True

    def _draw(self) -> None:
        started = self._clock.monotonic()
        if started >= self._draw_again_at:
            self._region.draw(self._lines(self._blocks.rest))
            ended = self._clock.monotonic()
            self._draw_again_at = ended + (ended - started) * (_DRAWING_SHARE - 1)

    def _lines(self, block: Block) -> list[str]:
        # One column stays free: some emoji are wider on the screen than any table of widths says.
        lines = rendered(block.source, self._terminal, width=max(1, self._terminal.size()[0] - 1))
        return ["", *lines] if lines and self._begun and not block.joined else lines


def rendered(source: str, terminal: Terminal, *, width: int) -> list[str]:
    """Markdown as lines for the screen, without blank lines around them."""
    printer = console(terminal, width=width)
    with printer.capture() as captured:
        printer.print(_Document(source))
    # `&#x202e;` becomes the character only here
    lines = printed_lines(captured.get().translate(BIDIRECTIONAL))
    full = [at for at, line in enumerate(lines) if SGR.sub("", line)]
    return lines[full[0] : full[-1] + 1] if full else []


class _Heading(Heading):
    """At the left edge; without colour, under the marks it was written with."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        marks = "" if console.color_system else "#" * int(self.tag[1:]) + " "
        yield Text.assemble(marks, self.text)


class _Code(CodeBlock):
    """Between its fences and without padding, so that it can be copied from the screen as it is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        language = "" if self.lexer_name == "text" else self.lexer_name
        yield Text(f"```{language}", style="dim")
        yield Syntax(
            str(self.text).rstrip("\n"), self.lexer_name, theme="ansi_dark", background_color="default", word_wrap=True
        )
        yield Text("```", style="dim")


class _List(ListElement):
    """Numbers are set for two digits at once: the items are drawn one by one, before anyone knows how many will come."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.list_type == "bullet_list_open":
            yield from super().__rich_console__(console, options)
            return
        first = self.list_start or 1
        last = max(99, first + len(self.items))
        for number, item in enumerate(self.items, first):
            yield from item.render_number(console, options, number, last)


class _Document(Markdown):
    """rich's Markdown with the parser the blocks are cut with."""

    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "ordered_list_open": _List,
        "bullet_list_open": _List,
    }

    def __init__(self, source: str) -> None:
        # links as `text (address)`: the address behind a link that a model wrote is to be seen
        super().__init__("", hyperlinks=False)
        self.parsed = PARSER.parse(source)
        for token in self.parsed:
            token.children = token.children and list(_said_once(token.children))


def _said_once(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens of a line, where a link whose text is its address is only that text."""
    rest = iter(enumerate(tokens))
    for at, token in rest:
        link = [inner.type for inner in tokens[at : at + 3]] == ["link_open", "text", "link_close"]
        if link and tokens[at + 1].content == token.attrs["href"]:
            yield tokens[at + 1]
            next(rest)
            next(rest)
        else:
            yield token
