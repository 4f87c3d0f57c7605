"""Markdown that grows on a screen ends as if it had been there at once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mmai.render.answer import open_answer
from mmai.render.blocks import Blocks

DOCUMENT = """\
# Heading

Some **bold** text with `code` and a [link](https://example.org/path), wrapped where the screen ends, 日本語の文章も折り返す必要があります。

1. first
2. second <div>
   - nested
3. third

```python
def f() -> str:
    return "x"
```

| a | b |
|---|--:|
| one | 1 |

> quoted

<https://example.org>
"""

SNIPPETS = st.lists(
    st.sampled_from(
        ["# head\n", "para ", "**bo", "ld** ", "\n", "\n\n", "- item\n", "1. one\n", "  - nested\n", "```py\n", "x = 1\n", "```\n",
         "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "> quote\n", "---\n", "<div>\n", "`", "日本語", "===\n", "    code\n", "&#x202e;", "\t",
         "[a](b)", "![a](b)", "[x]: /y\n", "* * *\n", "\x1b[2J"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def shown(screen: Any, pieces: list[str], clock: Any) -> list[str]:
    with open_answer(screen.terminal, raw=False, clock=clock) as answer:
        for piece in pieces:
            answer.write(piece)
    lines: list[str] = screen.lines
    return lines


def test_a_document_on_a_screen_without_colour(a_screen: Any, clock: Any) -> None:
    screen = a_screen(columns=60)
    shown(screen, list(DOCUMENT), clock)
    assert screen.text == snapshot("""\
# Heading

Some bold text with code and a link
(https://example.org/path), wrapped where the screen ends,
日本語の文章も折り返す必要があります。

  1 first
  2 second <div>
     • nested
  3 third

```python
def f() -> str:
    return "x"
```

 a    b
 ──────
 one  1

▌ quoted

https://example.org
""")


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("step", [1, 3, 7, 50])
def test_cutting_elsewhere_shows_the_same(step: int, color: bool, a_screen: Any, clock: Any) -> None:
    pieces = [DOCUMENT[at : at + step] for at in range(0, len(DOCUMENT), step)]
    screen, at_once = a_screen(columns=60, color=color), a_screen(columns=60, color=color)
    assert shown(screen, pieces, clock) == shown(at_once, [DOCUMENT], clock)


@settings(max_examples=60, deadline=None)
@given(SNIPPETS, st.integers(1, 9))
def test_any_markdown_in_any_pieces_shows_the_same(a_screen: Any, a_clock: Any, text: str, step: int) -> None:
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    assert shown(a_screen(columns=30), pieces, a_clock()) == shown(a_screen(columns=30), [text], a_clock())


@given(SNIPPETS, st.integers(1, 9))
def test_blocks_lose_nothing(text: str, step: int) -> None:
    blocks = Blocks()
    given_out = [block for at in range(0, len(text), step) for block in blocks.feed(text[at : at + step])]
    given_out += blocks.finish()
    assert "".join("".join(block.source for block in given_out).split()) == "".join(text.split())


def test_a_block_taller_than_the_screen_is_whole_in_the_scrollback(a_screen: Any, clock: Any) -> None:
    code = "".join(f"line {number}\n" for number in range(100))
    lines = shown(a_screen(), ["```\n", *code.splitlines(keepends=True), "```\n", "after"], clock)
    assert lines == ["```", *code.splitlines(), "```", "", "after", ""]


def test_a_finished_block_is_never_drawn_again(a_screen: Any, clock: Any) -> None:
    screen = a_screen()
    shown(screen, ["first paragraph\n\nsecond\n\n", *"and a third one, a letter at a time"], clock)
    assert screen.raw.count("first paragraph") == 1


def test_a_long_wait_between_drawings_loses_nothing(a_screen: Any, a_clock: Any) -> None:
    class Slow(a_clock):  # type: ignore[misc]
        seconds: float

        def monotonic(self) -> float:
            self.seconds += 1  # each drawing takes a second, so most pieces come while it is too soon for another
            return self.seconds

    screen = a_screen()
    assert shown(screen, list("one two three"), Slow()) == ["one two three", ""]
    assert screen.raw.count("\r") < 5


def test_control_sequences_cut_in_two_are_dropped(a_screen: Any, clock: Any) -> None:
    screen = a_screen()
    shown(screen, ["a\x1b", "]0;ti", "tle\x07b"], clock)
    assert screen.lines == ["ab", ""]


def test_entities_cannot_smuggle_control_characters_in(a_screen: Any, clock: Any) -> None:
    screen = a_screen()
    shown(screen, ["a&#27;[2J b&#x9b;c d&#x202e;e"], clock)
    assert not set(screen.raw) & set("\x1b\x9b\u202e")


@pytest.mark.parametrize("reason", [KeyboardInterrupt, RuntimeError])
def test_what_came_before_an_interruption_stays(reason: type[BaseException], a_screen: Any, clock: Any) -> None:
    screen = a_screen()
    with pytest.raises(reason), open_answer(screen.terminal, raw=False, clock=clock) as answer:
        answer.write("half an\n\nans")
        raise reason
    assert screen.lines == ["half an", "", "ans", ""]
    assert "\x1b[?" not in screen.raw, "no mode is set, so none has to be restored"


def test_code_is_coloured_and_keeps_its_text(a_screen: Any, clock: Any) -> None:
    screen = a_screen(color=True)
    assert shown(screen, ["```python\nif x:\n    return 1\n```\n"], clock) == ["```python", "if x:", "    return 1", "```", ""]
    assert "\x1b[" in screen.raw
