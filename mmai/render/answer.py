"""A model's answer on standard output, as it arrives: as Markdown or as it is."""

from mmai.clock import Clock
from mmai.render.terminal import Terminal
from mmai.render.writer import AnswerWriter, PlainWriter


def open_answer(terminal: Terminal, *, raw: bool, clock: Clock) -> AnswerWriter:
    """Markdown where the screen can redraw it and `raw` is not asked for, otherwise plain text.

    Open it when the first text is there: Markdown costs 60 ms of imports, which nobody notices while a model thinks.
    """
    if terminal.live and not raw:
        # pipes and files, the scripts' path, must not pay for rich
        from mmai.render.rich_answer import MarkdownWriter  # noqa: PLC0415

        return MarkdownWriter(terminal, clock=clock)
    return PlainWriter(terminal)
