"""Which input is what: noted beside the model, noted within it, or proposed; the first has the last word on every key."""

from pathlib import Path

from mmai.backends.coreml.noted import applied
from mmai.backends.coreml.notes import Notes, nearest, read_own, read_sidecar, sidecar_of
from mmai.backends.coreml.proposal import propose
from mmai.errors import CannotRun
from mmai.values.package import Package, Roles


def find_roles(package: Package, *, sidecar: Path | None = None) -> Roles:
    """The roles of a model; of a bundle with its own notes in `sidecar`.

    Raises:
        CannotRun: what somebody noted does not fit, or names an input or output that is not there.
    """
    path = Path(package.path)
    beside = sidecar or sidecar_of(path)
    notes = [read_own(package.metadata, path), *([read_sidecar(beside)] if beside else [])]
    roles = propose(package)
    for each in notes:
        roles = applied(roles, each)
        # Of a bundle an input may be another part's, which is not read here.
        if not roles.parts:
            _demand_features(package, roles, each)
    return roles


def _demand_features(package: Package, roles: Roles, notes: Notes) -> None:
    kinds = {
        "inputs": (roles.inputs, [feature.name for function in package.functions for feature in function.inputs]),
        "outputs": (roles.outputs, [feature.name for function in package.functions for feature in function.outputs]),
    }
    for key, (named, there) in kinds.items():
        for name in named.values():
            if key in notes.said and name not in there:
                raise CannotRun(f"{notes.at(key)}: the model has no {key.removesuffix('s')} `{name}`{nearest(name, there)}")
