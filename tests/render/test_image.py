"""Pictures among text: which screens are sent them, and in which sequences."""

import base64
import io
import re

import pytest

from mmai.render.image import KITTY_CHUNK, picture
from mmai.render.terminal import Terminal, terminal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_screen(env: dict[str, str], *, columns: int = 80) -> Terminal:
    return terminal(_Tty(), env={"TERM": "xterm-256color", "COLUMNS": str(columns), **env}, no_color=False)


def shown(env: dict[str, str], data: bytes = PNG, media_type: str = "image/png", *, columns: int = 80) -> str | None:
    return picture(data, media_type, a_screen(env, columns=columns), env={"TERM": "xterm-256color", **env})


KITTY = {"TERM": "xterm-kitty"}
ITERM2 = {"TERM_PROGRAM": "iTerm.app"}


@pytest.mark.parametrize(
    "env",
    [KITTY, {"TERM": "xterm-ghostty"}, {"TERM_PROGRAM": "ghostty"}, {"KITTY_WINDOW_ID": "1"}],
    ids=["kitty", "ghostty", "ghostty by program", "kitty by window"],
)
def test_kitty_and_its_like_get_graphics_commands(env: dict[str, str]) -> None:
    assert (shown(env) or "").startswith("\x1b_Ga=T,f=100,q=2,")


@pytest.mark.parametrize(
    "env",
    [ITERM2, {"TERM_PROGRAM": "WezTerm"}, {"LC_TERMINAL": "iTerm2"}],
    ids=["iTerm2", "WezTerm", "iTerm2 behind ssh"],
)
def test_iterm2_and_its_like_get_inline_files(env: dict[str, str]) -> None:
    assert (shown(env) or "").startswith("\x1b]1337;File=inline=1;")


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"TERM_PROGRAM": "Apple_Terminal"},
        {"KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"},
        {**KITTY, "TMUX": "/tmp/tmux-1000/default,1,0"},
        {**ITERM2, "TERM": "tmux-256color"},
        {**ITERM2, "TERM": "screen"},
        {**ITERM2, "STY": "1.pts-0"},
        {**ITERM2, "TERM": "dumb"},
    ],
    ids=["unknown", "Terminal.app", "started from kitty", "tmux", "tmux by name", "screen by name", "screen", "dumb"],
)
def test_every_other_screen_gets_nothing(env: dict[str, str]) -> None:
    assert shown(env) is None


def test_a_pipe_gets_nothing() -> None:
    assert picture(PNG, "image/png", terminal(io.StringIO(), env=KITTY, no_color=False), env=KITTY) is None


def test_kittys_pieces_make_up_the_picture_and_say_when_they_end() -> None:
    commands = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", shown(KITTY) or "")
    assert base64.b64decode("".join(piece for _, piece in commands)) == PNG
    assert all(len(piece) <= KITTY_CHUNK for _, piece in commands)
    assert [keys.rpartition("m=")[2] for keys, _ in commands] == ["1"] * (len(commands) - 1) + ["0"]
    assert len(commands) > 2


def test_a_small_picture_is_one_command() -> None:
    assert shown(KITTY, b"\x89PNG") == "\x1b_Ga=T,f=100,q=2,c=60,m=0;iVBORw==\x1b\\\n"


def test_an_inline_file_carries_its_size_and_itself() -> None:
    assert shown(ITERM2, b"\x89PNG") == "\x1b]1337;File=inline=1;size=4;width=60;preserveAspectRatio=1:iVBORw==\x07\n"


def test_a_picture_is_no_wider_than_the_screen() -> None:
    assert ",c=40," in (shown(KITTY, columns=40) or "")
    assert ";width=40;" in (shown(ITERM2, columns=40) or "")


def test_kitty_takes_png_alone_and_nobody_takes_sound() -> None:
    assert shown(KITTY, media_type="image/webp") is None
    assert shown(ITERM2, media_type="image/webp") is not None
    assert shown(ITERM2, media_type="audio/mpeg") is None
