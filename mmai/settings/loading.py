"""The settings in force: built-in values, user file, project file and environment, merged key by key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mmai.errors import ConfigError, UsageError
from mmai.paths import Paths
from mmai.settings.environment import environment_layer
from mmai.settings.files import project_file, root_of, user_file
from mmai.settings.layers import Entry, FileSource, Layer, dotted, file_layer, remedy
from mmai.settings.providers import PROVIDERS, present
from mmai.settings.schema import (
    AlertSettings,
    BackendSettings,
    BalanceSettings,
    BudgetSettings,
    HotSwapSettings,
    MonitoringSettings,
    RegistrySettings,
    ResourceSettings,
    RunSettings,
    SelectionSettings,
    Settings,
    StandingConstraints,
)
from mmai.values.decision import Weights
from mmai.values.url import ollama_endpoint

POLICY = ("selection", "policy")
STRICTNESS = {"local": 1, "private": 2}
"""Of policies that keep prompts from other machines; the rest have none."""
NEARNESS = {"built-in": 0, "user": 1, "project": 2, "environment": 3}
"""Of sources to the command line."""

SERVICE_NEEDS = {
    "endpoints": "`endpoint`, which says where it is",
    "request": "`request`, which says how it is asked",
    "response": "`response`, which says where its answer is",
}


class Contents(Struct, frozen=True):
    """What files say: their values merged, the providers they name, and which files they are."""

    layer: Layer = {}
    providers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def under(self, above: "Contents") -> "Contents":
        """These, with `above` winning key by key."""
        return Contents(self.layer | above.layer, self.providers + above.providers, self.files + above.files)


def load(paths: Paths, *, env: Mapping[str, str], cwd: Path, thorough: bool = False) -> Settings:
    """Everything that is set, from the nearest `mmai.yaml` above `cwd` and the user's own file, under the environment.

    `thorough` also looks at what costs too much for every start, such as whether the paths into answers are JMESPath.

    Raises:
        ConfigError: a file or a variable is wrong; the message says where.
    """
    user, project = user_file(paths, env), project_file(cwd, env)
    contents = _read(user, source="user", paths=paths, env=env, required=user != paths.config, thorough=thorough)
    if project is not None and project != user:
        theirs = _read(project, source="project", paths=paths, env=env, required=False, thorough=thorough)
        contents = contents.under(_no_laxer(theirs, contents))
    return build(Contents(providers=tuple(present(env))).under(contents).under(Contents(environment_layer(env))))


def check(file: Path, *, source: FileSource, paths: Paths, env: Mapping[str, str]) -> Settings:
    """What one file alone would set, looked at thoroughly.

    Raises:
        ConfigError: it is missing or wrong.
    """
    return build(_read(file, source=source, paths=paths, env=env, required=True, thorough=True))


def _no_laxer(theirs: Contents, own: Contents) -> Contents:
    """What a project says, but for a policy that would let more leave this machine than the user's own does."""
    mine, wanted = own.layer.get(POLICY), theirs.layer.get(POLICY)
    if mine is None or wanted is None or STRICTNESS.get(wanted.value, 0) >= STRICTNESS.get(mine.value, 0):
        return theirs
    return replace(theirs, layer={path: entry for path, entry in theirs.layer.items() if path != POLICY})


def _read(file: Path, *, source: FileSource, paths: Paths, env: Mapping[str, str], required: bool, thorough: bool) -> Contents:
    try:
        root = root_of(file, source=source, cache_dir=paths.cache_dir)
    except (FileNotFoundError, NotADirectoryError) as exc:
        if not required:
            return Contents()
        raise ConfigError(f"there is no settings file `{file}`", hint="mmai config init") from exc
    if root is None:
        return Contents(files=(str(file),))
    return Contents(*file_layer(root, source=source, file=str(file), env=env, thorough=thorough), (str(file),))


def build(contents: Contents) -> Settings:
    """The values of a merged layer over the built-in ones.

    Raises:
        ConfigError: values that each fit and do not fit together.
    """
    layer = contents.layer
    sections: dict[tuple[str, ...], dict[str, Any]] = {}
    for path, entry in layer.items():
        sections.setdefault(path[:-1], {})[entry.key.field_of(path[-1])] = entry.value
    backends: dict[str, BackendSettings] = {}
    for provider in (*contents.providers, *(path[1] for path in layer if path[0] == "backends")):
        backends[provider] = _backend(provider, layer)
    return Settings(
        registry=RegistrySettings(**sections.get(("registry",), {})),
        backends=backends,
        selection=SelectionSettings(
            **sections.get(("selection",), {}),
            weights=_weights(sections.get(("selection", "weights"), {}), layer),
            constraints=StandingConstraints(**sections.get(("selection", "constraints"), {})),
        ),
        hot_swap=HotSwapSettings(**sections.get(("hot_swap",), {})),
        monitoring=MonitoringSettings(
            **sections.get(("monitoring",), {}),
            alert_thresholds=AlertSettings(**sections.get(("monitoring", "alert_thresholds"), {})),
        ),
        run=RunSettings(**sections.get(("run",), {})),
        budget=BudgetSettings(**sections.get(("budget",), {})),
        balance=BalanceSettings(**sections.get(("balance",), {})),
        resources=ResourceSettings(**sections.get(("resources",), {})),
        files=contents.files,
        origins={dotted(path): entry.origin for path, entry in layer.items()},
    )


def _weights(fields: dict[str, float], layer: Layer) -> Weights:
    """Those that are set; the built-in ones where a policy is set nearer to the command line than any of them."""
    weights = Weights(**fields)
    entries = [entry for path, entry in layer.items() if path[:2] == ("selection", "weights")]
    if not weights.performance + weights.cost + weights.reliability + weights.capability > 0:
        raise _misfit("all four weights are 0, which ranks nothing", entries[0], "selection.weights")
    nearest = max((NEARNESS[entry.origin.source] for entry in entries), default=0)
    named = layer.get(POLICY)
    return Weights() if named is not None and NEARNESS[named.origin.source] > nearest else weights


def _backend(provider: str, layer: Layer) -> BackendSettings:
    entries = {path[2]: entry for path, entry in layer.items() if path[:2] == ("backends", provider)}
    fields: dict[str, Any] = {name: entry.value for name, entry in entries.items()}
    known = PROVIDERS.get(provider)
    kind = fields.get("kind") or (known.kind if known else provider)
    for name, entry in entries.items():
        if entry.key.kind not in (None, kind):
            sentence = f"`{name}` is a key of `{entry.key.kind}` backends, and this one is `{kind}`"
            raise _misfit(sentence, entry, dotted(("backends", provider, name)))
    if kind == "custom":
        _demand_service(provider, entries)
    for name in ("api_key", "api_keys"):
        if (key := entries.get(name)) is not None:
            fields["api_key_missing"] = key.missing
            if key.missing:
                del fields[name]
    if (places := entries.get("endpoints")) is not None:
        fields["endpoints"] = _addresses(places, kind, provider)
    return replace(BackendSettings(endpoints=(known.url,) if known else ()), **fields)


def _demand_service(provider: str, entries: Mapping[str, Entry]) -> None:
    """A service of its own is nothing but what the settings say of it."""
    missing = next((name for name in SERVICE_NEEDS if name not in entries), None)
    if missing is None:
        return
    sentence = f"`{provider}` is a `custom` backend without {SERVICE_NEEDS[missing]}"
    if entries:
        raise _misfit(sentence, entries.get("kind") or next(iter(entries.values())), f"backends.{provider}.{missing}")
    raise ConfigError(f"{sentence} (backends.{provider}.{missing})", hint="mmai config edit")


def _addresses(entry: Entry, kind: str, provider: str) -> tuple[str, ...]:
    """Base URLs in one form; a bare `host:port` only where Ollama's rules complete it."""
    try:
        if kind == "ollama":
            return tuple(dict.fromkeys(map(ollama_endpoint, entry.value)))
    except UsageError as error:
        raise _misfit(error.message, entry, f"backends.{provider}.endpoints") from error
    for place in entry.value:
        if "://" not in place:
            raise _misfit(f"`{place}` needs `http://` or `https://` before it", entry, f"backends.{provider}.endpoints")
    return tuple(dict.fromkeys(entry.value))


def _misfit(sentence: str, entry: Entry, key: str) -> ConfigError:
    return ConfigError(f"{sentence} ({entry.origin}, {key})", hint=remedy(entry.origin))
