"""Places in text that a request fills in: `{prompt}`, `{options.top_k}`. `{{` and `}}` are braces."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mmai.errors import UsageError

FILES = ("image", "audio")
"""The attached file itself; each is a whole body, or a field of a form."""

TUNING = ("temperature", "max_tokens", "stop", "seed", "think", "keep_alive")
"""Fields of `Options`."""

NAMES = (
    "prompt", "system", "messages", "model", *TUNING, "schema", "image_base64", "image_type", "audio_base64", "audio_type", *FILES,
)  # fmt: skip

OPTION = "options."
"""What stands before the key of an `-O`."""

_PIECE = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|[{}]")


class Place(Struct, frozen=True):
    """Where a value goes."""

    name: str


def pieces(text: str) -> tuple[str | Place, ...]:
    """`text` cut into what stands there, with its braces made single, and its places.

    Raises:
        UsageError: a brace without its partner, or a place nothing is known for.
    """
    found: list[str | Place] = []
    end = 0
    for match in _PIECE.finditer(text):
        found.append(text[end : match.start()])
        end = match.end()
        brace, name = match.groups()
        if brace is None and name is None:
            raise UsageError(f"`{match[0]}` stands alone in `{text}`; a brace that is meant is written `{match[0] * 2}`")
        if name is not None and not is_placeholder(name):
            raise UsageError(f"`{match[0]}` is not a placeholder; {_near(name)}")
        found.append(brace[0] if brace else Place(name))
    return tuple(piece for piece in (*found, text[end:]) if piece)


def is_placeholder(name: str) -> bool:
    """Whether a request can have a value of this name."""
    return name in NAMES or (name.startswith(OPTION) and len(name) > len(OPTION))


def places(template: Any) -> Iterator[str]:
    """The names of every place in the strings of a JSON value, in order."""
    match template:
        case str():
            yield from (piece.name for piece in pieces(template) if isinstance(piece, Place))
        case list():
            for item in template:
                yield from places(item)
        case dict():
            for item in template.values():
                yield from places(item)


def _near(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 4 ms, and only a mistake needs it

    near = get_close_matches(name, NAMES, n=1)
    every = ", ".join(f"`{{{each}}}`" for each in NAMES)
    return f"`{{{near[0]}}}` is" if near else f"those are {every} and `{{options.KEY}}`, and `{{{{` is a brace"
