"""The models under some folders: which there are, under which names, and what their files say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.coreml.bundles import Bundle, find_bundles
from mmai.backends.coreml.files import format_of, read_package
from mmai.backends.coreml.naming import distinct, near_names, reference
from mmai.backends.coreml.roles import find_roles
from mmai.backends.coreml.setup import Setup
from mmai.backends.coreml.walk import Walk
from mmai.errors import CannotRun, MmaiError, UnknownModel
from mmai.paths import meant
from mmai.values.health import Health
from mmai.values.model import ModelCard
from mmai.values.package import Package


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
            if place.name == normalize("NFC", name):
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
            if outside is None or not _is_there(outside):
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
        """Whether the folders are there that somebody named, and whether all that lies in them may be looked at.

        One of them that is not hinders nobody while there are models elsewhere.
        """
        walk = Walk()
        places = self._places(walk)
        named = self._setup.directories if self._setup.named else ()
        lacking = [f"the folder `{directory}` {problem}" for directory in named if (problem := _problem(directory))]
        lacking += [f"the folder `{folder}` may not be read" for folder in walk.denied if folder in self._setup.directories]
        if lacking:
            return Health(state="healthy" if places else "failing", reason=lacking[0])
        if walk.denied or walk.stopped:
            return Health(state="healthy", reason=walk.left_out)
        if self._setup.named and not places:
            return Health(state="healthy", reason=f"no models under {self._where}")
        return Health(state="healthy")

    def _places(self, walk: Walk | None = None) -> list[_Place]:
        """Models the settings name one by one, under those names; then what the folders hold, in the order of the path."""
        walk = walk or Walk()
        named = [_Place(name=reference(name), path=path) for name, path in self._setup.files.items()]
        taken = {place.path for place in named}
        listings = [paths for directory in self._setup.directories for paths in walk.folders(directory)]
        lying = [place for paths in listings for place in _lying(paths) if place.path not in taken]
        unique = list({place.path: place for place in lying}.values())
        names = distinct([(place.name, place.path) for place in unique], {place.name for place in named})
        lying = [replace(place, name=name) for place, name in zip(unique, names, strict=True)]
        return sorted([*named, *lying], key=lambda place: place.name.lower())

    def _unknown(self, name: str, provider: str, names: Sequence[str]) -> str:
        near = near_names(name, names)
        if near:
            return f"there is no `{provider}:{name}`; near it are {', '.join(f'`{provider}:{each}`' for each in near)}"
        return f"there is no `{provider}:{name}`: looked in {self._where}"

    @property
    def _where(self) -> str:
        return ", ".join(f"`{directory}`" for directory in self._setup.directories) or "no folder"


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
    try:
        path = meant(name, folder=Path.cwd())
    except OSError:  # the folder was deleted meanwhile
        return None
    return path if _is_there(path) else None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return False


def _problem(directory: Path) -> str | None:
    """Why a folder that somebody named is none."""
    try:
        if directory.is_dir():
            return None
        return "is a file" if directory.exists() else "does not exist"
    except OSError as exc:
        return f"cannot be reached: {exc.strerror or exc}"


def _lying(paths: Sequence[Path]) -> Iterator[_Place]:
    """The models of one folder."""
    bundles = find_bundles(paths)
    parts = {part for bundle in bundles for part in bundle.files}
    yield from (_Place(name=reference(bundle.name), path=bundle.first, bundle=bundle) for bundle in bundles)
    yield from (_Place(name=reference(path.stem), path=path) for path in paths if format_of(path) and path not in parts)
