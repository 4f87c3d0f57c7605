"""Several packages that are one model: a speech model's front end, encoder and decoder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.coreml.files import format_of, read_package
from mmai.backends.coreml.notes import read_sidecar
from mmai.backends.coreml.proposal import propose
from mmai.backends.coreml.roles import find_roles
from mmai.errors import CannotRun
from mmai.paths import meant
from mmai.values.package import SIDECAR, AudioPreparation, Package, Roles

PARTS = (
    ("mel", re.compile(r"mel[_-]?spectrogram|^mel$", re.IGNORECASE)),
    ("encoder", re.compile(r"encoder", re.IGNORECASE)),
    ("decoder", re.compile(r"decoder(?!.*prefill)", re.IGNORECASE)),
)
"""Role to what the names of such packages hold. WhisperKit has MelSpectrogram, AudioEncoder and TextDecoder."""

ORDER = ("encoder", "decoder", "mel")
"""The part whose package stands for the bundle is the first there is of these."""


class Bundle(Struct, frozen=True, kw_only=True):
    """Packages that are run together."""

    name: str
    parts: dict[str, Path]
    """Role to package."""
    sidecar: Path | None = None

    @property
    def first(self) -> Path:
        """The package that stands for all; the notes, where there is none."""
        found = (self.parts[role] for role in (*ORDER, *self.parts) if role in self.parts)
        return next(found, self.sidecar or Path(self.name))

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its packages."""
        return tuple(self.parts.values())

    def demand_parts(self) -> None:
        """Raises `CannotRun` with what is wrong with notes that belong to no model."""
        if not self.parts and self.sidecar is not None:
            read_sidecar(self.sidecar)
            raise CannotRun(f"`{self.sidecar.name}` names no `parts`, and no model of its name lies beside it")

    def roles(self, package: Package) -> Roles:
        """The roles of the bundle, `package` being that of `first`.

        Raises:
            CannotRun: what somebody noted does not fit.
        """
        roles = find_roles(package, sidecar=self.sidecar)
        if "decoder" not in self.parts:
            return roles
        parts = {role: str(path) for role, path in self.parts.items()}
        tokenizer = roles.tokenizer or _tokenizer(self.first)
        # Of the encoder alone no proposal can see what it is part of.
        task = roles.task if self.sidecar and roles.task != "tensors" else "speech_transcription"
        return replace(
            roles,
            task=task,
            parts=parts,
            decoder="encoder_decoder",
            audio=roles.audio or AudioPreparation(),
            tokenizer=tokenizer,
        )


def find_bundles(paths: Sequence[Path]) -> list[Bundle]:
    """The bundles among what lies in one folder: those with notes of their own, then encoders with their decoders.

    Notes that belong to no model that is there are a bundle without parts, so that somebody hears of them.
    """
    models = [path for path in paths if format_of(path)]
    named = {name for path in models for name in (path.stem, path.name)}
    sidecars = {path.name.removesuffix(SIDECAR): path for path in paths if path.name.endswith(SIDECAR)}
    alone = {name: path for name, path in sidecars.items() if name not in named}
    noted = {name: parts for name, path in alone.items() if (parts := _noted(path))}
    taken = {part for parts in noted.values() for part in parts.values()}
    pairs = {pair.name: pair.parts for pair in _pairs([path for path in models if path not in taken])}
    lost = {name: dict[str, Path]() for name in alone if name not in noted and name not in pairs}
    return [Bundle(name=name, parts=parts, sidecar=alone.get(name)) for name, parts in (lost | pairs | noted).items()]


def _noted(sidecar: Path) -> dict[str, Path]:
    """The parts that notes name; none where they name none or cannot be read."""
    try:
        said = read_sidecar(sidecar).said.get("parts")
    except CannotRun:
        return {}
    if not isinstance(said, dict):
        return {}
    return {str(role): meant(str(file), folder=sidecar.parent) for role, file in said.items()}


def _pairs(packages: Sequence[Path]) -> Iterator[Bundle]:
    """Packages of one format whose names differ in nothing but their part; alone in their folder they are called as it is."""
    groups: dict[tuple[str, str], dict[str, Path]] = {}
    for path in packages:
        role = next((role for role, pattern in PARTS if pattern.search(path.stem)), None)
        if role is not None:
            groups.setdefault((path.suffix, _common(path.stem)), {}).setdefault(role, path)
    for (_, common), parts in groups.items():
        if "encoder" in parts and "decoder" in parts and _hears(parts["encoder"]):
            yield Bundle(name=common or parts["encoder"].parent.name, parts=parts)


def _hears(encoder: Path) -> bool:
    """Whether a recording goes in; image generators and translators have encoders and decoders too. One that cannot be read may."""
    try:
        inputs = propose(read_package(encoder)).inputs
    except CannotRun:
        return True
    return "mel" in inputs or "waveform" in inputs


def _common(stem: str) -> str:
    """A name without its part: `whisper-tiny-encoder` is `whisper-tiny`, `AudioEncoder` is nothing."""
    rest = re.sub(r"(audio|text)?[_-]?(encoder|decoder)|mel[_-]?spectrogram", "", stem, flags=re.IGNORECASE)
    return re.sub(r"[_.-]{2,}", "-", rest).strip("-_.")


def _tokenizer(package: Path) -> str | None:
    path = package.with_name("tokenizer.json")
    return str(path) if path.is_file() else None
