"""What models in files are called, and which names are near one that nobody has."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

MOST_FOLDERS = 4
"""Of those a model lies in, in its name."""


def reference(stem: str) -> str:
    """A file's name as a model may be called: white space, control characters and `:` become `-`.

    Letters with marks are one character each, whichever way the file system writes them, so that they can be typed.
    """
    return re.sub(r"[^\w.@+()\[\]{}~,=&#/-]+", "-", unicodedata.normalize("NFC", stem)).strip("-") or "model"


def distinct(named: Sequence[tuple[str, Path]], taken: set[str]) -> list[str]:
    """Names that nobody else has.

    Models of one name in one folder get their format after it, as in `FastViT.mlmodelc`. In several folders they get as many of
    those before it as tell them apart, as in `fp16/FastViT`. Where that is not enough, all but the first get a number.
    """
    beside = Counter((name, path.parent) for name, path in named)
    names = [f"{name}{path.suffix}" if beside[name, path.parent] > 1 else name for name, path in named]
    paths = [path for _, path in named]
    for folders in range(1, MOST_FOLDERS + 1):
        counts = Counter([*names, *taken])
        names = [_below(path, name, folders) if counts[name] > 1 else name for name, path in zip(names, paths, strict=True)]
    return _numbered(names, taken)


def _below(path: Path, name: str, folders: int) -> str:
    """One more of its folders before a name that has `folders` less one of them."""
    return f"{reference(path.parents[folders - 1].name)}/{name}" if len(path.parents) > folders else name


def _numbered(names: Sequence[str], taken: set[str]) -> list[str]:
    found: list[str] = []
    seen = set(taken)
    for name in names:
        numbered = (f"{name}-{number}" for number in count(2))
        found.append(name if name not in seen else next(each for each in numbered if each not in seen))
        seen.add(found[-1])
    return found


def near_names(name: str, names: Sequence[str]) -> list[str]:
    """Those that somebody may have meant, at most three: of the same file name, or nearly the same."""
    from difflib import get_close_matches  # noqa: PLC0415 - only ever needed here

    same = [each for each in names if _file(each) == _file(name)]
    small = {each.lower(): each for each in names}
    near = [small[each] for each in get_close_matches(name.lower(), small, n=3, cutoff=0.5)]
    return list(dict.fromkeys([*same, *near]))[:3]


def _file(name: str) -> str:
    """Without folders and format, in small letters."""
    return re.sub(r"\.(mlpackage|mlmodelc?)$", "", name.lower().rpartition("/")[2])
