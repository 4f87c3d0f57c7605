"""What Tab offers: models, providers and capabilities as the registry and the settings know them, without the network."""

import os
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmai.values.endpoint import Endpoint
    from mmai.values.registry import Registry


class Shell(StrEnum):
    """The shells with a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def models(incomplete: str) -> list[str]:
    """References that begin with what is typed; where none does, names that only one provider has."""
    refs = _known()[0].models
    if found := _beginning(incomplete, refs):
        return found
    names = Counter(card.name for card in refs.values())
    return _beginning(incomplete, (name for name, owners in names.items() if owners == 1))


def models_or_auto(incomplete: str) -> list[str]:
    """As `models`, and `auto`."""
    return [*_beginning(incomplete, ["auto"]), *models(incomplete)]


def models_or_providers(incomplete: str) -> list[str]:
    """As `models`, and the providers themselves."""
    return [*providers(incomplete), *models(incomplete)]


def providers(incomplete: str) -> list[str]:
    """The providers of the settings."""
    return _beginning(incomplete, dict.fromkeys(endpoint.provider for endpoint in _known()[1]))


def capabilities(incomplete: str) -> list[str]:
    """What any known model can do."""
    return _beginning(incomplete, sorted({name for card in _known()[0].models.values() for name in card.capabilities}))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _known() -> "tuple[Registry, tuple[Endpoint, ...]]":
    """Whatever can be read. Tab is no place for an error: the command itself will tell."""
    from mmai.paths import Paths
    from mmai.registry.catalog import with_declared
    from mmai.registry.store import Store
    from mmai.settings import endpoints, load
    from mmai.values.registry import Registry

    registry = Registry()
    configured: tuple[Endpoint, ...] = ()
    try:
        paths = Paths.find(os.environ)
        registry = Store(paths.registry, warn=lambda _: None).read()
        configured = endpoints(load(paths, env=os.environ, cwd=Path.cwd()), env=os.environ)
    except Exception:
        return registry, configured
    return with_declared(registry, configured), configured
