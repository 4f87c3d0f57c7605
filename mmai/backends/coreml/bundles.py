"""Several packages that are one model: a speech model's front end, encoder and decoder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.backends.coreml.files import format_of
from mmai.backends.coreml.roles import find_roles
from mmai.backends.coreml.sidecar import SUFFIX, read_sidecar
from mmai.errors import CannotRun
from mmai.values.package import AudioPreparation, Package, Roles

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
        """The package that stands for all."""
        return next(self.parts[role] for role in (*ORDER, *self.parts) if role in self.parts)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its packages."""
        return tuple(self.parts.values())

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
            decoder=roles.decoder or "encoder_decoder",
            audio=roles.audio or AudioPreparation(),
            tokenizer=tokenizer,
        )


def find_bundles(paths: Sequence[Path]) -> list[Bundle]:
    """The bundles among what lies in one folder: those with a sidecar of their own, then encoders with their decoders."""
    stems = {path.stem for path in paths if format_of(path)} | {path.name for path in paths if format_of(path)}
    noted = [
        bundle
        for path in paths
        if path.name.endswith(SUFFIX) and path.name.removesuffix(SUFFIX) not in stems
        if (bundle := _noted(path)) is not None
    ]
    taken = {part for bundle in noted for part in bundle.files}
    return [*noted, *_pairs([path for path in paths if format_of(path) and path not in taken])]


def _noted(sidecar: Path) -> Bundle | None:
    try:
        said = read_sidecar(sidecar).said.get("parts")
    except CannotRun:
        return None
    if not isinstance(said, dict) or not said:
        return None
    parts = {str(role): (sidecar.parent / Path(str(file)).expanduser()).absolute() for role, file in said.items()}
    return Bundle(name=sidecar.name.removesuffix(SUFFIX), parts=parts, sidecar=sidecar)


def _pairs(packages: Sequence[Path]) -> Iterator[Bundle]:
    """Packages of one format whose names differ in nothing but their part; alone in their folder they are called as it is."""
    groups: dict[tuple[str, str], dict[str, Path]] = {}
    for path in packages:
        role = next((role for role, pattern in PARTS if pattern.search(path.stem)), None)
        if role is not None:
            groups.setdefault((path.suffix, _common(path.stem)), {}).setdefault(role, path)
    for (_, common), parts in groups.items():
        if "encoder" in parts and "decoder" in parts:
            yield Bundle(name=common or parts["encoder"].parent.name, parts=parts)


def _common(stem: str) -> str:
    """A name without its part: `whisper-tiny-encoder` is `whisper-tiny`, `AudioEncoder` is nothing."""
    rest = re.sub(r"(audio|text)?[_-]?(encoder|decoder)|mel[_-]?spectrogram", "", stem, flags=re.IGNORECASE)
    return re.sub(r"[_.-]{2,}", "-", rest).strip("-_.")


def _tokenizer(package: Path) -> str | None:
    path = package.with_name("tokenizer.json")
    return str(path) if path.is_file() else None
