"""What Tab offers for a model: the registry as it stands, without the network."""

import os


def models(incomplete: str) -> list[str]:
    """References and bare names that begin with what is typed."""
    from mmai.paths import Paths
    from mmai.registry.store import Store

    known = Store(Paths.find(os.environ).registry, warn=lambda _: None).read().models
    names = [*known, *(card.name for card in known.values())]
    return [name for name in names if name.startswith(incomplete)]
