"""One table in every form, on every width."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mmai.render.show import show
from mmai.render.table import Cell, Column, Table, Value
from mmai.values.output import Output

MODELS = Table(
    columns=(
        Column("model"),
        Column("where", drop=2),
        Column("size_bytes", "size", justify="right", drop=1),
        Column("note", wrap=True),
    ),
    rows=(
        ("ollama:qwen3:8b", "this machine", Cell(5_200_000_000, "5.2 GB"), "fast enough, and it thinks before it answers"),
        ("openai:gpt-5.6-luna", "cloud", None, Cell("hosted", style="good")),
    ),
    caption="two models",
    notes=("1 excluded",),
)


def test_a_pipe_gets_whole_cells_without_colour(pipe: Any) -> None:
    show(MODELS, Output.TABLE, pipe.terminal)
    assert pipe.text == snapshot("""\
two models

model                where           size  note
-------------------  ------------  ------  --------------------------------------------
ollama:qwen3:8b      this machine  5.2 GB  fast enough, and it thinks before it answers
openai:gpt-5.6-luna  cloud              –  hosted

1 excluded
""")


def test_plain_is_rows_and_nothing_else(pipe: Any) -> None:
    show(MODELS, Output.PLAIN, pipe.terminal)
    assert pipe.text == snapshot("""\
model                where           size  note
ollama:qwen3:8b      this machine  5.2 GB  fast enough, and it thinks before it answers
openai:gpt-5.6-luna  cloud              –  hosted
""")


def test_markdown_escapes_what_would_end_a_cell(pipe: Any) -> None:
    show(Table(columns=(Column("a|b"),), rows=(("c|d",),)), Output.MD, pipe.terminal)
    assert pipe.text == snapshot("""\
| a\\|b   |
|--------|
| c\\|d   |
""")


def test_csv_has_raw_values_and_nothing_for_unknown(pipe: Any) -> None:
    show(MODELS, Output.CSV, pipe.terminal)
    assert pipe.bytes == snapshot(b"""\
model,where,size_bytes,note\r
ollama:qwen3:8b,this machine,5200000000,"fast enough, and it thinks before it answers"\r
openai:gpt-5.6-luna,cloud,,hosted\r
""")


def test_a_screen_of_80_columns(a_screen: Any) -> None:
    screen = a_screen()
    show(MODELS, Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
two models

model                where           size  note
────────────────────────────────────────────────────────────────────────────────
ollama:qwen3:8b      this machine  5.2 GB  fast enough, and it thinks before it
                                           answers
openai:gpt-5.6-luna  cloud              –  hosted

1 excluded
""")
    assert "\x1b" not in screen.raw


def test_a_narrow_screen_loses_columns_by_importance_and_says_so(a_screen: Any) -> None:
    screen = a_screen(columns=46)
    show(MODELS, Output.TABLE, screen.terminal)
    assert screen.text == snapshot("""\
two models

model                note
──────────────────────────────────────────────
ollama:qwen3:8b      fast enough, and it
                     thinks before it answers
openai:gpt-5.6-luna  hosted

1 excluded
too narrow for where, size; `-o plain` shows
them
""")


@pytest.mark.parametrize("columns", [10, 24, 40, 60, 80, 200])
def test_a_reference_is_never_cut(columns: int, a_screen: Any) -> None:
    reference = "ollama:hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M"
    screen = a_screen(columns=columns)
    show(Table(columns=(Column("model"), Column("size", drop=1)), rows=((reference, "2 GB"),)), Output.TABLE, screen.terminal)
    assert reference in "".join(line.split("  ")[0].strip() for line in screen.lines)


def test_a_screen_has_colour_where_allowed(a_screen: Any) -> None:
    screen = a_screen(color=True)
    show(MODELS, Output.TABLE, screen.terminal)
    assert "\x1b[32mhosted" in screen.raw


def test_no_color_takes_every_escape_sequence_away(a_screen: Any) -> None:
    screen = a_screen(color=True, env={"NO_COLOR": "1"})
    show(MODELS, Output.TABLE, screen.terminal)
    assert "\x1b" not in screen.raw


@pytest.mark.parametrize("output", [Output.TABLE, Output.PLAIN, Output.MD, Output.CSV])
def test_names_of_servers_can_neither_move_the_cursor_nor_add_rows(output: Output, pipe: Any, a_screen: Any) -> None:
    hostile = Table(columns=(Column("model"),), rows=(("evil\x1b[2J\x9b31m\nmodel\r",),), caption="a\x1b[1m", notes=("b\x07",))
    screen = a_screen()
    show(hostile, output, pipe.terminal)
    show(hostile, output, screen.terminal)
    for text in (pipe.text, screen.raw):
        assert "evil model" in text
        assert not set(text) & set("\x1b\x9b\x07")


def test_rich_markup_in_a_name_is_only_text(a_screen: Any) -> None:
    screen = a_screen(color=True)
    show(
        Table(columns=(Column("[bold]x"),), rows=(("[red]evil[/red] :smile:",),), notes=("[b]n",)),
        Output.TABLE,
        screen.terminal,
    )
    assert "[bold]x" in screen.raw
    assert "[red]evil[/red] :smile:" in screen.raw
    assert "[b]n" in screen.raw


@pytest.mark.parametrize("output", [Output.TABLE, Output.PLAIN, Output.MD, Output.CSV])
def test_no_rows_still_have_a_heading(output: Output, pipe: Any, a_screen: Any) -> None:
    screen = a_screen()
    for terminal in (pipe.terminal, screen.terminal):
        show(Table(columns=(Column("model"), Column("size", justify="right")), rows=()), output, terminal)
    assert "model" in pipe.text.split("\n")[0]
    assert "model" in screen.raw.split("\n")[0]


def test_numbers_are_not_rewritten(pipe: Any) -> None:
    show(Table(columns=(Column("a"),), rows=(("007",), (1.50,), ("1e5",))), Output.PLAIN, pipe.terminal)
    assert pipe.text == "a\n007\n1.5\n1e5\n"


PLAIN_TEXT = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
)


@given(st.lists(st.tuples(PLAIN_TEXT, st.integers() | st.none() | PLAIN_TEXT), max_size=5))
def test_csv_survives_the_round_trip(a_pipe: Any, rows: list[tuple[Value, Value]]) -> None:
    pipe = a_pipe()
    show(Table(columns=(Column("a"), Column("b")), rows=rows), Output.CSV, pipe.terminal)
    read = list(csv.reader(io.StringIO(pipe.text, newline=""), strict=True))
    assert read == [["a", "b"], *([str(a), "" if b is None else str(b)] for a, b in rows)]
