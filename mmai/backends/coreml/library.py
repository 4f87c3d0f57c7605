"""The models under some folders: which there are, under which names, and what their files say."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.coreml.bundles import Bundle, find_bundles
from mmai.backends.coreml.files import format_of, read_package
from mmai.backends.coreml.roles import find_roles
from mmai.backends.coreml.setup import Setup
from mmai.backends.coreml.wording import listed
from mmai.errors import CannotRun, MmaiError, UnknownModel
from mmai.values.health import Health
from mmai.values.model import ModelCard
from mmai.values.package import Package

MAX_DEPTH = 12
"""Folders within folders; deeper lies no collection of models."""


class Found(Struct, frozen=True, kw_only=True):
    """A model that is there, whether or not it can be read."""

    name: str
    path: Path
    package: Package | None = None
    problem: str | None = None
    """Why there is no package, or why it cannot be run; one sentence."""


class _Place(Struct, frozen=True, kw_only=True):
    """Where a model lies, before any of it is read."""

    name: str
    path: Path
    bundle: Bundle | None = None


class Library:
    """What `setup` says is there. Nothing is read before something is asked, and nothing is kept."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def scan(self) -> list[Found]:
        """Every model, in the order of its name."""
        return [_read(place) for place in self._places()]

    def find(self, name: str, *, provider: str) -> Found:
        """A model by its name, or by the path of one that is there. Only this one is read.

        Raises:
            UnknownModel: there is none.
        """
        places = self._places()
        for place in places:
            if place.name == name:
                return _read(place)
        if (path := _path_of(name)) is not None:
            return _read(next((place for place in places if place.path == path), _Place(name=name, path=path)), name=name)
        raise UnknownModel(self._unknown(name, provider, [place.name for place in places]), hint=f"mmai discover {provider}")

    def read(self, card: ModelCard) -> Package:
        """All that the files of a model say now, with its roles.

        Raises:
            UnknownModel: it is gone.
            CannotRun: it cannot be read.
        """
        path = card.package.path if card.package else None
        place = next((place for place in self._places() if place.name == card.name or str(place.path) == path), None)
        if place is None:
            outside = Path(path) if path else _path_of(card.name)
            if outside is None or not outside.exists():
                raise UnknownModel(
                    f"`{card.ref}` is gone: there is no `{path or card.name}`", hint=f"mmai discover {card.provider}"
                )
            place = _Place(name=card.name, path=outside)
        return _package(place)

    def read_path(self, path: Path) -> Package:
        """The same for a part of a bundle, by where it lies.

        Raises:
            CannotRun: it cannot be read.
        """
        return _package(_Place(name=path.stem, path=path))

    def health(self) -> Health:
        """Whether the folders are there that somebody named."""
        for directory in self._setup.directories:
            if self._setup.named and not directory.is_dir():
                what = "is a file" if directory.exists() else "does not exist"
                return Health(state="failing", reason=f"the folder `{directory}` {what}")
            if directory.is_dir() and not os.access(directory, os.R_OK | os.X_OK):
                return Health(state="failing", reason=f"the folder `{directory}` may not be read")
        if self._setup.named and not self._places():
            return Health(state="healthy", reason=f"no models under {self._where}")
        return Health(state="healthy")

    def _places(self) -> list[_Place]:
        """Models the settings name one by one, under those names; then what the folders hold, in the order of the path."""
        named = [_Place(name=_reference(name), path=path) for name, path in self._setup.files.items()]
        taken = {place.path for place in named}
        lying = [place for directory in self._setup.directories for place in _walk(directory) if place.path not in taken]
        unique = list({place.path: place for place in lying}.values())
        return sorted([*named, *_distinct(unique, {place.name for place in named})], key=lambda place: place.name.lower())

    def _unknown(self, name: str, provider: str, names: Sequence[str]) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - only ever needed here

        near = get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            return f"there is no `{provider}:{name}`; near it are {', '.join(f'`{provider}:{each}`' for each in near)}"
        return f"there is no `{provider}:{name}`: looked in {self._where}"

    @property
    def _where(self) -> str:
        return listed(map(str, self._setup.directories))


def _read(place: _Place, *, name: str | None = None) -> Found:
    try:
        return Found(name=name or place.name, path=place.path, package=_package(place))
    except MmaiError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Found(name=name or place.name, path=place.path, problem=f"{error.message}{hint}")


def _package(place: _Place) -> Package:
    _demand_text(place)
    if place.bundle is not None:
        place.bundle.demand_parts()
    package = read_package(place.path)
    roles = find_roles(package) if place.bundle is None else place.bundle.roles(package)
    return replace(package, roles=roles)


def _demand_text(place: _Place) -> None:
    """Neither a setting, the registry nor JSON can hold a name that is no text."""
    for path in (place.path, *(place.bundle.files if place.bundle else ())):
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        if shown != str(path):
            raise CannotRun(f"the name of `{shown}` is no UTF-8")


def _path_of(name: str) -> Path | None:
    """A name that is the path of a model, relative to where the command was typed."""
    if format_of(Path(name)) is None:
        return None
    path = Path(name).expanduser().absolute()
    return path if path.exists() else None


def _walk(directory: Path, *, depth: int = 0) -> Iterator[_Place]:
    """The models of a folder and of those within it. Packages are folders too, and not looked into; links to folders neither."""
    try:
        with os.scandir(directory) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    paths = [Path(entry.path) for entry in entries if not entry.name.startswith(".")]
    bundles = find_bundles(paths)
    parts = {part for bundle in bundles for part in bundle.files}
    yield from (_Place(name=_reference(bundle.name), path=bundle.first, bundle=bundle) for bundle in bundles)
    for path, entry in ((Path(entry.path), entry) for entry in entries if not entry.name.startswith(".")):
        if format_of(path) is not None:
            if path not in parts:
                yield _Place(name=_reference(path.stem), path=path)
        elif depth < MAX_DEPTH and entry.is_dir(follow_symlinks=False):
            yield from _walk(path, depth=depth + 1)


def _reference(stem: str) -> str:
    """A file's name as a model may be called: white space and control characters become `-`."""
    return re.sub(r"[^\w.@+()\[\]{}~,=&#/-]+", "-", stem).strip("-") or "model"


def _distinct(places: Sequence[_Place], taken: set[str]) -> list[_Place]:
    """Models of one name get that of their folder before it, as in `fp16/FastViT`; where that is not enough, their format after
    it, as in `FastViT.mlmodelc`; and in the end a number.
    """
    named = _renamed([*places], taken, lambda place: f"{_reference(place.path.parent.name)}/{place.name}")
    named = _renamed(named, taken, lambda place: f"{place.name}{place.path.suffix}")
    seen = set(taken)
    for at, place in enumerate(named):
        numbered = (f"{place.name}-{number}" for number in count(2))
        name = place.name if place.name not in seen else next(name for name in numbered if name not in seen)
        seen.add(name)
        named[at] = replace(place, name=name)
    return named


def _renamed(places: list[_Place], taken: set[str], name: Callable[[_Place], str]) -> list[_Place]:
    counts = Counter([*(place.name for place in places), *taken])
    return [replace(place, name=name(place)) if counts[place.name] > 1 else place for place in places]
