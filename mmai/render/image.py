"""A picture in the terminal itself, where that can show one."""

import binascii
from collections.abc import Mapping
from enum import Enum, auto

from mmai.render.terminal import Terminal

WIDEST_COLUMNS = 60
KITTY_CHUNK = 4096
"""Most characters of base64 in one sequence."""


class Protocol(Enum):
    """How pictures travel among the text."""

    KITTY = auto()
    """Source: kitty, "Terminal graphics protocol". It takes PNG."""
    ITERM2 = auto()
    """Source: iTerm2, "Inline Images Protocol". It takes what the system can show."""


def protocol(terminal: Terminal, *, env: Mapping[str, str]) -> Protocol | None:
    """What a screen understands, as far as the environment tells; None within tmux and screen, which keep pictures back."""
    term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    if not terminal.live or env.get("TMUX") or env.get("STY") or term.startswith(("tmux", "screen")):
        return None
    if term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty" or (env.get("KITTY_WINDOW_ID") and not program):
        return Protocol.KITTY
    if program in ("iTerm.app", "WezTerm") or env.get("LC_TERMINAL") == "iTerm2":
        return Protocol.ITERM2
    return None


def picture(data: bytes, media_type: str, terminal: Terminal, *, env: Mapping[str, str]) -> str | None:
    """What to write to show an encoded image on a line of its own; None where it cannot be shown."""
    columns = min(terminal.size()[0], WIDEST_COLUMNS)
    encoded = binascii.b2a_base64(data, newline=False).decode()
    match protocol(terminal, env=env):
        case Protocol.KITTY if media_type == "image/png":
            return f"{_kitty(encoded, columns)}\n"
        case Protocol.ITERM2 if media_type.startswith("image/"):
            return f"\x1b]1337;File=inline=1;size={len(data)};width={columns};preserveAspectRatio=1:{encoded}\x07\n"
        case _:
            return None


def _kitty(encoded: str, columns: int) -> str:
    pieces = [encoded[at : at + KITTY_CHUNK] for at in range(0, len(encoded), KITTY_CHUNK)]
    # a=T shows it at once, f=100 is PNG, and q=2 forbids answers, which would stand in somebody's next prompt.
    keys = [f"a=T,f=100,q=2,c={columns},"] + [""] * (len(pieces) - 1)
    last = len(pieces) - 1
    return "".join(
        f"\x1b_G{key}m={int(number < last)};{piece}\x1b\\" for number, (key, piece) in enumerate(zip(keys, pieces, strict=True))
    )
