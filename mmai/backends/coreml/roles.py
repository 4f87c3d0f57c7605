"""Which input is what: noted beside the model, noted within it, or proposed; the first has the last word on every key."""

from pathlib import Path

from mmai.backends.coreml.proposal import propose
from mmai.backends.coreml.sidecar import applied, read_own, read_sidecar, sidecar_of
from mmai.values.package import Package, Roles


def find_roles(package: Package, *, sidecar: Path | None = None) -> Roles:
    """The roles of a model; of a bundle with its own notes in `sidecar`.

    Raises:
        CannotRun: what somebody noted does not fit.
    """
    path = Path(package.path)
    roles = applied(propose(package), read_own(package.metadata, path))
    beside = sidecar or sidecar_of(path)
    return roles if beside is None else applied(roles, read_sidecar(beside))
